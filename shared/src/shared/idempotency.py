"""What travels about requests that their client may send twice: the part of the wire beside `contracts`.

After draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts import Wire
from shared.errors import ServiceError

MOST_KEY_LETTERS = 255
LONGEST_BODY = 60_000
"""Letters of an answer that is kept."""
LONGEST_KEPT_S = 30 * 24 * 3600.0
LONGEST_IN_FLIGHT_S = 3600.0

KeyText = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RequestInFlight(ServiceError):
    """The first request with this key has not been answered yet."""

    code = "request_in_flight"
    title = "Request in flight"
    status = 409

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(retry_after_s)}


class KeyReused(ServiceError):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    title = "Idempotency key reused"
    status = 422


class StoredAnswer(Wire):
    """What a request was answered with."""

    status: int = Field(ge=200, le=499)
    location: str | None = Field(default=None, max_length=255)
    media_type: str = Field(max_length=100)
    body: str = Field(max_length=LONGEST_BODY)


class KeyClaim(Wire):
    """Asks to be the one who does what a key stands for; asking again with the same token changes nothing."""

    owner: str = Field(default="", max_length=64, description="Whose key it is; two owners' keys are different ones.")
    key: KeyText
    token: UUID = Field(description="Of this attempt, made by whoever claims.")
    fingerprint: Fingerprint = Field(description="SHA-256 of the request: its method, path and payload.")
    in_flight_s: float = Field(gt=0, le=LONGEST_IN_FLIGHT_S, description="After it another attempt may take over.")
    keep_s: float = Field(gt=0, le=LONGEST_KEPT_S, description="So long the key and its answer are kept.")


class KeyClaimed(Wire):
    """The answer that was given before; null: it is yours to do."""

    answer: StoredAnswer | None = None
