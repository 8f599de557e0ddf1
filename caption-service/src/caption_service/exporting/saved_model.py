"""Eye, voice and beam search joined to one graph, from pixels to sentences, and written as a SavedModel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from caption_service.model.artifact import ENCODER_FILE, load_calibration
from caption_service.model.beam import Group
from caption_service.model.confidence import Calibration
from caption_service.model.decoding import Decoding
from caption_service.model.encoder import Encoder
from caption_service.model.graph_beam import search
from caption_service.model.preprocessing import INPUT_SIDE_PX
from caption_service.model.saving import load_decoder
from caption_service.model.sight import FC2, FEATURE_SIZE, MAP_SIDE, REGIONS
from caption_service.model.speech import Decoder, Tensor
from caption_service.model.vocabulary import SPECIAL_TOKENS, Vocabulary
from shared.artifacts import ArtifactError, read_manifest
from shared.model_repository import ExportedTensor, ExportRefused

INPUTS = (ExportedTensor("pixels", "TYPE_UINT8", (INPUT_SIDE_PX, INPUT_SIDE_PX, 3)),)
CHANNEL_MEANS_BGR = (103.939, 116.779, 123.68)


class ExportedCaptioner(tf.Module):
    """What is written: all weights and the one signature.

    It gives the captions of the plain beam, whose best one is the service's best; the service's alternatives come from
    diverse beams and are not in the graph.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        vocabulary: Vocabulary,
        decoding: Decoding,
        calibration: Calibration | None,
    ) -> None:
        super().__init__(name="captioner")
        self._eye = encoder.network
        self._decoder = decoder
        self._words = tf.constant(["" if token in SPECIAL_TOKENS else token for token in vocabulary.tokens])
        self._decoding = decoding
        self._calibration = calibration

    @property
    def outputs(self) -> tuple[ExportedTensor, ...]:
        """What the signature gives."""
        beams, longest = self._decoding.beams, self._decoding.longest
        return (
            ExportedTensor("captions", "TYPE_STRING", (beams,)),
            ExportedTensor("confidences", "TYPE_FP32", (beams,)),
            ExportedTensor("log_probabilities", "TYPE_FP32", (beams,)),
            ExportedTensor("token_ids", "TYPE_INT32", (beams, longest)),
        )

    def write(self, folder: Path) -> None:
        """Write the SavedModel."""
        pixels = tf.TensorSpec((None, INPUT_SIDE_PX, INPUT_SIDE_PX, 3), tf.uint8, name="pixels")
        signature = tf.function(self.describe).get_concrete_function(pixels)
        tf.saved_model.save(self, str(folder), signatures={"serving_default": signature})

    def describe(self, pixels: Tensor) -> Mapping[str, Tensor]:
        """Return each picture's captions, best first.

        Args:
            pixels: RGB, uint8, (images, 224, 224, 3), squashed as `preprocessing.read_image` does.
        """
        prepared = tf.cast(pixels[..., ::-1], tf.float32) - tf.constant(CHANNEL_MEANS_BGR)
        (found,) = search(
            self._decoder,
            see(self._eye(prepared), self._decoder.sizes.sight),
            groups=[Group(self._decoding.beams)],
            longest=self._decoding.longest,
            length_power=self._decoding.length_power,
        )
        said = tf.strings.reduce_join(tf.gather(self._words, found.token_ids), axis=-1, separator=" ")
        mean = found.log_probabilities / tf.cast(found.lengths + 1, tf.float32)
        return {
            "captions": tf.strings.strip(said),
            "confidences": self._confidence(mean),
            "log_probabilities": found.log_probabilities,
            "token_ids": found.token_ids,
        }

    def _confidence(self, word_log_probability: Tensor) -> Tensor:
        if self._calibration is None:
            return tf.exp(word_log_probability)
        return tf.sigmoid(self._calibration.intercept + self._calibration.slope * word_log_probability)


def load_for_export(folder: Path, encoder_folder: Path) -> ExportedCaptioner:
    """Read a caption model and its encoder.

    Raises:
        ArtifactError: one of them is broken, or they do not belong together.
        ExportRefused: the model looks through VGG16's dense layers, which are not exported.
    """
    manifest = read_manifest(folder, kind="captioner")
    decoder, vocabulary, decoding = load_decoder(folder, manifest)
    if decoder.sizes.sight == FC2:
        raise ExportRefused(f"{folder} sees with fc2, whose 400 MB are not exported: train it on regions")
    encoder_manifest = read_manifest(encoder_folder, kind="encoder")
    if manifest.sizes.get("encoder_sha256") != encoder_manifest.files.get(ENCODER_FILE):
        raise ArtifactError(f"{folder} was trained on another encoder than {encoder_folder}")
    return ExportedCaptioner(
        Encoder(encoder_folder / ENCODER_FILE), decoder, vocabulary, decoding, load_calibration(folder, manifest)
    )


def see(maps: Tensor, sight: str) -> Tensor:
    """Return what `model.sight.see` returns, of maps (images, 14, 14, 512)."""
    if sight == "map7":
        maps = tf.nn.max_pool2d(maps, 2, 2, "VALID")
    if sight == REGIONS:
        return _pool_regions(maps)
    return tf.reshape(maps, [-1, maps.shape[1] * maps.shape[2], FEATURE_SIZE])


def _pool_regions(maps: Tensor) -> Tensor:
    quadrants = tf.nn.avg_pool2d(maps, MAP_SIDE // 2, MAP_SIDE // 2, "VALID")  # (images, 2, 2, 512)
    halves = tf.reduce_mean(quadrants, axis=2)  # (images, 2, 512)
    parts = [
        tf.reduce_mean(halves, axis=1, keepdims=True),
        tf.reduce_max(maps, axis=(1, 2))[:, None],
        halves,
        tf.reshape(quadrants, [-1, 4, FEATURE_SIZE]),
    ]
    return tf.reshape(tf.concat(parts, axis=1), [-1, 8 * FEATURE_SIZE])
