"""What every request passes before its route, and how that is told in OpenAPI.

CORS is closed: without GATEWAY_CORS_ORIGINS no answer tells a browser that another site's page may read it. Pages of
allowed origins show a key in `Authorization`; the cookie is for our own page alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from gateway.access import Access, Keys
from gateway.scopes import API, SESSION
from shared.errors import PROBLEM_MEDIA_TYPE

_READABLE = ["Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]
_REFUSALS = {"403": "This key may not do that", "429": "Quota exceeded"}


def doors(keys: Keys | None, allowed_origins: Sequence[str]) -> list[Middleware]:
    """Return the gateway's doors, the outermost last."""
    found = [Middleware(Access, keys=keys, allowed_origins=allowed_origins)]
    if allowed_origins:
        found.append(
            Middleware(
                CORSMiddleware,
                allow_origins=allowed_origins,
                allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
                allow_headers=["*"],
                expose_headers=_READABLE,
            )
        )
    return found


def describe_access(app: FastAPI) -> None:
    """Tell in OpenAPI that a key is shown as a bearer token, and how the door may answer."""
    plain: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        schemes = described.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer", "description": "A key that gateway-keys has made."}
        for path, calls in described["paths"].items():
            for call in calls.values() if path.startswith(API) else ():
                if path != SESSION:
                    call["security"] = [{}, {"key": []}]
                for status, title in _REFUSALS.items():
                    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
                    call["responses"].setdefault(status, {"description": title, "content": content})
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's own page on extending OpenAPI does
