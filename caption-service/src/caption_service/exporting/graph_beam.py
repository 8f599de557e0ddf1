"""The plain beam search as one TensorFlow graph, so that a server can run it that knows no Python.

It finds what `model.beam` finds with one group: the same sums, kept in tensors. A test compares both.
"""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from caption_service.model.beam import NEVER
from caption_service.model.speaker import Decoding
from caption_service.model.speech import Decoder, Memory, Tensor
from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID


@dataclass(frozen=True)
class Found:
    """The best sentences of each image, best first."""

    token_ids: Tensor
    """int32, (images, beams, longest), filled up with the padding's id."""
    log_probabilities: Tensor
    """float32, (images, beams), the end token's included; minus infinity where fewer were found."""
    lengths: Tensor
    """int32, (images, beams), without the end token."""


def search(decoder: Decoder, seen: Tensor, decoding: Decoding) -> Found:
    """Return what the plain beam finds.

    Args:
        decoder: Scores next words.
        seen: What the decoder's sight gives, float32, (images, ...).
        decoding: Its groups beside the plain beam are left out.
    """
    beams, longest, power = decoding.beams, decoding.longest, decoding.length_power
    images = tf.shape(seen)[0]
    words = decoder.sizes.vocabulary_size
    never = tf.reduce_sum(tf.one_hot(NEVER, words, on_value=-float("inf"), off_value=0.0), axis=0)
    no_end = tf.one_hot(END_ID, words, on_value=-float("inf"), off_value=0.0)
    nothing = tf.fill([images, beams], -float("inf"))
    no_words = tf.fill([images, beams, longest], PADDING_ID)

    memory, state = decoder.begin(tf.repeat(seen, beams, axis=0))
    hidden, cell = state
    scores = tf.concat([tf.zeros([images, 1]), nothing[:, 1:]], axis=1)  # at first all are one empty beginning
    last = tf.fill([images * beams], START_ID)
    said, best, best_scores, best_words, best_lengths = (
        no_words,
        nothing,
        nothing,
        no_words,
        tf.zeros_like(nothing, tf.int32),
    )

    for length in range(longest + 1):
        log_probabilities, (hidden, cell) = _next_words(decoder, last, (hidden, cell), memory)
        spoken = tf.reshape(log_probabilities, [images, beams, words]) + never  # (images, beams, words)
        if length:
            ended = scores + spoken[:, :, END_ID]
            best, best_scores, best_words, best_lengths = _kept(
                [best, ended],
                [best_scores, ended / (length + 1) ** power],
                [best_words, said],
                [best_lengths, tf.fill([images, beams], length)],
                beams,
            )
        if length == longest:
            break
        candidates = tf.reshape(scores[:, :, None] + spoken + no_end, [images, beams * words])
        scores, chosen = tf.math.top_k(candidates, beams)
        origin, word = chosen // words, chosen % words  # (images, beams)
        said = tf.gather(said, origin, batch_dims=1)
        said = tf.concat([said[:, :, :length], word[:, :, None], said[:, :, length + 1 :]], axis=2)
        rows = tf.reshape(origin + tf.range(images)[:, None] * beams, [-1])
        hidden, cell = tf.gather(hidden, rows), tf.gather(cell, rows)
        last = tf.reshape(word, [-1])
    return Found(best_words, best, best_lengths)


def _next_words(
    decoder: Decoder, last: Tensor, state: tuple[Tensor, Tensor], memory: Memory
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    thought, next_state, _ = decoder.step(last, state, memory)
    return tf.nn.log_softmax(decoder.logits(thought)), next_state


def _kept(
    log_probabilities: list[Tensor], scores: list[Tensor], words: list[Tensor], lengths: list[Tensor], beams: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the best of the sentences that had ended before and those that end now, by score."""
    kept_scores, at = tf.math.top_k(tf.concat(scores, axis=1), beams)
    rest = (tf.gather(tf.concat(parts, axis=1), at, batch_dims=1) for parts in (log_probabilities, words, lengths))
    kept_log_probabilities, kept_words, kept_lengths = rest
    return kept_log_probabilities, kept_scores, kept_words, kept_lengths
