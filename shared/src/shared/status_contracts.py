"""What travels about how the platform is doing: the part of the wire beside `contracts`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, FiniteFloat

from shared.artifacts import Manifest
from shared.contracts import Wire

MINUTES = 60
Count = Annotated[int, Field(ge=0)]


class ServedModel(Wire):
    """Answer of `GET /v1/model`: what a model service serves, and what its manifest says was measured."""

    name: str
    version: str
    kind: str = Field(description="`captioner` or `classifier`.")
    measured: dict[str, FiniteFloat] = Field(description="Where the training measured it, see its page; may be empty.")


class StorageStatus(Wire):
    """Answer of `GET /v1/status`."""

    images: Count
    stored_bytes: Count = Field(description="Of the originals; at most a minute old.")
    pending: Count = Field(description="Images that wait for a caption or a label.")
    failed: Count = Field(description="Images given up; a retry tries them again.")
    oldest_pending_at: datetime | None = Field(description="When the oldest pending image came.")
    described_a_minute: list[Count] = Field(
        min_length=MINUTES,
        max_length=MINUTES,
        description="Captions that models gave, minute by minute, the oldest first; the last minute is not over.",
    )


class ServiceStatus(Wire):
    """One service, as the gateway last saw it."""

    name: str
    is_ready: bool
    version: str | None = Field(description="Null while it has never answered.")
    models: list[ServedModel]


class PlatformStatus(Wire):
    """Answer of the gateway's `GET /api/v1/status`."""

    asked_at: datetime
    services: list[ServiceStatus]
    storage: StorageStatus | None = Field(description="Null while storage does not answer.")
    oldest_pending_s: FiniteFloat | None = Field(description="Age of the oldest pending image, in seconds.")


def served(manifest: Manifest) -> ServedModel:
    """Return what is told of a model: of its metrics, the numbers at the top and of its dev split."""
    return ServedModel(
        name=manifest.name,
        version=manifest.version,
        kind=manifest.kind,
        measured=_numbers(manifest.metrics) | _numbers(manifest.metrics.get("dev")),
    )


def _numbers(metrics: Any) -> dict[str, float]:
    """Keep shares and scores: counts, such as of epochs and images, are whole numbers."""
    pairs = metrics.items() if isinstance(metrics, dict) else ()
    return {str(name): value for name, value in pairs if isinstance(value, float)}
