"""Beam search as one TensorFlow graph: all words, beams, groups and images in one call, with no Python between words.

It finds what `model.beam` finds, by the same sums kept in tensors; a test compares both. It ends when no beginning of
any image is worth going on with. The exported model runs it, and serving where TensorFlow computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from caption_service.model.beam import LOOK_AHEAD, NEVER, Group
from caption_service.model.speech import Decoder, Tensor
from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID

_NO = -float("inf")


@dataclass(frozen=True)
class Found:
    """The best sentences of each image by one group, best first, as many as are wanted."""

    token_ids: Tensor
    """int32, (images, sentences, longest), filled up with the padding's id."""
    log_probabilities: Tensor
    """float32, (images, sentences), the end token's included; minus infinity where fewer were found."""
    lengths: Tensor
    """int32, (images, sentences), without the end token."""


def search(
    decoder: Decoder, seen: Tensor, *, groups: Sequence[Group], longest: int, length_power: float
) -> list[Found]:
    """Return what each group finds; arguments as of `beam.beam_search`.

    Args:
        decoder: Scores next words.
        seen: What the decoder's sight gives, float32, (images, ...).
        groups: The first one is a plain beam search; each other one avoids the words of those before it.
        longest: Most words in a sentence.
        length_power: 0 compares sentences by log-probability, 1 by its mean over the words.
    """
    images, rows = tf.shape(seen)[0], sum(group.beams for group in groups)
    words = decoder.sizes.vocabulary_size
    never = tf.reduce_sum(tf.one_hot(NEVER, words, on_value=_NO, off_value=0.0), axis=0)
    no_end = tf.one_hot(END_ID, words, on_value=_NO, off_value=0.0)
    row_offset = tf.range(images)[:, None] * rows

    directions = decoder.word_directions()  # once: transposing it at each word would cost as much as the LSTM
    pictures, beginning = decoder.begin(seen)
    memory = [tf.repeat(part, rows, axis=0) for part in pictures]
    first_state = [tf.repeat(part, rows, axis=0) for part in beginning]
    searches = [_first(group, images, longest) for group in groups]

    def goes_on(length: Tensor, last: Tensor, state: list[Tensor], searches: list[list[Tensor]]) -> Tensor:  # noqa: ARG001
        growing = [tf.reduce_any(tf.math.is_finite(_Search(*each).scores)) for each in searches]
        return (length <= longest) & tf.reduce_any(growing)

    def say(
        length: Tensor, last: Tensor, state: list[Tensor], searches: list[list[Tensor]]
    ) -> tuple[Tensor, Tensor, list[Tensor], list[list[Tensor]]]:
        thought, after, _ = decoder.step(last, tuple(state), tuple(memory))
        log_probabilities = tf.nn.log_softmax(decoder.logits(thought, directions=directions))
        spoken = tf.reshape(log_probabilities, [images, rows, words]) + never  # (images, rows, words)
        spoken += tf.where(length == 0, no_end, 0.0)  # nobody is helped by an empty sentence
        said = tf.zeros([images, 1, words])
        grown, lasts, origins, first_row = [], [], [], 0
        for group, before in zip(groups, (_Search(*each) for each in searches), strict=True):
            own = spoken[:, first_row : first_row + group.beams]
            ended = _ended(before, own[:, :, END_ID], length, length_power)
            candidates = before.scores[:, :, None] + own + no_end  # (images, beams, words)
            wished = candidates - group.diversity * said if group.diversity else candidates
            _, chosen = tf.math.top_k(tf.reshape(wished, [images, group.beams * words]), group.beams)
            origin, word = chosen // words, chosen % words  # (images, beams)
            kept = tf.gather(before.words, origin, batch_dims=1)
            now = tf.where(tf.range(longest) == length, word[:, :, None], kept)  # (images, beams, longest)
            scores = tf.gather(tf.reshape(candidates, [images, group.beams * words]), chosen, batch_dims=1)
            most_words = tf.minimum(longest, length + 1 + LOOK_AHEAD)
            best_possible = scores / tf.cast(most_words + 1, tf.float32) ** length_power
            to_beat = ended[2][:, group.most - 1]
            grown.append([now, tf.where(best_possible <= to_beat[:, None], _NO, scores), *ended])
            says = tf.cast(tf.math.is_finite(scores), tf.float32)  # those that were given up say nothing
            said += tf.reduce_sum(tf.one_hot(word, words) * says[:, :, None], axis=1, keepdims=True)
            lasts.append(word)
            origins.append(origin + first_row + row_offset)
            first_row += group.beams
        at = tf.reshape(tf.concat(origins, axis=1), [-1])
        state = [tf.gather(part, at) for part in after]
        return length + 1, tf.reshape(tf.concat(lasts, axis=1), [-1]), state, grown

    first = (tf.constant(0), tf.fill([images * rows], START_ID), first_state, searches)
    _, _, _, ends = tf.while_loop(goes_on, say, first, shape_invariants=_shapes(first), parallel_iterations=1)
    return [
        Found(each.best_words[:, : group.most], each.best[:, : group.most], each.best_lengths[:, : group.most])
        for group, each in zip(groups, (_Search(*end) for end in ends), strict=True)
    ]


@dataclass(frozen=True)
class _Search:
    """One group's beginnings, and the best of its sentences that ended; the fields are the loop's variables."""

    words: Tensor
    """(images, beams, longest)."""
    scores: Tensor
    """(images, beams), log-probabilities, as all below."""
    best_words: Tensor
    best: Tensor
    best_scores: Tensor
    """Divided by the power of the length."""
    best_lengths: Tensor


def _first(group: Group, images: Tensor, longest: int) -> list[Tensor]:
    nothing = tf.fill([images, group.beams], _NO)
    no_words = tf.fill([images, group.beams, longest], PADDING_ID)
    # At first all beams are the same empty beginning, so only one of them may grow.
    scores = tf.concat([tf.zeros([images, 1]), nothing[:, 1:]], axis=1)
    return [no_words, scores, no_words, nothing, nothing, tf.zeros_like(nothing, tf.int32)]


def _shapes(variables: object) -> object:
    """Let the number of images vary within the loop: TensorFlow does not see that it stays."""
    return tf.nest.map_structure(
        lambda part: tf.TensorShape([None, *part.shape[1:]]) if part.shape.rank else part.shape, variables
    )


def _ended(search: _Search, end: Tensor, length: Tensor, length_power: float) -> list[Tensor]:
    """Return the best of the sentences that had ended before and those that end now, by score."""
    ended = search.scores + end
    scores = ended / tf.cast(length + 1, tf.float32) ** length_power
    best_scores, at = tf.math.top_k(tf.concat([search.best_scores, scores], axis=1), ended.shape[1])
    parts = (
        (search.best_words, search.words),
        (search.best, ended),
        (search.best_lengths, tf.fill(tf.shape(ended), length)),
    )
    best_words, best, best_lengths = (tf.gather(tf.concat(part, axis=1), at, batch_dims=1) for part in parts)
    return [best_words, best, best_scores, best_lengths]
