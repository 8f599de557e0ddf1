"""What a key must allow for a request: looking needs `read`, changing `write`, changing much at once `admin`.

It is decided by method and path before anything is read, so that a route that is added is never open by oversight.
"""

from __future__ import annotations

from shared.key_contracts import SCOPES, Scope

API = "/api/"
SESSION = "/api/v1/session"
LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_MANY_IMAGES = ("/api/v1/models/", "/api/v1/reruns")


def needed_scope(method: str, path: str) -> Scope | None:
    """Return what a request needs; None where it needs no key: the page, its log-in, and probes."""
    if not path.startswith(API):
        return None
    if method in LOOKING:
        return "read"
    if path == SESSION:
        return None
    return "admin" if path.startswith(_OF_MANY_IMAGES) else "write"


def allows(held: Scope, needed: Scope) -> bool:
    """Say whether one scope is enough for another."""
    return SCOPES.index(held) >= SCOPES.index(needed)
