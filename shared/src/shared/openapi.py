"""Complete what FastAPI writes about failures in OpenAPI, once for all services.

FastAPI describes a refused request as its own 422, which ours is not: every failure here is a `Problem`. And what any
call can meet, whatever it does, is not written at each route.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from shared.errors import PROBLEM_MEDIA_TYPE, Problem

_REF = {"$ref": "#/components/schemas/Problem"}
_METHODS = ("get", "post", "put", "patch", "delete")
_ANYWHERE = {
    "400": "Bad request",
    "401": "A key is needed",
    "422": "Invalid request",
    "503": "Too busy",
    "504": "Deadline exceeded",
}
_NEVER_FAILING = ("/health", "/v2/health")


def describe_failures(app: FastAPI) -> None:
    """Make `app.openapi()` tell every status that a call may be answered with, and `Problem` as its body."""
    plain: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path, calls in described["paths"].items():
            if not path.startswith(_NEVER_FAILING):
                for method in _METHODS:
                    if method in calls:
                        _complete(calls[method]["responses"])
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's own page on extending OpenAPI does


def _complete(responses: dict[str, Any]) -> None:
    for status, description in _ANYWHERE.items():
        told = responses.setdefault(status, {"description": description})
        if status == "422" and told["description"] == "Validation Error":
            told["description"] = description
    for status, told in responses.items():
        if int(status) >= 400:
            told["content"] = {PROBLEM_MEDIA_TYPE: {"schema": _REF}}
