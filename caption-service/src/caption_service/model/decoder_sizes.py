"""What the attention decoder is made by: in training, in TensorFlow's graph, and in `numpy_voice`."""

from __future__ import annotations

from dataclasses import dataclass

ATTENTION = "attention"
"""The architecture's name in a manifest."""


@dataclass(frozen=True)
class DecoderSizes:
    """What must be known to build a decoder before its weights can be loaded."""

    vocabulary_size: int
    grid_side: int
    feature_rms: float
    """Root mean square of the training images' features; maps are divided by it."""
    feature_size: int = 512
    embedding_size: int = 256
    lstm_size: int = 512
    attention_size: int = 256
    dropout: float = 0.5

    @property
    def sight(self) -> str:
        """Return what of a picture the decoder is given."""
        return f"map{self.grid_side}"

    @property
    def seen_shape(self) -> tuple[int, ...]:
        """Return the shape of a feature map, (cells, feature_size)."""
        return (self.grid_side**2, self.feature_size)
