"""Call another of our services: with a deadline, the request id, and our own errors for its failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from shared.access_errors import KeyMissing
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import DeadlineExceeded, ForwardedProblem, Overloaded, Problem, UpstreamFailed, UpstreamUnavailable
from shared.http_connections import CONNECT_TIMEOUT_S, Connections, PlainClient
from shared.telemetry import REQUEST_ID_HEADER, current_request_id
from shared.tracing import TRACEPARENT, current_trace

Answer = TypeVar("Answer", bound=BaseModel)

KEEP_IDLE_S = 30.0
"""Shorter than `serving.KEEP_ALIVE_S`."""


class ServiceClient:
    """A service behind this one, by name and base URL."""

    def __init__(self, name: str, http: httpx.AsyncClient) -> None:
        self.name = name
        self._http = http
        # What httpx would put together anew for each request.
        self._base_url = str(http.base_url).rstrip("/")
        self._headers = dict(http.headers)
        self._extensions = {"timeout": http.timeout.as_dict()}

    async def call(self, answer: type[Answer], method: str, path: str, *, deadline: Deadline, **request: Any) -> Answer:
        """Send one request and read its JSON answer.

        Args:
            answer: The wire model of the answer.
            method: HTTP method.
            path: Path below the base URL.
            deadline: When the answer is worth nothing any more; the callee is told.
            **request: What httpx takes: `content`, `json`, `params`, `files`, `headers`.

        Raises:
            DeadlineExceeded: no answer in time.
            Overloaded: the service is full.
            ForwardedProblem: the service refused the request itself (4xx).
            UpstreamUnavailable: the service cannot be reached, or the connection broke.
            UpstreamFailed: the service failed, or answers what we do not understand.
        """
        return self.read(answer, await self.send(method, path, deadline=deadline, **request))

    def read(self, answer: type[Answer], response: httpx.Response) -> Answer:
        """Read a response as `answer`; raises UpstreamFailed when it is something else."""
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise UpstreamFailed(f"{self.name} answered what this version does not understand") from error

    async def send(self, method: str, path: str, *, deadline: Deadline, **request: Any) -> httpx.Response:
        """Send one request; return the whole response, or raise as `call` does."""
        async with self._failures(deadline):
            response = await self._answer(method, path, deadline, request)
        self._raise_for_problem(response)
        return response

    async def stream(self, method: str, path: str, *, step_timeout_s: float, **request: Any) -> AsyncGenerator[bytes]:
        """Send one request; yield the answer's body as it comes.

        Not the whole has a deadline, but each step: until the answer begins, and until each of its pieces is there.
        Whoever stops early closes the generator, which lets the connection go. Raises as `call` does, also in the
        middle.
        """
        deadline = Deadline.after(step_timeout_s)
        async with self._failures(deadline):
            response = await self._http.send(self._request(method, path, deadline, request), stream=True)
        try:
            if not response.is_success:
                async with self._failures(Deadline.after(step_timeout_s)):
                    await response.aread()
                self._raise_for_problem(response)
            chunks = response.aiter_raw()
            while True:
                async with self._failures(Deadline.after(step_timeout_s)):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
        finally:
            await response.aclose()

    async def _answer(self, method: str, path: str, deadline: Deadline, request: dict[str, Any]) -> httpx.Response:
        if isinstance(self._http, PlainClient) and self._http.can_ask(request):
            headers = self._all_headers(deadline, request.pop("headers", {}))
            return await self._http.ask(method, self._base_url + path, headers=headers, **request)
        return await self._http.send(self._request(method, path, deadline, request))

    def _request(self, method: str, path: str, deadline: Deadline, request: dict[str, Any]) -> httpx.Request:
        headers = self._all_headers(deadline, request.pop("headers", {}))
        return httpx.Request(method, self._base_url + path, headers=headers, extensions=self._extensions, **request)

    def _all_headers(self, deadline: Deadline, given: Mapping[str, str]) -> dict[str, str]:
        remaining_ms = max(1, int(1000 * deadline.remaining_s()))
        return {
            **self._headers,
            **given,
            DEADLINE_HEADER: str(remaining_ms),
            REQUEST_ID_HEADER: current_request_id(),
            **({TRACEPARENT: trace.header} if (trace := current_trace()) else {}),
        }

    @asynccontextmanager
    async def _failures(self, deadline: Deadline) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                yield
        except (TimeoutError, httpx.TimeoutException) as error:
            raise DeadlineExceeded(f"{self.name} did not answer in time") from error
        except httpx.TransportError as error:
            raise UpstreamUnavailable(f"{self.name} cannot be reached; try again shortly") from error

    def _raise_for_problem(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        try:
            problem = Problem.model_validate_json(response.content)
        except ValidationError as error:
            raise UpstreamFailed(f"{self.name} failed with status {response.status_code}") from error
        retry_after = response.headers.get("retry-after", "")
        retry_after_s = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 1
        if response.status_code == KeyMissing.status:
            raise UpstreamFailed(f"{self.name} refuses this service: give both the same LEGENDA_INTERNAL_TOKEN")
        if response.status_code == Overloaded.status:
            raise Overloaded(f"{self.name} is busy: {problem.detail}", retry_after_s=retry_after_s)
        if response.status_code == DeadlineExceeded.status:
            raise DeadlineExceeded(f"{self.name} did not finish in time")
        if response.is_server_error:
            raise UpstreamFailed(f"{self.name} failed: {problem.detail}")
        raise ForwardedProblem(problem, headers={"Retry-After": str(retry_after_s)} if retry_after else {})


def open_http(base_url: str, *, connections: int, token: str = "", keeps_idle: bool = True) -> httpx.AsyncClient:
    """Return a connection pool to one service; each call's own deadline bounds everything but connecting.

    Args:
        base_url: Where it answers.
        connections: How many there may be at once.
        token: What our services show each other, if anything.
        keeps_idle: Whether a connection is used again. Where several processes answer under one name, each call must
            make its own: a kept one would lead to the same process for ever.
    """
    return PlainClient(
        Connections(at_once=connections, idle_s=KEEP_IDLE_S if keeps_idle else None),
        base_url=base_url,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
        trust_env=False,
    )
