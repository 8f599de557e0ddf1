"""The beam search in the graph finds what the one in Python finds, word for word."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from caption_service.exporting.saved_model import see as see_in_graph
from caption_service.model.architectures import MERGE, build_by_name
from caption_service.model.beam import beam_search
from caption_service.model.decoder_sizes import ATTENTION
from caption_service.model.decoding import Decoding
from caption_service.model.graph_beam import search
from caption_service.model.sight import see
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
@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(beams=1, longest=3, other_groups=0),
        Decoding(beams=3, longest=6, length_power=0.7, other_groups=0),
        Decoding(beams=3, longest=6, length_power=0.7, other_groups=2, other_beams=2, diversity=1.5),
        # Where the plain beams have been given up, words that none of them says are not avoided.
        Decoding(beams=6, longest=14, length_power=0.7, other_groups=2, other_beams=2, diversity=3.0),
    ],
)
def test_both_searches_find_the_same_sentences(architecture: str, decoding: Decoding) -> None:
    decoder = _decoder(architecture)
    seen = np.random.default_rng(5).normal(size=(24, *decoder.sizes.seen_shape)).astype(np.float32)
    how = {"groups": decoding.groups, "longest": decoding.longest, "length_power": decoding.length_power}
    found = tf.function(lambda seen: [vars(each) for each in search(decoder, seen, **how)])(tf.constant(seen))
    memory, state = decoder.begin(tf.constant(seen))

    def next_words(last: np.ndarray, origin: np.ndarray) -> np.ndarray:
        nonlocal memory, state
        memory, grown = ([tf.gather(part, origin) for part in parts] for parts in (memory, state))
        thought, state, _ = decoder.step(tf.constant(last), tuple(grown), tuple(memory))
        return tf.nn.log_softmax(decoder.logits(thought)).numpy()

    lengths = set()
    for image, of_groups in enumerate(beam_search(next_words, images=len(seen), **how)):
        for group, sentences in enumerate(of_groups):
            assert sentences
            for place, sentence in enumerate(sentences):
                length = int(found[group]["lengths"][image, place])
                lengths.add(length)
                words = found[group]["token_ids"][image, place].numpy()
                assert tuple(words[:length]) == sentence.token_ids
                assert not words[length:].any()
                log_probability = float(found[group]["log_probabilities"][image, place])
                assert log_probability == pytest.approx(sentence.log_probability, abs=1e-4)
    assert lengths - {0}


def test_what_is_found_does_not_depend_on_the_other_images() -> None:
    decoder, decoding = _decoder(ATTENTION), Decoding(beams=3, longest=8)
    seen = np.random.default_rng(6).normal(size=(8, *decoder.sizes.seen_shape)).astype(np.float32)
    how = {"groups": decoding.groups, "longest": decoding.longest, "length_power": decoding.length_power}
    together = search(decoder, tf.constant(seen), **how)
    for image in range(len(seen)):
        alone = search(decoder, tf.constant(seen[image : image + 1]), **how)
        assert alone[0].token_ids[0, 0].numpy().tolist() == together[0].token_ids[image, 0].numpy().tolist()
        for one, other in zip(alone[1:], together[1:], strict=True):
            np.testing.assert_array_equal(one.token_ids[0], other.token_ids[image])


@pytest.mark.parametrize("sight", ["map14", "map7", "regions"])
def test_the_graph_sees_what_serving_sees(sight: str) -> None:
    maps = np.random.default_rng(1).random((2, 14, 14, 512), np.float32)
    np.testing.assert_allclose(see_in_graph(tf.constant(maps), sight), see(maps.reshape(2, 196, 512), sight), rtol=1e-5)
