"""Tell browsers how little each answer may do: the page only what is ours, a stranger's file nothing at all.

After OWASP's list of secure headers. One ASGI layer gives every answer the strictest set; what needs more says so
itself.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""Of JSON, a browser needs to load nothing."""

PAGE = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
STRANGERS_FILE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""For a stranger's bytes shown in a tab of their own; the style is the browser's, which centres a picture."""

API_DOCS = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
"""FastAPI writes the script that starts Swagger into the page."""

_DOCS = ("/docs", "/redoc")


def _raw(policy: str) -> list[tuple[bytes, bytes]]:
    """Return all headers as they are sent, made once: every answer has them."""
    return Headers(EVERYWHERE | {"Content-Security-Policy": policy}).raw


OF_ALL, _OF_DOCS = _raw(NOTHING), _raw(API_DOCS)


class SecurityHeaders:
    """ASGI middleware: sets each header that an answer has not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; only the beginning of an answer is touched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = _OF_DOCS if scope["path"].startswith(_DOCS) else OF_ALL

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message).raw
                own = {name for name, _ in headers}
                headers += [header for header in wanted if header[0] not in own]
            await send(message)

        await self._app(scope, receive, send_with_headers)
