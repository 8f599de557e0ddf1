"""What classify-service reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from shared.settings import LockFile, ServiceSettings, service_config

SHIPPED_MODEL = Path(__file__).resolve().parents[2] / "models" / "vgg16-opencv"


class ClassifySettings(ServiceSettings):
    """Read from CLASSIFY_* variables."""

    model_config = service_config("CLASSIFY_")

    port: PositiveInt = Field(default=8002, description="Port to listen on.")
    model: Path = Field(default=SHIPPED_MODEL, description="Folder of the classifier, as classify-train writes it.")
    threads: PositiveInt = Field(default=1, description="Runs of the network at a time; one already uses every core.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="What the convolutions compute in; auto: what this processor is fastest in."
    )
    backend: Literal["auto", "tensorflow", "openvino", "ncnn"] = Field(
        default="auto", description="What computes the network; auto: what is fastest here."
    )
    compute_lock: LockFile = Field(
        default="", description="File by which the model services of one machine compute in turn; none: all at once."
    )
    largest_batch: int = Field(default=4, ge=1, le=64, description="Most images of one run; on a GPU 32 is sensible.")
    batch_wait_ms: NonNegativeFloat = Field(
        default=0, description="Milliseconds that a free network waits for others to join the first image."
    )
    waiting: NonNegativeInt = Field(default=16, description="Images that may wait; further ones are answered 503.")
    longest_deadline_s: PositiveFloat = Field(default=30.0, description="Seconds a request may take at most.")
    body_limit_bytes: PositiveInt = Field(default=20 * 1024 * 1024, description="Largest image accepted, in bytes.")
