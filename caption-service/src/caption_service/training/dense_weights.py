"""Fetch the weights file of the full VGG16, when a person asks for it: 553 MB from Keras' own address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras

from caption_service.model.sight import DenseWeightsError

FILE_NAME = "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
ADDRESS = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{FILE_NAME}"
MD5 = "64373286793e3c8b2b4e3219cbf3544b"
"""As Keras itself checks it."""


def download_dense_weights(fetch: Callable[..., str] = keras.utils.get_file) -> Path:
    """Return Keras' copy of the file in `~/.keras/models`, downloaded when it is not there yet.

    Args:
        fetch: Downloads, checks and keeps a file, as `keras.utils.get_file` does.

    Raises:
        DenseWeightsError: it could not be downloaded.
    """
    try:
        return Path(fetch(FILE_NAME, ADDRESS, cache_subdir="models", file_hash=MD5))
    except Exception as error:  # Keras raises a plain Exception when the network fails
        raise DenseWeightsError(f"{ADDRESS} could not be downloaded: {error}") from error
