"""What the models could reach on this machine, measured in one run: the encoder alone, a matrix product, the naive
captions of the student project, OpenVINO.

Everything runs in this process, after the services have ended; each time is a median.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIDE_PX = 224
GFLOP_AN_IMAGE = 30.7
"""Of VGG16's convolutions; source: Simonyan and Zisserman, 2015, configuration D."""
MATRIX_SIDE = 2048
NAIVE_WORDS = 12


def measure_baselines(*, repeats: int, naive: bool) -> dict[str, float]:
    """Return milliseconds an image, and GFLOP/s, by name; OpenVINO's only where it is installed."""
    import tensorflow as tf  # slow to import

    from caption_service.model.encoder import Encoder
    from caption_service.model.processor import fast_dtype
    from caption_service.settings import default_encoder

    weights, dtype = default_encoder() / "encoder.npz", fast_dtype()
    encoder = Encoder(weights, dtype=dtype)
    found = {"peak, GFLOP/s": _peak_gflops(tf, dtype, repeats)}
    for batch in (1, 4, 8):
        found[f"encoder, {batch} together, ms an image"] = _ms(encoder.encode, batch, repeats)
    found |= _openvino_ms(tf, Encoder(weights), dtype, repeats)
    if naive:
        found["naive captions, ms"] = _naive_ms(min(repeats, 5))
    return found


def _ms(encode: Callable[[np.ndarray], object], batch: int, repeats: int) -> float:
    pixels = np.random.default_rng(0).integers(0, 255, (batch, SIDE_PX, SIDE_PX, 3), np.uint8)
    return 1000 * median_s(lambda: encode(pixels), repeats) / batch


def median_s(work: Callable[[], object], repeats: int) -> float:
    """Return the median seconds of a piece of work that has been done once before."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _peak_gflops(tf: Any, dtype: str, repeats: int) -> float:
    matrix = tf.cast(tf.random.normal((MATRIX_SIDE, MATRIX_SIDE)), dtype)
    product = tf.function(lambda a: tf.matmul(a, a))
    product(matrix)
    times = []
    for _ in range(3 * repeats):
        started = time.perf_counter()
        product(matrix).numpy()
        times.append(time.perf_counter() - started)
    return 2 * MATRIX_SIDE**3 / min(times) / 1e9


def _openvino_ms(tf: Any, encoder: Any, dtype: str, repeats: int) -> dict[str, float]:
    try:
        import openvino  # only measured against; `make bench` installs it
    except ImportError:
        return {}
    shape = (None, SIDE_PX, SIDE_PX, 3)
    graph = tf.function(lambda pixels: encoder.network(pixels, training=False)).get_concrete_function(
        tf.TensorSpec(shape, tf.float32)
    )
    model = openvino.convert_model(graph)
    precision = "bf16" if dtype == "bfloat16" else "f32"
    found = {}
    for batch in (1, 8):
        model.reshape([batch, SIDE_PX, SIDE_PX, 3])
        compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        found[f"OpenVINO {precision}, {batch} together, ms an image"] = _ms(
            lambda pixels, run=compiled: run(pixels.astype(np.float32)), batch, repeats
        )
    return found


def _naive_ms(repeats: int) -> float:
    """Return the time of a caption by Keras' `predict` for the picture and again for each word; weights are random."""
    import keras

    vgg16 = keras.applications.VGG16(weights=None)
    eye = keras.Model(vgg16.input, vgg16.get_layer("fc2").output)
    vector, words = keras.Input((4096,)), keras.Input((20,), dtype="int32")
    seen = keras.layers.Dense(256, activation="relu")(vector)
    heard = keras.layers.LSTM(256)(keras.layers.Embedding(2723, 256)(words))
    scores = keras.layers.Dense(2723, activation="softmax")(keras.layers.Add()([seen, heard]))
    voice = keras.Model([vector, words], scores)
    picture = np.random.default_rng(0).random((1, SIDE_PX, SIDE_PX, 3), np.float32)

    def caption() -> None:
        vectors, said = eye.predict(picture, verbose=0), np.zeros((1, 20), np.int32)
        for place in range(NAIVE_WORDS):
            said[0, place] = int(np.argmax(voice.predict([vectors, said], verbose=0)))

    return 1000 * median_s(caption, repeats)
