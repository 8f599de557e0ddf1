"""Where a browser keeps the key: a cookie that no script can read and no other site's page can use.

The cookie is the key itself, so that the gateway holds no sessions, and a key that is revoked logs its browsers out.
Over https it is `Secure` and named `__Host-…`, which no other host may set.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.responses import Response

LASTS_S = 30 * 24 * 3600
_PLAIN = "legenda_key"
_SECURE = "__Host-legenda_key"


def shown_in(headers: Headers, *, is_https: bool) -> str | None:
    """Return the key in a request's cookie, or None."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(_name(is_https=is_https))
    except CookieError:
        return None
    return cookie.value if cookie else None


def keep(response: Response, key: str, *, is_https: bool, expires_at: datetime | None) -> None:
    """Tell the browser to keep a key, no longer than it counts."""
    lasts_s = LASTS_S
    if expires_at is not None:
        lasts_s = min(lasts_s, max(0, int((expires_at - datetime.now(UTC)).total_seconds())))
    response.set_cookie(
        _name(is_https=is_https), key, max_age=lasts_s, path="/", secure=is_https, httponly=True, samesite="strict"
    )


def forget(response: Response, *, is_https: bool) -> None:
    """Tell the browser to forget it."""
    response.delete_cookie(_name(is_https=is_https), path="/", secure=is_https, httponly=True, samesite="strict")


def _name(*, is_https: bool) -> str:
    return _SECURE if is_https else _PLAIN
