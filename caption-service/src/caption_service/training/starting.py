"""What a training on views starts from: an attention model, its encoder, and the words it has yet to learn.

New words begin as what the known ones have in common, and rare. So the model says what it said before, until it learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from caption_service.model.architectures import build_by_name, name_of
from caption_service.model.artifact import ENCODER_FILE
from caption_service.model.saving import load_decoder
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import SPECIAL_TOKENS, Vocabulary
from caption_service.training.view_sets import TrainingSet
from shared.artifacts import ArtifactError, Manifest, read_manifest

SIGHT = "map7"
"""What block 5's pooled map is called."""

NEW_WORD_SPREAD = 0.05
"""Standard deviation of new words' vectors around the mean of the known ones."""


def load_start(folder: Path, *, encoder_folder: Path) -> tuple[Decoder, Vocabulary, Manifest]:
    """Return the model's decoder and words, and the manifest of its encoder.

    Raises:
        ArtifactError: one of them is broken, they do not belong together, or the model sees something else.
    """
    encoder_manifest = read_manifest(encoder_folder, kind="encoder")
    manifest = read_manifest(folder, kind="captioner")
    if manifest.sizes.get("encoder_sha256") != encoder_manifest.files.get(ENCODER_FILE):
        raise ArtifactError(f"{folder} was trained on another encoder than {encoder_folder}: name its own by --encoder")
    decoder, vocabulary, _ = load_decoder(folder, manifest)
    if decoder.sizes.sight != SIGHT:
        raise ArtifactError(f"{folder} takes {decoder.sizes.sight}, but only models that take {SIGHT} learn from views")
    return decoder, vocabulary, encoder_manifest


def grown_vocabulary(known: Vocabulary, sets: Sequence[TrainingSet], *, min_count: int) -> Vocabulary:
    """Return the known words, and after them the new ones that an epoch says at least `min_count` times."""
    said = (
        sentence
        for each in sets
        for several in each.captions.values()
        for sentence in several
        for _ in range(each.repeats)
    )
    frequent = Vocabulary.from_captions(said, min_count=min_count).tokens[len(SPECIAL_TOKENS) :]
    old = set(known.tokens)
    return Vocabulary((*known.tokens, *(word for word in frequent if word not in old)))


def grown_decoder(decoder: Decoder, *, words: int, seed: int) -> Decoder:
    """Return a decoder of the same weights that has so many words, the known ones first.

    Args:
        decoder: The decoder to copy.
        words: Words and special tokens; not fewer than it has.
        seed: Of the new words' vectors.
    """
    grown = build_by_name(name_of(decoder), asdict(replace(decoder.sizes, vocabulary_size=words)))
    random = np.random.default_rng(seed)
    for old, new in zip(decoder.weights, grown.weights, strict=True):
        weight = np.asarray(old)
        if weight.shape != tuple(new.shape):
            shape = (words - len(weight), *weight.shape[1:])
            if weight.ndim == 1:  # the words' bias
                rows = np.full(shape, weight.min())
            else:
                rows = weight.mean(axis=0) + random.normal(0.0, NEW_WORD_SPREAD, shape)
            weight = np.concatenate([weight, rows.astype(np.float32)])
        new.assign(weight)
    return grown
