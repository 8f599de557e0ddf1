"""Read the parts of a caption model from its folder: weights and words, nothing pickled; `saving` writes them.

A folder that is incomplete, changed or made for something else is refused in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

from caption_service.model.confidence import Calibration
from caption_service.model.decoder_sizes import ATTENTION
from caption_service.model.decoding import Decoding
from caption_service.model.sight import DenseLayers, DenseWeightsError
from caption_service.model.vocabulary import Vocabulary
from shared.artifacts import ArtifactError, Manifest, file_sha256

ENCODER_FILE = "encoder.npz"
DECODER_FILE = "decoder.npz"
VOCABULARY_FILE = "vocabulary.json"
CALIBRATION = "calibration"
"""Where a manifest's sizes keep the calibration."""

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Described:
    """What an artifact says of its decoder."""

    architecture: str
    sizes: dict[str, Any]
    vocabulary: Vocabulary
    decoding: Decoding

    @property
    def sight(self) -> str:
        """What of a picture the decoder is given."""
        return str(self.sizes.get("sight") or f"map{self.sizes.get('grid_side')}")


def read_description(folder: Path, manifest: Manifest) -> Described:
    """Read what a model artifact whose manifest has been read says of its decoder, its words, and how it is searched.

    A manifest that names no architecture is of the first one, attention.

    Raises:
        ArtifactError: its parts do not fit each other.
    """
    try:
        decoding = Decoding(**manifest.sizes["decoding"])
        sizes = manifest.sizes["decoder"]
        words_expected = sizes["vocabulary_size"]
        vocabulary = Vocabulary.read(folder / VOCABULARY_FILE)
    except KeyError as error:
        raise ArtifactError(f"{folder} cannot be read: its manifest does not tell its {error}") from error
    except (TypeError, ValueError, OSError) as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from error
    if len(vocabulary) != words_expected:
        raise ArtifactError(f"{folder} has {len(vocabulary)} words, but its decoder was made for {words_expected}")
    return Described(manifest.sizes.get("architecture", ATTENTION), sizes, vocabulary, decoding)


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
