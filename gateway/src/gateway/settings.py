"""What the gateway reads from its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from shared.idempotency import LONGEST_KEPT_S
from shared.settings import ServiceSettings, ServiceUrl, service_config


def _shipped_page() -> Path:
    return Path(__file__).resolve().parents[3] / "web"


class GatewaySettings(ServiceSettings):
    """Read from GATEWAY_* variables."""

    model_config = service_config("GATEWAY_")

    port: PositiveInt = Field(default=8000, description="Port to listen on.")
    caption_url: ServiceUrl = Field(default="http://127.0.0.1:8001", description="Where caption-service answers.")
    classify_url: ServiceUrl = Field(default="http://127.0.0.1:8002", description="Where classify-service answers.")
    storage_url: ServiceUrl = Field(default="http://127.0.0.1:8003", description="Where storage-service answers.")
    web: Path = Field(default_factory=_shipped_page, description="Folder of the page.")
    upload_limit_bytes: PositiveInt = Field(default=20 * 1024 * 1024, description="Largest image accepted, in bytes.")
    pixel_limit: PositiveInt = Field(default=64_000_000, description="Most pixels of an image that is decoded.")
    uploads_at_once: PositiveInt = Field(default=64, description="Uploads in progress; one more is answered 503.")
    requests_at_once: PositiveInt = Field(
        default=256, description="Requests of all kinds in progress; one more is answered 503."
    )
    decode_processes: PositiveInt = Field(default=2, description="Images decoded at once, each in its own process.")
    decode_waiting: NonNegativeInt = Field(default=64, description="Images that may wait to be decoded.")
    decode_memory_bytes: PositiveInt = Field(
        default=1536 * 1024 * 1024, description="Memory that a process may take to decode one image."
    )
    decode_timeout_s: PositiveFloat = Field(default=10.0, description="Seconds that decoding one image may take.")
    upload_deadline_s: PositiveFloat = Field(
        default=30.0, description="Seconds a request may take, unless it asks for less."
    )
    idempotency_keep_s: PositiveFloat = Field(
        default=24 * 3600.0,
        le=LONGEST_KEPT_S,
        description="Seconds that an Idempotency-Key and its answer are kept, at most 30 days.",
    )
    model_timeout_s: PositiveFloat = Field(
        default=10.0, description="Seconds a model may take before the image is stored without its word."
    )
    breaker_failures: PositiveInt = Field(
        default=5, description="Failures in a row after which a service behind is not asked for a while."
    )
    breaker_pause_s: PositiveFloat = Field(
        default=5.0, description="Seconds that it is not asked; then one call tries it."
    )
    completion_at_once: PositiveInt = Field(
        default=2, description="Pending images that each model is asked about at once."
    )
    stall_timeout_s: PositiveFloat = Field(
        default=60.0,
        description="Seconds that a client may read nothing of an export, or send nothing of a batch, before it is "
        "broken off.",
    )
    batches_at_once: PositiveInt = Field(
        default=4, description="Batches that are received at once; one more is answered 503."
    )
    batch_files_limit: PositiveInt = Field(default=20_000, description="Most files of a batch, those in ZIPs included.")
    zip_limit_bytes: PositiveInt = Field(
        default=2 * 1024**3, description="Largest ZIP accepted, in bytes; it lies in TMPDIR while it is unpacked."
    )
    zip_unpacked_limit_bytes: PositiveInt = Field(
        default=8 * 1024**3, description="Most bytes of a ZIP's files, unpacked."
    )
    zip_ratio_limit: PositiveFloat = Field(
        default=200.0, description="How many times its packed size a file over 1 MiB in a ZIP may be."
    )
    event_streams: PositiveInt = Field(
        default=64, description="Streams of events that may be open; one more is answered 503."
    )
