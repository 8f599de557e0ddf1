"""The data of a training on views: sets to learn from, each as often as it is wanted, and sets to score on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from caption_service.training.captions import Captions, read_captions
from caption_service.training.views import ONLY_WHOLE, Maps, Views


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where pictures and their captions lie."""

    images: Path
    file: Path
    """The CSV of their captions."""


@dataclass(frozen=True, kw_only=True)
class TrainingSource(Source):
    """Pictures to learn from, and how they are shown."""

    repeats: int
    """How often an epoch shows each picture."""
    shares: Mapping[str, float]
    """How often each view is drawn: ALL_VIEWS or UNMIRRORED."""


@dataclass(frozen=True, kw_only=True)
class DevSource(Source):
    """Pictures to score on, and what the log calls them."""

    name: str


@dataclass(frozen=True)
class TrainingSet:
    """Pictures to learn from, opened."""

    captions: Captions
    views: Views
    repeats: int


@dataclass(frozen=True)
class DevSet:
    """Pictures to score on, opened."""

    name: str
    captions: Captions
    maps: Maps
    """What serving sees of them, after block 4."""


def open_sets(
    training: Sequence[TrainingSource], dev: Sequence[DevSource], *, encoder_file: Path, cache: Path
) -> tuple[list[TrainingSet], list[DevSet]]:
    """Read all captions, then compute the views that the cache lacks.

    Raises:
        CaptionsFileError: a captions file cannot be used; told before anything is computed.
        UnreadableImage: an image cannot be decoded.
    """
    sources: list[Source] = [*training, *dev]
    captions = [read_captions(source.file, images=source.images) for source in sources]
    shares = [*(source.shares for source in training), *(ONLY_WHOLE for _ in dev)]
    views = [
        Views.compute(list(said), images=source.images, encoder_file=encoder_file, cache=cache, shares=drawn)
        for source, said, drawn in zip(sources, captions, shares, strict=True)
    ]
    opened = list(zip(captions, views, strict=True))
    to_learn, to_score = opened[: len(training)], opened[len(training) :]
    return (
        [TrainingSet(*each, source.repeats) for each, source in zip(to_learn, training, strict=True)],
        [DevSet(source.name, said, seen.whole()) for (said, seen), source in zip(to_score, dev, strict=True)],
    )
