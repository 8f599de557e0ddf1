"""How wide a head is, and how far what it measures counts; `head` and `numpy_head` are made by it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

SCALE_LIMIT = 4.0
"""Features count up to this many standard deviations; a stranger's odd picture must not drown the rest."""


@dataclass(frozen=True)
class HeadSizes:
    """The widths of a head."""

    outputs: int
    """One for each label, and one more where it is learnt what belongs to none of them."""
    features: int
    anywhere: int = 128
    layout: int = 64
    measured: int = 96
    joint: int = 128
    dropout: float = 0.4

    def as_dict(self) -> dict[str, int | float]:
        """Return the sizes by name, as an artifact stores them."""
        return asdict(self)
