"""What caption-service reads from its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from shared.settings import ServiceSettings, service_config

_SHIPPED_MODELS = Path(__file__).resolve().parents[2] / "models"


def default_encoder() -> Path:
    """Return the encoder that is shipped beside the code."""
    return _SHIPPED_MODELS / "vgg16-imagenet"


def default_model() -> Path:
    """Return the caption model that is shipped beside the code."""
    return _SHIPPED_MODELS / "attention-flickr8k"


class CaptionSettings(ServiceSettings):
    """Read from CAPTION_* variables."""

    model_config = service_config("CAPTION_")

    port: PositiveInt = 8001
    model: Path = Field(default_factory=default_model, description="Folder of the caption model.")
    encoder: Path = Field(default_factory=default_encoder, description="Folder of the encoder it was trained on.")
    threads: PositiveInt = Field(default=1, description="Images described at once.")
    waiting: NonNegativeInt = Field(default=16, description="Images that may wait; one more is answered 503.")
    body_limit_bytes: PositiveInt = Field(default=20 * 1024 * 1024, description="Largest image accepted.")
    longest_deadline_s: PositiveFloat = Field(default=30.0, description="Deadline when the caller names none.")
