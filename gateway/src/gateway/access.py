"""The gateway's door: who is there, may they do that, and have they had enough; before a byte of the body is read.

It stands before all routes, so that none can be reached around it. Where keys are not required it lets everybody in who
reaches this machine, but not what another site's page sends through their browser.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import key_cookie
from gateway.client_limits import ClientLimits
from gateway.key_ring import Caller, KeyRing
from gateway.same_site import require_own_page
from gateway.scopes import API, LOOKING, allows, needed_scope
from gateway.upload_quota import UploadQuota
from shared.access_errors import KeyMissing, ScopeMissing
from shared.errors import ServiceError, error_response
from shared.internal_access import bearer_of
from shared.telemetry import LOGGED

ANYBODY = Caller(key_id="", name="", scope="admin")
"""Who calls where no keys are asked for."""


@dataclass(frozen=True)
class Keys:
    """What the door knows where keys are required."""

    ring: KeyRing
    limits: ClientLimits
    quota: UploadQuota


class Access:
    """ASGI middleware; the caller is found in `request.state.caller` behind it."""

    def __init__(self, app: ASGIApp, *, keys: Keys | None, allowed_origins: Collection[str]) -> None:
        self._app = app
        self._keys = keys
        self._allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope)
        except ServiceError as error:
            await error_response(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        if caller is None or self._keys is None:
            await self._app(scope, receive, send)
            return
        scope[LOGGED] = {"key_id": caller.key_id}
        await self._within_limits(self._keys, caller, scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        """Return who is there, where that is asked for; raises KeyMissing, ScopeMissing or CrossSite."""
        headers = Headers(scope=scope)
        needed = needed_scope(scope["method"], scope["path"])
        cookie = key_cookie.shown_in(headers, is_https=scope["scheme"] == "https") if self._keys else None
        shown = bearer_of(headers)
        if scope["method"] not in LOOKING:
            shows_cookie = shown is None and cookie is not None
            require_own_page(headers, allowed_origins=self._allowed_origins, shows_cookie=shows_cookie)
        if self._keys is None:
            return ANYBODY
        if needed is None:
            return None
        key = shown if shown is not None else cookie
        if not key:
            raise KeyMissing("show a key in Authorization: Bearer KEY; gateway-keys new makes one")
        caller = await self._keys.ring.caller(key)
        if not allows(caller.scope, needed):
            raise ScopeMissing(f"the key {caller.key_id} may only {caller.scope}; this needs one that may {needed}")
        return caller

    async def _within_limits(self, keys: Keys, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        limits = keys.limits

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in limits.headers(caller.key_id).items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            limits.begin(caller.key_id)
        except ServiceError as error:
            await error_response(error)(scope, receive, send)
            return
        try:
            try:
                body = await keys.quota.open(caller.key_id, Headers(scope=scope), receive)
            except ServiceError as error:
                await error_response(error)(scope, receive, send_with_limits)
                return
            if body is None:
                await self._app(scope, receive, send_with_limits)
                return
            try:
                await self._app(scope, body.receive_counted, send_with_limits)
            finally:
                await body.settle()
        finally:
            limits.end(caller.key_id)
