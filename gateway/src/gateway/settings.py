"""What the gateway reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt

from shared.idempotency import LONGEST_KEPT_S
from shared.settings import SecretFile, ServiceSettings, ServiceUrl, secret_in, service_config


def _shipped_page() -> Path:
    return Path(__file__).resolve().parents[3] / "web"


def _origins(text: str) -> str:
    for origin in filter(None, text.split(",")):
        parts = urlsplit(origin.strip())
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
            raise ValueError("origins with commas between, such as https://photos.example.org")
    return text


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
        default=15.0, description="Seconds a model may take before the image is stored without its word."
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
    keys: Literal["auto", "required", "open"] = Field(
        default="auto",
        description="Who may call: required, whoever shows a key; open, whoever reaches it; auto, required with "
        "GATEWAY_ADMIN_KEY_FILE, else open on this machine alone.",
    )
    admin_key_file: SecretFile = Field(
        default="", description="File that holds a first key, which may do everything; gateway-keys generate makes one."
    )
    key_cache_s: float = Field(
        default=2.0, ge=0, le=10, description="Seconds after which a revoked key is refused at the latest."
    )
    key_requests_per_s: PositiveFloat = Field(
        default=100.0, description="Requests a second that one key may make at each gateway; more is answered 429."
    )
    key_requests_burst: PositiveInt = Field(default=400, description="Requests that one key may make in a burst.")
    key_requests_at_once: PositiveInt = Field(default=64, description="Requests of one key that may be under way.")
    key_upload_bytes_a_day: PositiveInt = Field(
        default=100 * 1024**3, description="Bytes that one key may upload in a day, in UTC; more is answered 429."
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        default="", description="Origins whose pages may call the API from a browser, with commas between; empty: none."
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

    @property
    def is_exposed(self) -> bool:
        """Whether others may use it; said in a sentence of its own, which ends the start."""
        return False

    @property
    def asks_for_keys(self) -> bool:
        """Whether a request must show a key."""
        return self.keys == "required" or (self.keys == "auto" and bool(self.admin_key_file))

    @property
    def admin_key(self) -> str:
        """The key of GATEWAY_ADMIN_KEY_FILE; empty without one."""
        return secret_in(self.admin_key_file)

    @property
    def allowed_origins(self) -> list[str]:
        """The origins of GATEWAY_CORS_ORIGINS."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @property
    def unguarded(self) -> str | None:
        """Why the gateway must not start like this, or None."""
        if self.asks_for_keys or self.keys == "open" or self.is_on_loopback:
            return None
        return (
            f"GATEWAY_HOST is {self.host}, which other machines can reach, and no key is asked for: set "
            "GATEWAY_KEYS=required (gateway-keys new makes keys), or GATEWAY_KEYS=open where something in front of the "
            "gateway asks who is there"
        )
