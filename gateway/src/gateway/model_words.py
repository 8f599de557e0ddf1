"""What the models said of an image, in the form in which it is stored and told."""

from __future__ import annotations

from shared.contracts import (
    Alternative,
    Analysis,
    CaptionAnswer,
    ClassificationAnswer,
    ModelName,
    NewImage,
    Word,
)
from shared.previews import Inspection


def new_image(
    filename: str,
    sha256: str,
    inspection: Inspection,
    caption: CaptionAnswer | None,
    classification: ClassificationAnswer | None,
) -> NewImage:
    """Return what storage is to keep of an image; None is what a model did not say."""
    return NewImage(
        filename=filename,
        sha256=sha256,
        media_type=inspection.media_type,
        width=inspection.width,
        height=inspection.height,
        caption=caption,
        classification=classification,
    )


def analysis_of(caption: CaptionAnswer, classification: ClassificationAnswer) -> Analysis:
    """Return what the models say, as records say it."""
    best = classification.labels[0]
    label = Alternative(value=classification.label, confidence=best.confidence)
    return Analysis(
        label=_word(label, classification.model),
        labels=classification.labels,
        caption=_word(caption.captions[0], caption.model),
        captions=caption.captions,
    )


def _word(alternative: Alternative, model: ModelName) -> Word:
    return Word(
        value=alternative.value,
        confidence=alternative.confidence,
        source="model",
        model=f"{model.name}@{model.version}",
    )
