"""Keep the services behind the gateway to the gateway: a request must show the token that all services share.

`/health` and `/metrics` stay open, so that probes and Prometheus need no secret; they tell numbers and versions.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.access_errors import KeyMissing
from shared.errors import error_response

BEARER = "bearer "


def token_doors(token: str) -> list[Middleware]:
    """Return the door of an internal service; none where no token is set."""
    return [Middleware(TokenRequired, token=token)] if token else []


def is_open(path: str) -> bool:
    """Say whether a path is there for probes, which have no key."""
    return path == "/metrics" or path.startswith(("/health/", "/v2/health/"))


def bearer_of(headers: Headers) -> str | None:
    """Return what a request shows in `Authorization: Bearer`, or None.

    Source: RFC 6750, section 2.1.
    """
    shown = headers.get("authorization", "")
    return shown[len(BEARER) :].strip() if shown.lower().startswith(BEARER) else None


class TokenRequired:
    """ASGI middleware: answers 401 to who does not show the token."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what shows the token, or is open."""
        if scope["type"] != "http" or is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        shown = bearer_of(Headers(scope=scope))
        if shown is not None and hmac.compare_digest(shown.encode(), self._token):
            await self._app(scope, receive, send)
            return
        refusal = KeyMissing(
            "this service answers only Legenda's own services, which show LEGENDA_INTERNAL_TOKEN",
            is_wrong=shown is not None,
        )
        await error_response(refusal)(scope, receive, send)
