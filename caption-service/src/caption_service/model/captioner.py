"""From pictures to sentences: encoder, decoder and beam search as one thing that can be loaded and asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caption_service.model import processor
from caption_service.model.artifact import (
    DECODER_FILE,
    ENCODER_FILE,
    Described,
    load_calibration,
    load_dense_layers,
    read_description,
    readable,
)
from caption_service.model.backends import Backend, Computing, Eye
from caption_service.model.decoder_sizes import ATTENTION, DecoderSizes
from caption_service.model.decoding import Decoding
from caption_service.model.description import Description, Look, whole_map
from caption_service.model.embedding import EMBEDDING_FILE, Projection, encoder_identity
from caption_service.model.preprocessing import INPUT_SIDE_PX
from caption_service.model.sight import FC2, DenseLayers, see
from caption_service.model.speaker import Caption, Speaker, Voice
from shared.artifacts import ArtifactError, Manifest, read_manifest
from shared.compute_lock import ComputeLock


class Captioner:
    """A loaded model: what the service asks, and what evaluation measures."""

    def __init__(
        self,
        manifest: Manifest,
        encoder: Eye,
        speaker: Speaker,
        decoding: Decoding,
        *,
        sight: str,
        dense: DenseLayers | None = None,
        projection: Projection | None = None,
        embedding_encoder: str = "",
        compute_lock: ComputeLock | None = None,
    ) -> None:
        self.manifest = manifest
        self._encoder = encoder
        self._speaker = speaker
        self._decoding = decoding
        self._sight = sight
        self._dense = dense
        self._projection = projection
        self.embedding_encoder = embedding_encoder
        self._compute_lock = compute_lock or ComputeLock()

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        encoder_folder: Path,
        vgg16_weights: Path | None = None,
        computing: Computing = Computing(),  # noqa: B008  # frozen
        compute_lock: ComputeLock | None = None,
    ) -> Captioner:
        """Load and check a model artifact and the encoder it was trained on.

        Args:
            folder: The model.
            encoder_folder: The encoder; with a projection in it the captioner also gives embeddings.
            vgg16_weights: Keras' file of the full VGG16; only a model that was trained on fc2 needs it.
            computing: How the encoder is computed; see `backends.choose`.
            compute_lock: Held while it is computed.

        Raises:
            ArtifactError: one of them is broken or missing, or they do not belong together.
        """
        encoder_manifest = read_manifest(encoder_folder, kind="encoder")
        manifest = read_manifest(folder, kind="captioner")
        encoder_sha256 = encoder_manifest.files.get(ENCODER_FILE)
        if manifest.sizes.get("encoder_sha256") != encoder_sha256:
            raise ArtifactError(f"{folder} was trained on another encoder than {encoder_folder}")
        described = read_description(folder, manifest)
        voice = _voice(folder, manifest, described, computing)
        dense = load_dense_layers(folder, manifest, vgg16_weights) if described.sight == FC2 else None
        projection = None
        if EMBEDDING_FILE in encoder_manifest.files:
            projection = readable(encoder_folder / EMBEDDING_FILE, Projection.read)
        encoder = readable(encoder_folder / ENCODER_FILE, computing.eye)
        speaker = Speaker(voice, described.vocabulary, load_calibration(folder, manifest))
        return cls(
            manifest,
            encoder,
            speaker,
            described.decoding,
            sight=described.sight,
            dense=dense,
            projection=projection,
            embedding_encoder=encoder_identity(encoder_manifest, (ENCODER_FILE, EMBEDDING_FILE)),
            compute_lock=compute_lock,
        )

    @property
    def dtype(self) -> str:
        """What the encoder computes in."""
        return self._encoder.dtype

    @property
    def backend(self) -> Backend:
        """What computes the encoder."""
        return self._encoder.backend

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
        return self._speaker.describe(self._see(self._maps(images)), self._decoding)

    def describe_fully(
        self, images: npt.NDArray[np.uint8], *, embedding: Sequence[bool], attention: Sequence[bool]
    ) -> list[Description]:
        """Return each image's captions and what else is asked of it; encoder and decoder run once for all.

        Args:
            images: RGB, uint8, (images, 224, 224, 3).
            embedding: Of which images the embedding is wanted.
            attention: Of which images to tell where the decoder looks for each word of the best caption.

        Raises:
            ValueError: the encoder has no projection, or the architecture does not attend.
            MemoryError: they are too many.
        """
        if any(embedding) and self._projection is None:
            raise ValueError("the encoder has no projection")
        maps = self._maps(images)
        seen = self._see(maps)
        captions = self._speaker.describe(seen, self._decoding)
        embedded = self._projection.embed(maps) if self._projection and any(embedding) else None
        return [
            Description(
                captions[at],
                embedded[at] if embedded is not None and embedding[at] else None,
                self._looks(seen[at], captions[at][0]) if attention[at] else None,
            )
            for at in range(len(images))
        ]

    def warm(self, sizes: Sequence[int] = (1,)) -> None:
        """Run once with each number of images, so that the first person does not wait for graphs to be traced."""
        for images in sizes:
            self.describe(np.zeros((images, INPUT_SIDE_PX, INPUT_SIDE_PX, 3), np.uint8))

    def _maps(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the encoder's maps, (images, 196, 512)."""
        with self._compute_lock.held():
            return self._encoder.encode(images)

    def _looks(self, seen: npt.NDArray[np.floating[Any]], caption: Caption) -> list[Look]:
        return [Look(word, whole_map(weights)) for word, weights in self._speaker.attend(seen, caption.sentence)]

    def _see(self, maps: npt.NDArray[np.float32]) -> npt.NDArray[np.floating[Any]]:
        return see(maps, self._sight, dense=self._dense)


def _voice(folder: Path, manifest: Manifest, described: Described, computing: Computing) -> Voice:
    """Return the decoder: without TensorFlow where another library computes the encoder and the architecture allows."""
    if computing.backend == "tensorflow" or described.architecture != ATTENTION:
        try:
            from caption_service.model.graph_voice import GraphVoice  # noqa: PLC0415 - loads TensorFlow
            from caption_service.model.saving import load_decoder  # noqa: PLC0415
        except ImportError as error:
            raise ArtifactError(f"{folder} needs TensorFlow ({error}); `make setup` installs it") from error
        processor.set_threads()
        return GraphVoice(load_decoder(folder, manifest)[0])
    from caption_service.model.numpy_voice import NumpyVoice  # noqa: PLC0415 - not needed with TensorFlow

    try:
        sizes = DecoderSizes(**described.sizes)
    except TypeError as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from error
    return readable(folder / DECODER_FILE, lambda file: NumpyVoice.read(file, sizes))
