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
    """Return milliseconds an image, and GFLOP/s, by name; OpenVINO's only where it is installed.

    `encoder` is the one that serves by itself; TensorFlow's has lines of its own where that is another. All take turns.
    """
    import tensorflow as tf  # slow to import

    from caption_service.model.backends import choose
    from caption_service.model.encoder import Encoder
    from caption_service.model.processor import set_threads
    from caption_service.settings import default_encoder

    set_threads()
    weights, computing = default_encoder() / "encoder.npz", choose()
    by_tensorflow = Encoder(weights, dtype=computing.dtype)
    eyes = {"encoder": computing.eye(weights)}
    if computing.backend != "tensorflow":
        eyes["TensorFlow's encoder"] = by_tensorflow
    ways = {(name, batch): eye.encode for name, eye in eyes.items() for batch in (1, 4, 8)}
    plain = by_tensorflow if computing.dtype == "float32" else Encoder(weights)
    ways |= _by_openvino(tf, plain, computing.dtype)
    found = {"peak, GFLOP/s": _peak_gflops(tf, computing.dtype, repeats)} | _in_turns(ways, repeats)
    if naive:
        found["naive captions, ms"] = _naive_ms(min(repeats, 5))
    return found


def _in_turns(ways: dict[tuple[str, int], Callable[[np.ndarray], object]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds an image of each way, by name and number of images; the first round warms."""
    pixels = np.random.default_rng(0).integers(0, 255, (8, SIDE_PX, SIDE_PX, 3), np.uint8)
    times: dict[tuple[str, int], list[float]] = {way: [] for way in ways}
    for _ in range(1 + repeats):
        for (name, batch), encode in ways.items():
            started = time.perf_counter()
            encode(pixels[:batch])
            times[name, batch].append(1000 * (time.perf_counter() - started) / batch)
    return {
        f"{name}, {batch} together, ms an image": statistics.median(taken[1:]) for (name, batch), taken in times.items()
    }


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


def _by_openvino(tf: Any, encoder: Any, dtype: str) -> dict[tuple[str, int], Callable[[np.ndarray], object]]:
    """Return the network as OpenVINO converts it itself from TensorFlow's, a compiled one for each number of images."""
    try:
        import openvino  # optional; `make bench` installs it
    except ImportError:
        return {}
    shape = (None, SIDE_PX, SIDE_PX, 3)
    graph = tf.function(lambda pixels: encoder.network(pixels, training=False)).get_concrete_function(
        tf.TensorSpec(shape, tf.float32)
    )
    model = openvino.convert_model(graph)
    precision = "bf16" if dtype == "bfloat16" else "f32"
    ways: dict[tuple[str, int], Callable[[np.ndarray], object]] = {}
    for batch in (1, 8):
        model.reshape([batch, SIDE_PX, SIDE_PX, 3])
        compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        ways[f"OpenVINO {precision}", batch] = lambda pixels, run=compiled: run(pixels.astype(np.float32))
    return ways


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
