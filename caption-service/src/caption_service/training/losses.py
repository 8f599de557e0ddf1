"""What a decoder is taught by: the loss of true sentences, and the wish to look everywhere once."""

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
