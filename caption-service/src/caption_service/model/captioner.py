"""From pictures to sentences: encoder, decoder and beam search as one thing that can be loaded and asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.beam import Floats, Ids, Sentence, beam_search
from caption_service.model.decoder import AttentionDecoder, DecoderSizes, State, Tensor, build_decoder
from caption_service.model.encoder import Encoder
from caption_service.model.preprocessing import INPUT_SIDE_PX
from caption_service.model.vocabulary import Vocabulary
from shared.artifacts import ArtifactError, Manifest, read_manifest, write_manifest

ENCODER_FILE = "encoder.npz"
DECODER_FILE = "decoder.npz"
VOCABULARY_FILE = "vocabulary.json"


@dataclass(frozen=True)
class Decoding:
    """How sentences are searched for; chosen on dev and kept with the weights."""

    beams: int = 3
    longest: int = 20
    length_power: float = 0.7


@dataclass(frozen=True)
class Caption:
    """One sentence about an image, and the geometric mean of its words' probabilities."""

    sentence: str
    confidence: float


class Speaker:
    """Finds sentences for feature maps with one decoder."""

    def __init__(self, decoder: AttentionDecoder, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        maps = tf.TensorSpec((None, decoder.sizes.grid_side**2, decoder.sizes.feature_size), tf.float32)
        self._begin = tf.function(decoder.begin, input_signature=[maps])
        self._next = tf.function(_next_words_of(decoder), reduce_retracing=True)

    def describe(self, maps: npt.NDArray[np.floating], decoding: Decoding) -> list[list[Caption]]:
        """Return each image's captions, best first; no two say the same.

        Args:
            maps: Feature maps, (images, cells, feature_size).
            decoding: How to search.
        """
        features, keys, state = self._begin(tf.constant(np.repeat(maps.astype(np.float32), decoding.beams, axis=0)))

        def next_words(last: Ids, origin: Ids) -> Floats:
            nonlocal state
            log_probabilities, state = self._next(tf.constant(last), tf.constant(origin), state, features, keys)
            scores: Floats = log_probabilities.numpy()
            return scores

        found = beam_search(next_words, images=len(maps), **asdict(decoding))
        return [[self._caption(sentence) for sentence in sentences] for sentences in found]

    def _caption(self, sentence: Sentence) -> Caption:
        return Caption(self._vocabulary.sentence(sentence.token_ids), sentence.word_probability)


class Captioner:
    """A loaded model: what the service asks, and what evaluation measures."""

    def __init__(self, manifest: Manifest, encoder: Encoder, speaker: Speaker, decoding: Decoding) -> None:
        self.manifest = manifest
        self._encoder = encoder
        self._speaker = speaker
        self._decoding = decoding

    @classmethod
    def load(cls, folder: Path, *, encoder_folder: Path) -> Captioner:
        """Load and check a model artifact and the encoder it was trained on.

        Raises:
            ArtifactError: one of the two is broken, or they do not belong together.
        """
        encoder_manifest = read_manifest(encoder_folder, kind="encoder")
        manifest = read_manifest(folder, kind="captioner")
        encoder_sha256 = encoder_manifest.files.get(ENCODER_FILE)
        if manifest.sizes.get("encoder_sha256") != encoder_sha256:
            raise ArtifactError(f"{folder} was trained on another encoder than {encoder_folder}")
        decoder, vocabulary, decoding = load_decoder(folder, manifest)
        encoder = Encoder(encoder_folder / ENCODER_FILE, grid_side=decoder.sizes.grid_side)
        return cls(manifest, encoder, Speaker(decoder, vocabulary), decoding)

    def describe(self, images: npt.NDArray[np.uint8]) -> list[list[Caption]]:
        """Return each image's captions, best first.

        Args:
            images: RGB, uint8, (images, 224, 224, 3), as `read_image` gives them.
        """
        return self._speaker.describe(self._encoder.encode(images), self._decoding)

    def warm(self) -> None:
        """Run once, so that the first person does not wait for graphs to be traced."""
        self.describe(np.zeros((1, INPUT_SIDE_PX, INPUT_SIDE_PX, 3), np.uint8))


def save_captioner(
    folder: Path, manifest: Manifest, *, decoder: AttentionDecoder, vocabulary: Vocabulary, decoding: Decoding
) -> Manifest:
    """Write a model artifact: weights in half precision, vocabulary, manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Any] = {
        _weight_name(variable.path): np.asarray(variable).astype(np.float16) for variable in decoder.weights
    }
    np.savez(folder / DECODER_FILE, **weights)
    vocabulary.write(folder / VOCABULARY_FILE)
    sizes = {**manifest.sizes, "decoder": asdict(decoder.sizes), "decoding": asdict(decoding)}
    return write_manifest(folder, manifest.model_copy(update={"sizes": sizes}))


def load_decoder(folder: Path, manifest: Manifest) -> tuple[AttentionDecoder, Vocabulary, Decoding]:
    """Read the decoder of a model artifact whose manifest has been read, its words, and how it is searched.

    Raises:
        ArtifactError: its parts do not fit each other.
    """
    try:
        sizes = DecoderSizes(**manifest.sizes["decoder"])
        decoding = Decoding(**manifest.sizes["decoding"])
        vocabulary = Vocabulary.read(folder / VOCABULARY_FILE)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ArtifactError(f"{folder} cannot be read: {error}") from error
    if len(vocabulary) != sizes.vocabulary_size:
        raise ArtifactError(
            f"{folder} has {len(vocabulary)} words, but its decoder was made for {sizes.vocabulary_size}"
        )
    decoder = build_decoder(sizes)
    with np.load(folder / DECODER_FILE, allow_pickle=False) as stored:
        for variable in decoder.weights:
            name = _weight_name(variable.path)
            if name not in stored or stored[name].shape != tuple(variable.shape):
                raise ArtifactError(f"{folder / DECODER_FILE} has no {name} of the shape that its manifest tells")
            variable.assign(stored[name].astype(np.float32))
    return decoder, vocabulary, decoding


def _weight_name(path: str) -> str:
    """Return a variable's path without the model's own name, which Keras may number."""
    return path.partition("/")[2]


def _next_words_of(decoder: AttentionDecoder):  # type: ignore[no-untyped-def]  # TensorFlow carries no types
    def next_words(last: Tensor, origin: Tensor, state: State, features: Tensor, keys: Tensor) -> tuple[Tensor, State]:
        grown = (tf.gather(state[0], origin), tf.gather(state[1], origin))
        thought, next_state, _ = decoder.step(last, grown, features, keys)
        return tf.nn.log_softmax(decoder.logits(thought)), next_state

    return next_words
