"""Named errors and their one shape on the wire.

Code raises meaning; only this module knows how HTTP says it (RFC 9457, application/problem+json).

    ServiceError
    ├── BadRequest            400
    ├── NotFound              404
    ├── NotEmbedded           409
    ├── ImageTooLarge         413
    ├── UnsupportedImage      415
    ├── BrokenImage           422
    ├── UpstreamFailed        502
    │   └── UpstreamUnavailable  503, Retry-After
    ├── Overloaded            503, Retry-After
    └── DeadlineExceeded      504

Who may do what is refused in the words of `access_errors`.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.telemetry import current_request_id

log = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A failure as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="Stable name of the failure, for programs.")
    detail: str = Field(description="What happened and what to do, for people.")
    request_id: str


class ServiceError(Exception):
    """A failure that the caller is told about."""

    code = "internal_error"
    title = "Internal error"
    status = 500

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers: dict[str, str] = {}


class BadRequest(ServiceError):
    """The request itself is wrong."""

    code = "bad_request"
    title = "Bad request"
    status = 400


class NotFound(ServiceError):
    """There is nothing of that name."""

    code = "not_found"
    title = "Not found"
    status = 404


class NotEmbedded(ServiceError):
    """Nothing is known yet of what an image looks like."""

    code = "not_embedded"
    title = "Not embedded yet"
    status = 409


class ImageTooLarge(ServiceError):
    """The upload has more bytes or pixels than this installation accepts."""

    code = "image_too_large"
    title = "Image too large"
    status = 413


class UnsupportedImage(ServiceError):
    """The bytes are no image of a format we read."""

    code = "unsupported_image"
    title = "Unsupported image"
    status = 415


class BrokenImage(ServiceError):
    """The bytes begin like an image but cannot be decoded."""

    code = "broken_image"
    title = "Broken image"
    status = 422


class UpstreamFailed(ServiceError):
    """A service behind this one failed or could not be reached."""

    code = "upstream_failed"
    title = "A service behind this one failed"
    status = 502


class UpstreamUnavailable(UpstreamFailed):
    """A service behind this one cannot be reached; the caller may come back."""

    code = "upstream_unavailable"
    title = "A service behind this one is away"
    status = 503

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after_s)}


class Overloaded(ServiceError):
    """We are full; the caller may come back."""

    code = "overloaded"
    title = "Too busy"
    status = 503

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after_s)}


class DeadlineExceeded(ServiceError):
    """The work was not done within the time that the caller gave."""

    code = "deadline_exceeded"
    title = "Deadline exceeded"
    status = 504


class ForwardedProblem(ServiceError):
    """A service behind this one refused the request itself; its words are passed on."""

    def __init__(self, problem: Problem, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.headers = headers or {}
        self.code = problem.code
        self.title = problem.title
        self.status = problem.status


def problem_response(
    *, status: int, code: str, title: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Make the one answer that every failure has."""
    request_id = current_request_id()
    problem = Problem(title=title, status=status, code=code, detail=detail, request_id=request_id)
    return JSONResponse(
        problem.model_dump(),
        status_code=status,
        headers={**(headers or {}), "X-Request-ID": request_id},
        media_type=PROBLEM_MEDIA_TYPE,
    )


def error_response(error: ServiceError) -> JSONResponse:
    """Make the answer to one of our own failures."""
    return problem_response(
        status=error.status, code=error.code, title=error.title, detail=error.detail, headers=error.headers
    )


def install_error_handlers(app: FastAPI) -> None:
    """Make every failure of `app`, foreseen or not, answer with a `Problem`."""

    @app.exception_handler(ServiceError)
    async def _service_error(_: Request, error: ServiceError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return problem_response(
            status=422, code="invalid_request", title="Invalid request", detail=f"{place}: {first['msg']}"
        )

    @app.exception_handler(HTTPException)
    async def _http_error(_: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        return problem_response(
            status=status,
            code=status.name.lower(),
            title=status.phrase,
            detail=str(error.detail),
            headers=dict(error.headers or {}),
        )

    @app.exception_handler(ClientDisconnect)
    async def _gone(_: Request, __: ClientDisconnect) -> JSONResponse:
        return problem_response(
            status=BadRequest.status,
            code=BadRequest.code,
            title=BadRequest.title,
            detail="the connection was closed before the whole body had come",
        )

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", exc_info=error, extra={"path": request.url.path})
        return problem_response(
            status=500,
            code=ServiceError.code,
            title=ServiceError.title,
            detail="something went wrong that should not; the log has it under this request id",
        )


def problem_responses(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Describe the failures of a route for its OpenAPI page."""
    described: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        content = {PROBLEM_MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
        described[error.status] = {"description": error.title, "content": content}
    return described
