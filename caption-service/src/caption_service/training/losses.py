"""What a decoder is taught by: true sentences, the wish to look everywhere once, and words without their order."""

from __future__ import annotations

import tensorflow as tf

from caption_service.model.speech import Tensor
from caption_service.model.vocabulary import PADDING_ID


def is_word(next_said: Tensor) -> Tensor:
    """Return 1.0 for words and end tokens, 0.0 for padding, (batch, time)."""
    return tf.cast(next_said != PADDING_ID, tf.float32)


def sentence_losses(logits: Tensor, next_said: Tensor, *, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Return the smoothed loss and the plain cross-entropy, both a mean over words in nats.

    Args:
        logits: (batch, time, vocabulary).
        next_said: What the people said there, int, (batch, time).
        label_smoothing: Share of the truth that is spread over all words, 0 to 1.
    """
    counts = is_word(next_said)
    words = tf.reduce_sum(counts)
    log_probabilities = tf.nn.log_softmax(logits)
    of_truth = tf.gather(log_probabilities, next_said, batch_dims=2)
    cross_entropy = -tf.reduce_sum(of_truth * counts) / words
    of_all = -tf.reduce_sum(tf.reduce_mean(log_probabilities, axis=-1) * counts) / words
    return (1 - label_smoothing) * cross_entropy + label_smoothing * of_all, cross_entropy


def overlooked(attention: Tensor, next_said: Tensor) -> Tensor:
    """Return how far the cells are from being looked at once in a sentence (Xu et al., 2015, section 4.2.1).

    Args:
        attention: Each cell's share at each word, (batch, time, cells).
        next_said: Word ids, (batch, time).
    """
    looks = tf.reduce_sum(attention * is_word(next_said)[:, :, None], axis=1)  # (batch, cells)
    return tf.reduce_mean(tf.square(1.0 - looks))


def seen_as_whole(seen: Tensor, *, rms: float) -> Tensor:
    """Return the mean and the maximum over the cells, (batch, cells, channels) to (batch, 2 * channels).

    Args:
        seen: Feature maps, not negative.
        rms: Root mean square of such maps.
    """
    return tf.concat([3 * tf.reduce_mean(seen, axis=1), tf.reduce_max(seen, axis=1)], axis=-1) / rms


def guess_loss(guessed: Tensor, next_said: Tensor) -> Tensor:
    """Return how badly the words said of each picture were guessed, a sum over words in nats, a mean over pictures.

    Args:
        guessed: A logit for each word of the vocabulary, (batch, vocabulary).
        next_said: Word ids of some captions of each picture, int, (batch * captions, time).
    """
    pictures, words = guessed.shape
    said_in = tf.reduce_max(tf.one_hot(next_said, words), axis=1)  # (batch * captions, vocabulary)
    share = tf.reduce_mean(tf.reshape(said_in, (pictures, -1, words)), axis=1)
    wrong = tf.nn.sigmoid_cross_entropy_with_logits(labels=share, logits=guessed)
    return tf.reduce_mean(tf.reduce_sum(wrong, axis=-1))
