"""The beam search in the exported graph finds what the one in serving finds."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from caption_service.exporting.graph_beam import search
from caption_service.exporting.saved_model import see as see_in_graph
from caption_service.model.architectures import ATTENTION, MERGE, build_by_name
from caption_service.model.beam import Group, beam_search
from caption_service.model.sight import see
from caption_service.model.speaker import Decoding
from caption_service.model.speech import Decoder

SIZES = {
    ATTENTION: {
        "vocabulary_size": 12, "grid_side": 2, "feature_rms": 1.0, "feature_size": 5, "embedding_size": 6,
        "lstm_size": 8, "attention_size": 4,
    },
    MERGE: {
        "vocabulary_size": 12, "sight": "regions", "feature_rms": 1.0, "vector_size": 7, "embedding_size": 6,
        "lstm_size": 8,
    },
}  # fmt: skip


def _decoder(architecture: str) -> Decoder:
    """Return a toy decoder of large random weights, so that its words are not all alike."""
    keras.utils.set_random_seed(7)
    decoder = build_by_name(architecture, SIZES[architecture])
    rng = np.random.default_rng(3)
    decoder.set_weights([rng.normal(0, 0.9, each.shape) for each in decoder.get_weights()])
    return decoder


@pytest.mark.parametrize("architecture", [ATTENTION, MERGE])
@pytest.mark.parametrize("decoding", [Decoding(beams=1, longest=3), Decoding(beams=3, longest=6, length_power=0.7)])
def test_both_searches_find_the_same_sentences(architecture: str, decoding: Decoding) -> None:
    decoder = _decoder(architecture)
    seen = np.random.default_rng(5).normal(size=(4, *decoder.sizes.seen_shape)).astype(np.float32)
    found = search(decoder, tf.constant(seen), decoding)
    memory, state = decoder.begin(tf.constant(np.repeat(seen, decoding.beams, axis=0)))

    def next_words(last: np.ndarray, origin: np.ndarray) -> np.ndarray:
        nonlocal state
        grown = (tf.gather(state[0], origin), tf.gather(state[1], origin))
        thought, state, _ = decoder.step(tf.constant(last), grown, memory)
        return tf.nn.log_softmax(decoder.logits(thought)).numpy()

    expected = beam_search(
        next_words,
        images=len(seen),
        groups=[Group(decoding.beams)],
        longest=decoding.longest,
        length_power=decoding.length_power,
    )
    lengths = set()
    for image, (sentences,) in enumerate(expected):
        for place, sentence in enumerate(sentences):
            length = int(found.lengths[image, place])
            lengths.add(length)
            assert tuple(found.token_ids[image, place, :length].numpy()) == sentence.token_ids
            assert not found.token_ids[image, place, length:].numpy().any()
            assert float(found.log_probabilities[image, place]) == pytest.approx(sentence.log_probability, abs=1e-4)
    assert lengths - {0}


@pytest.mark.parametrize("sight", ["map14", "map7", "regions"])
def test_the_graph_sees_what_serving_sees(sight: str) -> None:
    maps = np.random.default_rng(1).random((2, 14, 14, 512), np.float32)
    np.testing.assert_allclose(see_in_graph(tf.constant(maps), sight), see(maps.reshape(2, 196, 512), sight), rtol=1e-5)
