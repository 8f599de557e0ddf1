"""What a caption's confidence means: the measured chance that people would agree with it.

A decoder's probabilities are of words, and too sure or too shy. A logistic curve over the mean log-probability of a
sentence's words, fitted on captions that people wrote (`caption-calibrate`), turns them into a chance (Platt, 1999).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from caption_service.model.beam import Sentence


@dataclass(frozen=True)
class Calibration:
    """A logistic curve; kept in a model's manifest."""

    intercept: float
    slope: float
    cider_d: float
    """The confidence is the chance that a caption's CIDEr-D against people's captions is at least this; 0 to 10."""

    def confidence(self, word_log_probability: float) -> float:
        """Return the chance, 0 to 1.

        Args:
            word_log_probability: Mean log-probability of a sentence's words, in nats.
        """
        return 1.0 / (1.0 + math.exp(-(self.intercept + self.slope * word_log_probability)))


def confidence_of(sentence: Sentence, calibration: Calibration | None) -> float:
    """Return a sentence's confidence; the geometric mean of its words' probabilities where nothing was fitted."""
    if calibration is None:
        return math.exp(sentence.word_log_probability)
    return calibration.confidence(sentence.word_log_probability)
