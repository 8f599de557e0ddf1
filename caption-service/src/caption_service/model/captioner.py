"""From pictures to sentences: encoder, decoder and beam search as one thing that can be loaded and asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from caption_service.model.architectures import ATTENTION, UnknownArchitecture, build_by_name, name_of
from caption_service.model.confidence import Calibration
from caption_service.model.description import Description, Look, whole_map
from caption_service.model.embedding import EMBEDDING_FILE, Projection, encoder_identity
from caption_service.model.encoder import Encoder
from caption_service.model.preprocessing import INPUT_SIDE_PX
from caption_service.model.sight import FC2, DenseLayers, DenseWeightsError, see
from caption_service.model.speaker import Caption, Decoding, Speaker
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import Vocabulary
from shared.artifacts import ArtifactError, Manifest, file_sha256, read_manifest, write_manifest

__all__ = ["Caption", "Captioner", "Decoding", "Speaker", "load_decoder", "load_dense_layers", "save_captioner"]

ENCODER_FILE = "encoder.npz"
DECODER_FILE = "decoder.npz"
VOCABULARY_FILE = "vocabulary.json"
CALIBRATION = "calibration"
"""Where a manifest's sizes keep the calibration."""

Loaded = TypeVar("Loaded")


class Captioner:
    """A loaded model: what the service asks, and what evaluation measures."""

    def __init__(
        self,
        manifest: Manifest,
        encoder: Encoder,
        speaker: Speaker,
        decoding: Decoding,
        *,
        sight: str,
        dense: DenseLayers | None = None,
        projection: Projection | None = None,
        embedding_encoder: str = "",
    ) -> None:
        self.manifest = manifest
        self._encoder = encoder
        self._speaker = speaker
        self._decoding = decoding
        self._sight = sight
        self._dense = dense
        self._projection = projection
        self.embedding_encoder = embedding_encoder

    @classmethod
    def load(cls, folder: Path, *, encoder_folder: Path, vgg16_weights: Path | None = None) -> Captioner:
        """Load and check a model artifact and the encoder it was trained on.

        Args:
            folder: The model.
            encoder_folder: The encoder; with a projection in it the captioner also gives embeddings.
            vgg16_weights: Keras' file of the full VGG16; only a model that was trained on fc2 needs it.

        Raises:
            ArtifactError: one of them is broken or missing, or they do not belong together.
        """
        encoder_manifest = read_manifest(encoder_folder, kind="encoder")
        manifest = read_manifest(folder, kind="captioner")
        encoder_sha256 = encoder_manifest.files.get(ENCODER_FILE)
        if manifest.sizes.get("encoder_sha256") != encoder_sha256:
            raise ArtifactError(f"{folder} was trained on another encoder than {encoder_folder}")
        decoder, vocabulary, decoding = load_decoder(folder, manifest)
        dense = load_dense_layers(folder, manifest, vgg16_weights) if decoder.sizes.sight == FC2 else None
        projection = None
        if EMBEDDING_FILE in encoder_manifest.files:
            projection = _readable(encoder_folder / EMBEDDING_FILE, Projection.read)
        encoder = _readable(encoder_folder / ENCODER_FILE, Encoder)
        speaker = Speaker(decoder, vocabulary, load_calibration(folder, manifest))
        return cls(
            manifest,
            encoder,
            speaker,
            decoding,
            sight=decoder.sizes.sight,
            dense=dense,
            projection=projection,
            embedding_encoder=encoder_identity(encoder_manifest, (ENCODER_FILE, EMBEDDING_FILE)),
        )

    @property
    def has_embedding(self) -> bool:
        """Say whether the encoder came with a projection."""
        return self._projection is not None

    @property
    def attends(self) -> bool:
        """Say whether the architecture looks at parts of the picture."""
        return self._sight.startswith("map")

    def describe(self, images: npt.NDArray[np.uint8]) -> list[list[Caption]]:
        """Return each image's captions, best first.

        Args:
            images: RGB, uint8, (images, 224, 224, 3), as `read_image` gives them.
        """
        return self._speaker.describe(self._see(self._encoder.encode(images)), self._decoding)

    def describe_fully(self, image: npt.NDArray[np.uint8], *, embedding: bool, attention: bool) -> Description:
        """Return an image's captions and what else is asked; the encoder runs once for all.

        Args:
            image: RGB, uint8, (224, 224, 3).
            embedding: Whether to embed the image.
            attention: Whether to tell where the decoder looks for each word of the best caption.

        Raises:
            ValueError: the encoder has no projection, or the architecture does not attend.
        """
        maps = self._encoder.encode(image[None])  # (1, 196, 512)
        seen = self._see(maps)
        captions = self._speaker.describe(seen, self._decoding)[0]
        embedded = None
        if embedding:
            if self._projection is None:
                raise ValueError("the encoder has no projection")
            embedded = self._projection.embed(maps)[0]
        looks = None
        if attention:
            attended = self._speaker.attend(seen[0], captions[0].sentence)
            looks = [Look(word, whole_map(weights)) for word, weights in attended]
        return Description(captions, embedded, looks)

    def warm(self) -> None:
        """Run once, so that the first person does not wait for graphs to be traced."""
        self.describe(np.zeros((1, INPUT_SIDE_PX, INPUT_SIDE_PX, 3), np.uint8))

    def _see(self, maps: npt.NDArray[np.float32]) -> npt.NDArray[np.floating[Any]]:
        return see(maps, self._sight, dense=self._dense)


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
    _readable(folder / DECODER_FILE, lambda file: _fill(decoder, file))
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


def _readable(file: Path, read: Callable[[Path], Loaded]) -> Loaded:
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
