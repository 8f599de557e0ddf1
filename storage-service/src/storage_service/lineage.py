"""Decide which of all the captions and labels ever given counts: a person's latest, else a model's latest.

So a correction is never overwritten, and whatever one model said can be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.contracts import (
    UNCLASSIFIED,
    Alternative,
    CaptionAnswer,
    ClassificationAnswer,
    Correction,
    ImageRecord,
    Kind,
    NearDuplicate,
    Word,
)
from shared.work_contracts import HistoryEntry, ImageHistory
from storage_service import new_rows
from storage_service.new_rows import NewRow, Said
from storage_service.search import search_text
from storage_service.tables import Analysis, Image

# Sorts behind every model's confidence: a person's label is not in doubt, and none is not a doubtful one.
NOT_IN_DOUBT = 2.0

_NOT_YET_CLASSIFIED = Word(value=UNCLASSIFIED, confidence=None, source="model", model=None)


def classified(answer: ClassificationAnswer) -> Analysis:
    """Return what a model says of an image's label, for the image's row."""
    return Analysis(**new_rows.label_said(answer).row())


def captioned(answer: CaptionAnswer) -> Analysis:
    """Return what a model says an image shows, for the image's row."""
    return Analysis(**new_rows.caption_said(answer).row())


def corrected(correction: Correction) -> list[Analysis]:
    """Return what a person says instead, for the image's row."""
    return [Analysis(**said.row()) for said in new_rows.said_instead(correction)]


def refresh(image: Image | NewRow) -> None:
    """Compute again what the image's row repeats of its analyses."""
    label, caption = _current(image, "label"), _current(image, "caption")
    image.label = label.value if label else UNCLASSIFIED
    image.certainty = NOT_IN_DOUBT if label is None or label.confidence is None else label.confidence
    image.status = "complete" if label and caption else "failed" if image.failure else "pending"
    image.label_source = label.source if label else "model"
    fields = (caption.value if caption else "", image.label, image.filename)
    image.search_words, image.word_count = search_text(*fields)


def record_of(image: Image | NewRow) -> ImageRecord:
    """Return an image as the public sees it."""
    label, caption = _current(image, "label"), _current(image, "caption")
    return ImageRecord(
        id=image.id,
        filename=image.filename,
        sha256=image.sha256,
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        size_bytes=image.size_bytes,
        status=image.status,
        label=_word(label) if label else _NOT_YET_CLASSIFIED,
        caption=_word(caption) if caption else None,
        labels=_alternatives(image, "label"),
        captions=_alternatives(image, "caption"),
        created_at=image.created_at,
        failure=image.failure,
        duplicate_of=_duplicate_of(image),
    )


def history_of(image: Image) -> ImageHistory:
    """Return every word ever given to an image, the newest first."""
    current = {_current(image, "label"), _current(image, "caption")}
    return ImageHistory(
        items=[
            HistoryEntry(
                kind=analysis.kind,
                value=analysis.value,
                confidence=analysis.confidence,
                source=analysis.source,
                model=_model(analysis),
                created_at=analysis.created_at,
                is_current=analysis in current,
            )
            for analysis in reversed(image.analyses)
        ]
    )


def missing_kinds(image: Image | NewRow) -> list[Kind]:
    """Return of which kinds an image has no word, neither a model's nor a person's."""
    kinds: tuple[Kind, ...] = ("caption", "label")
    return [kind for kind in kinds if _current(image, kind) is None]


def _duplicate_of(image: Image | NewRow) -> NearDuplicate | None:
    found = image.near_duplicate
    return None if found is None else NearDuplicate(id=found.of_id, distance=found.distance)


def _current(image: Image | NewRow, kind: Kind) -> Analysis | Said | None:
    given: Sequence[Analysis | Said] = image.analyses
    latest = None
    for analysis in reversed(given):
        if analysis.kind == kind:
            if analysis.source == "person":
                return analysis
            latest = latest or analysis
    return latest


def _alternatives(image: Image | NewRow, kind: Kind) -> list[Alternative]:
    by_models = [analysis for analysis in image.analyses if analysis.kind == kind and analysis.source == "model"]
    return [Alternative(**candidate) for candidate in by_models[-1].alternatives] if by_models else []


def _word(analysis: Analysis | Said) -> Word:
    return Word(value=analysis.value, confidence=analysis.confidence, source=analysis.source, model=_model(analysis))


def _model(analysis: Analysis | Said) -> str | None:
    return f"{analysis.model_name}@{analysis.model_version}" if analysis.source == "model" else None
