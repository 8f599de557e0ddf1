"""Write a caption model to a folder and read its parts back: weights and words, nothing pickled.

Weights are stored in half precision. A folder that is incomplete, changed or made for something else is refused in one
sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from caption_service.model.architectures import ATTENTION, UnknownArchitecture, build_by_name, name_of
from caption_service.model.confidence import Calibration
from caption_service.model.sight import DenseLayers, DenseWeightsError
from caption_service.model.speaker import Decoding
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import Vocabulary
from shared.artifacts import ArtifactError, Manifest, file_sha256, write_manifest

ENCODER_FILE = "encoder.npz"
DECODER_FILE = "decoder.npz"
VOCABULARY_FILE = "vocabulary.json"
CALIBRATION = "calibration"
"""Where a manifest's sizes keep the calibration."""

Loaded = TypeVar("Loaded")


def save_captioner(
    folder: Path, manifest: Manifest, *, decoder: Decoder, vocabulary: Vocabulary, decoding: Decoding
) -> Manifest:
    """Write a model artifact: weights in half precision, vocabulary, manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Any] = {
        _weight_name(variable.path): np.asarray(variable).astype(np.float16) for variable in decoder.weights
    }
    np.savez(folder / DECODER_FILE, **weights)
    vocabulary.write(folder / VOCABULARY_FILE)
    sizes = {
        **manifest.sizes,
        "architecture": name_of(decoder),
        "sight": decoder.sizes.sight,
        "decoder": asdict(decoder.sizes),
        "decoding": asdict(decoding),
    }
    return write_manifest(folder, manifest.model_copy(update={"sizes": sizes}))


def load_decoder(folder: Path, manifest: Manifest) -> tuple[Decoder, Vocabulary, Decoding]:
    """Read the decoder of a model artifact whose manifest has been read, its words, and how it is searched.

    A manifest that names no architecture is of the first one, attention.

    Raises:
        ArtifactError: its parts do not fit each other.
    """
    try:
        decoding = Decoding(**manifest.sizes["decoding"])
        words_expected = manifest.sizes["decoder"]["vocabulary_size"]
        vocabulary = Vocabulary.read(folder / VOCABULARY_FILE)
    except KeyError as error:
        raise ArtifactError(f"{folder} cannot be read: its manifest does not tell its {error}") from error
    except (TypeError, ValueError, OSError) as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from error
    if len(vocabulary) != words_expected:
        raise ArtifactError(f"{folder} has {len(vocabulary)} words, but its decoder was made for {words_expected}")
    try:
        decoder = build_by_name(manifest.sizes.get("architecture", ATTENTION), manifest.sizes["decoder"])
    except (UnknownArchitecture, TypeError) as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from error
    readable(folder / DECODER_FILE, lambda file: _fill(decoder, file))
    return decoder, vocabulary, decoding


def load_calibration(folder: Path, manifest: Manifest) -> Calibration | None:
    """Return what turns log-probabilities into confidences; None where nothing was fitted.

    Raises:
        ArtifactError: the manifest tells it in another form.
    """
    told = manifest.sizes.get(CALIBRATION)
    try:
        return Calibration(**told) if told else None
    except TypeError as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from error


def load_dense_layers(folder: Path, manifest: Manifest, vgg16_weights: Path | None) -> DenseLayers:
    """Read VGG16's dense layers for a model that takes fc2.

    Raises:
        ArtifactError: the file is missing, or not the one that the model was trained with.
    """
    needed = f"{folder} takes VGG16's fc2: set CAPTION_VGG16_WEIGHTS or --vgg16-weights to Keras' weights file"
    if vgg16_weights is None or not vgg16_weights.is_file():
        raise ArtifactError(f"{needed}, which is not at {vgg16_weights}" if vgg16_weights else needed)
    if manifest.sizes.get("vgg16_weights_sha256") != file_sha256(vgg16_weights):
        raise ArtifactError(f"{folder} was trained with another weights file of the full VGG16 than {vgg16_weights}")
    try:
        return DenseLayers(vgg16_weights)
    except DenseWeightsError as error:
        raise ArtifactError(str(error)) from error


def readable(file: Path, read: Callable[[Path], Loaded]) -> Loaded:
    """Read a file of an artifact; one sentence where it is missing or holds something else."""
    try:
        return read(file)
    except ArtifactError:
        raise
    except (OSError, ValueError, BadZipFile) as error:
        raise ArtifactError(f"{file} cannot be read: {error}") from error


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
