"""Write a caption model to a folder, and fill a decoder from one: weights and words, nothing pickled.

Weights are stored in half precision.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from caption_service.model.architectures import UnknownArchitecture, build_by_name, name_of
from caption_service.model.artifact import DECODER_FILE, VOCABULARY_FILE, read_description, readable
from caption_service.model.decoding import Decoding
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import Vocabulary
from shared.artifacts import ArtifactError, Manifest, write_manifest


def save_captioner(
    folder: Path, manifest: Manifest, *, decoder: Decoder, vocabulary: Vocabulary, decoding: Decoding
) -> Manifest:
    """Write a model artifact: weights in half precision, vocabulary, manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / DECODER_FILE, **stored_weights(decoder))
    vocabulary.write(folder / VOCABULARY_FILE)
    sizes = {
        **manifest.sizes,
        "architecture": name_of(decoder),
        "sight": decoder.sizes.sight,
        "decoder": asdict(decoder.sizes),
        "decoding": asdict(decoding),
    }
    return write_manifest(folder, manifest.model_copy(update={"sizes": sizes}))


def stored_weights(decoder: Decoder) -> dict[str, Any]:
    """Return a decoder's weights by name, as its file keeps them."""
    return {_weight_name(variable.path): np.asarray(variable).astype(np.float16) for variable in decoder.weights}


def load_decoder(folder: Path, manifest: Manifest) -> tuple[Decoder, Vocabulary, Decoding]:
    """Read the decoder of a model artifact whose manifest has been read, its words, and how it is searched.

    Raises:
        ArtifactError: its parts do not fit each other.
    """
    described = read_description(folder, manifest)
    try:
        decoder = build_by_name(described.architecture, described.sizes)
    except (UnknownArchitecture, TypeError) as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from error
    readable(folder / DECODER_FILE, lambda file: _fill(decoder, file))
    return decoder, described.vocabulary, described.decoding


def _fill(decoder: Decoder, file: Path) -> None:
    with np.load(file, allow_pickle=False) as stored:
        for variable in decoder.weights:
            name = _weight_name(variable.path)
            if name not in stored or stored[name].shape != tuple(variable.shape):
                raise ArtifactError(f"{file} has no {name} of the shape that its manifest tells")
            variable.assign(stored[name].astype(np.float32))


def _weight_name(path: str) -> str:
    """Return a variable's path without the model's own name, which Keras may number."""
    return path.partition("/")[2]
