"""Refuse what another site's page makes a browser send.

A browser adds what it knows of us, such as the cookie, to whatever a page asks it to send. `SameSite=Strict` keeps the
cookie from most of that; this is the second lock, and the only one where no key is asked for. A browser tells with
`Sec-Fetch-Site` or `Origin` where a request comes from, and no page can change either. Other clients send neither; they
pass, unless they show a cookie, which is a browser's.

Source: OWASP's sheet on cross-site request forgery (Fetch Metadata, with Origin as the fallback).
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from shared.access_errors import CrossSite

OUR_OWN = frozenset({"same-origin", "none"})
"""`none`: the person did it, with no page behind."""


def require_own_page(headers: Headers, *, allowed_origins: Collection[str], shows_cookie: bool) -> None:
    """Let a request that changes something pass only from our own page, an allowed origin, or no page at all.

    Raises:
        CrossSite: another page sent it, or nobody can say which.
    """
    origin = headers.get("origin")
    if not shows_cookie and origin in allowed_origins:
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site not in OUR_OWN:
            raise CrossSite(f"another site's page sent this ({site}); GATEWAY_CORS_ORIGINS can allow its origin")
    elif origin is not None:
        if urlsplit(origin).netloc != headers.get("host"):
            raise CrossSite(f"a page of {origin[:200]} sent this; GATEWAY_CORS_ORIGINS can allow its origin")
    elif shows_cookie:
        raise CrossSite("a cookie counts only from the page; show the key in Authorization: Bearer instead")
