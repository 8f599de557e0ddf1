"""What caption-service reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from shared.settings import LockFile, ServiceSettings, service_config

_SERVICE = Path(__file__).resolve().parents[2]
_SHIPPED_MODELS = _SERVICE / "models"


def default_encoder() -> Path:
    """Return the encoder that is shipped beside the code."""
    return _SHIPPED_MODELS / "vgg16"


def default_model() -> Path:
    """Return the caption model that is shipped beside the code."""
    return _SHIPPED_MODELS / "attention"


def default_vgg16_weights() -> Path:
    """Return where Keras' file of the full VGG16 is looked for; it is not shipped."""
    return _SERVICE.parent / ".data" / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"


class CaptionSettings(ServiceSettings):
    """Read from CAPTION_* variables."""

    model_config = service_config("CAPTION_")

    port: PositiveInt = 8001
    model: Path = Field(default_factory=default_model, description="Folder of the caption model.")
    encoder: Path = Field(default_factory=default_encoder, description="Folder of the encoder it was trained on.")
    vgg16_weights: Path = Field(
        default_factory=default_vgg16_weights,
        description="Keras' weights file of the full VGG16; only a model trained on fc2 needs it.",
    )
    threads: PositiveInt = Field(default=1, description="Runs of the model at a time; one already uses every core.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="What the convolutions compute in; auto: what this processor is fastest in."
    )
    backend: Literal["auto", "tensorflow", "openvino", "ncnn"] = Field(
        default="auto", description="What computes the convolutions; auto: what is fastest here."
    )
    compute_lock: LockFile = Field(
        default="", description="File by which the model services of one machine compute in turn; none: all at once."
    )
    largest_batch: int = Field(default=4, ge=1, le=64, description="Most images of one run; on a GPU 32 is sensible.")
    batch_wait_ms: NonNegativeFloat = Field(
        default=0, description="Milliseconds that a free model waits for others to join the first image."
    )
    waiting: NonNegativeInt = Field(default=16, description="Images that may wait; one more is answered 503.")
    body_limit_bytes: PositiveInt = Field(default=20 * 1024 * 1024, description="Largest image accepted.")
    longest_deadline_s: PositiveFloat = Field(default=30.0, description="Deadline when the caller names none.")
