"""What is said to whoever may not do what they ask, or has done enough of it; part of the tree in `errors`.

ServiceError
├── KeyMissing        401, WWW-Authenticate
├── ScopeMissing      403
├── CrossSite         403
└── QuotaExceeded     429, Retry-After, RateLimit
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import ServiceError


class KeyMissing(ServiceError):
    """No key or token was shown, or not one that counts."""

    code = "key_missing"
    title = "A key is needed"
    status = 401

    def __init__(self, detail: str, *, is_wrong: bool = False) -> None:
        super().__init__(detail)
        challenge = 'Bearer realm="legenda"'
        self.headers = {"WWW-Authenticate": f'{challenge}, error="invalid_token"' if is_wrong else challenge}


class ScopeMissing(ServiceError):
    """The key is known, but not for this."""

    code = "scope_missing"
    title = "This key may not do that"
    status = 403


class CrossSite(ServiceError):
    """A browser was made to send this by another site's page."""

    code = "cross_site"
    title = "Sent by another site"
    status = 403


class QuotaExceeded(ServiceError):
    """One client has had what it may have for now; others are served."""

    code = "quota_exceeded"
    title = "Quota exceeded"
    status = 429

    def __init__(self, detail: str, *, retry_after_s: int, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after_s), **headers}
