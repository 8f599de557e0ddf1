"""Log the page in and out: a key becomes a cookie. Which key is shown, and what it may, is told to whoever shows it.

Annotations are evaluated here, not postponed: the routes are made inside `session_routes`.
"""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from gateway import key_cookie
from gateway.access import ANYBODY
from gateway.key_ring import Caller, KeyRing
from gateway.scopes import SESSION
from shared.access_errors import CrossSite, KeyMissing
from shared.contracts import Wire
from shared.errors import DeadlineExceeded, Overloaded, UpstreamFailed, problem_responses
from shared.key_contracts import Scope

Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class LogIn(Wire):
    """A key that a person has typed."""

    key: Key = Field(description="As gateway-keys printed it.")


class Session(Wire):
    """Who calls."""

    asks_for_key: bool = Field(description="False where this installation is open.")
    name: str = Field(description="What the key is called.")
    scope: Scope


def session_routes(ring: KeyRing | None) -> APIRouter:
    """Return the routes; without a ring no keys are asked for, and everybody is logged in."""
    router = APIRouter(tags=["session"], responses=problem_responses(KeyMissing))

    @router.get(SESSION)
    async def session(request: Request) -> Session:
        """Tell whose key is shown, and what it may."""
        return _session(request.state.caller)

    @router.post(SESSION, responses=problem_responses(CrossSite, UpstreamFailed, Overloaded, DeadlineExceeded))
    async def log_in(request: Request, response: Response, shown: LogIn) -> Session:
        """Keep a key in a cookie that only this page can use."""
        if ring is None:
            return _session(ANYBODY)
        caller = await ring.caller(shown.key)
        key_cookie.keep(response, shown.key, is_https=_is_https(request), expires_at=caller.expires_at)
        return _session(caller)

    @router.delete(SESSION, status_code=204, responses=problem_responses(CrossSite))
    async def log_out(request: Request, response: Response) -> None:
        """Forget the key in the cookie; the key itself goes on to count."""
        key_cookie.forget(response, is_https=_is_https(request))

    return router


def _session(caller: Caller) -> Session:
    return Session(asks_for_key=caller is not ANYBODY, name=caller.name, scope=caller.scope)


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"
