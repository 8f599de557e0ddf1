"""Compare ways to find captions with the shipped model, in one run: the graph with the loop in Python, and other
encoders with TensorFlow's in float32.

    python -m tests.bench.captions --images FLICKR8K/images --captions FLICKR8K/dev.csv --openvino

It tells how many best captions and how many whole answers are the same, and each way's time by the encoder's.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from caption_service.model.artifact import DECODER_FILE
from caption_service.model.backends import Computing, choose
from caption_service.model.beam import beam_search
from caption_service.model.decoding import Decoding, unlike
from caption_service.model.encoder import Encoder
from caption_service.model.graph_voice import GraphVoice
from caption_service.model.numpy_voice import NumpyVoice
from caption_service.model.preprocessing import read_image
from caption_service.model.saving import load_decoder
from caption_service.model.sight import see
from caption_service.model.speaker import Speaker
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import Vocabulary
from caption_service.settings import default_encoder, default_model
from shared.artifacts import read_manifest
from shared.bfloat16 import has_native_bfloat16

Sentences = list[list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--captions", type=Path, required=True, help="CSV with a column image")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--batch", type=int, default=4, help="images at a time (default: %(default)s)")
    parser.add_argument("--bfloat16", action="store_true", help="also with TensorFlow's encoder in bfloat16")
    parser.add_argument("--openvino", action="store_true", help="also with OpenVINO, and in native bfloat16")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with options.captions.open(newline="", encoding="utf-8") as file:
        names = list(dict.fromkeys(row["image"] for row in csv.DictReader(file)))[: options.count]
    pixels = np.stack([read_image(options.images / name) for name in names])
    others = {"ncnn": choose("ncnn", "float32")}
    if options.bfloat16:
        others["bfloat16"] = Computing(dtype="bfloat16")
    if options.openvino:
        others["OpenVINO"] = choose("openvino", "float32")
        if has_native_bfloat16():
            others["OpenVINO bfloat16"] = choose("openvino", "bfloat16")
    measured = measure(pixels, batch=options.batch, others=others)
    for name, value in measured.items():
        print(f"{name:<58}{value:>10.3f}")
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


def measure(pixels: np.ndarray, *, batch: int, others: dict[str, Computing]) -> dict[str, float]:
    """Return shares and ratios by name."""
    decoder, vocabulary, decoding = load_decoder(default_model(), read_manifest(default_model(), kind="captioner"))
    encoder, speaker = Encoder(default_encoder() / "encoder.npz"), Speaker(GraphVoice(decoder), vocabulary)
    encoder_s, maps = _timed(encoder.encode, pixels, batch)
    seen = see(np.concatenate(maps), decoder.sizes.sight)

    def by_graph(seen: np.ndarray) -> Sentences:
        return [[each.sentence for each in captions] for captions in speaker.describe(seen, decoding)]

    without_tensorflow = Speaker(NumpyVoice.read(default_model() / DECODER_FILE, decoder.sizes), vocabulary)

    def by_numpy(seen: np.ndarray) -> Sentences:
        return [[each.sentence for each in captions] for captions in without_tensorflow.describe(seen, decoding)]

    by_python = _python_search(decoder, vocabulary, decoding)
    graph_s, found = _timed(by_graph, seen, batch)
    python_s, expected = _timed(by_python, seen, batch)
    one_graph_s, _ = _timed(by_graph, seen[:12], 1)
    one_python_s, _ = _timed(by_python, seen[:12], 1)
    numpy_s, _ = _timed(by_numpy, seen, batch)
    one_numpy_s, _ = _timed(by_numpy, seen[:12], 1)
    results = {
        "images": float(len(pixels)),
        "same best caption as the loop in Python, share": _alike(found, expected, lambda captions: captions[0]),
        "same captions as the loop in Python, share": _alike(found, expected, lambda captions: captions),
        "encoder, ms an image": 1000 * encoder_s,
        f"loop in Python / encoder, {batch} images": python_s / encoder_s,
        f"graph / encoder, {batch} images": graph_s / encoder_s,
        f"loop in Python / graph, {batch} images": python_s / graph_s,
        "loop in Python / graph, 1 image": one_python_s / one_graph_s,
        f"by NumPy and ncnn / graph, {batch} images": numpy_s / graph_s,
        "by NumPy and ncnn / graph, 1 image": one_numpy_s / one_graph_s,
    }
    for name, computing in others.items():
        eye = computing.eye(default_encoder() / "encoder.npz")
        eye_s, other_maps = _timed(eye.encode, pixels, batch)
        speak = by_graph if computing.backend == "tensorflow" else by_numpy
        _, said = _timed(speak, see(np.concatenate(other_maps), decoder.sizes.sight), batch)
        results[f"same best caption with {name}, share"] = _alike(said, found, lambda each: each[0])
        results[f"same captions with {name}, share"] = _alike(said, found, lambda each: each)
        results[f"{name} encoder / encoder"] = eye_s / encoder_s
    return results


def _timed(work: Callable[[np.ndarray], Any], rows: np.ndarray, batch: int) -> tuple[float, list[Any]]:
    """Return the median seconds of an image, and what came out, run by run; the first run warms."""
    work(rows[:batch])
    times, said = [], []
    for first in range(0, len(rows), batch):
        part = rows[first : first + batch]
        started = time.perf_counter()
        said.append(work(part))
        times.append((time.perf_counter() - started) / len(part))
    return statistics.median(times), said


def _alike(one: list[Sentences], other: list[Sentences], of: Callable[[list[str]], object]) -> float:
    pairs = [(a, b) for parts in zip(one, other, strict=True) for a, b in zip(*parts, strict=True)]
    return sum(of(a) == of(b) for a, b in pairs) / len(pairs)


def _python_search(decoder: Decoder, vocabulary: Vocabulary, decoding: Decoding) -> Callable[[np.ndarray], Sentences]:
    """Return the search as serving had it until 2026-11: one call of TensorFlow a word, the beams kept by NumPy."""

    @tf.function(reduce_retracing=True)
    def step(last: Any, origin: Any, state: Any, memory: Any) -> Any:
        memory, grown = ([tf.gather(part, origin) for part in parts] for parts in (memory, state))
        thought, after, _ = decoder.step(last, tuple(grown), tuple(memory))
        return tf.nn.log_softmax(decoder.logits(thought)), after, memory

    begin = tf.function(decoder.begin, reduce_retracing=True)

    def find(seen: np.ndarray) -> Sentences:
        memory, state = begin(tf.constant(seen.astype(np.float32)))

        def next_words(last: np.ndarray, origin: np.ndarray) -> np.ndarray:
            nonlocal memory, state
            log_probabilities, state, memory = step(tf.constant(last), tf.constant(origin), state, memory)
            return log_probabilities.numpy()

        found = beam_search(
            next_words,
            images=len(seen),
            groups=decoding.groups,
            longest=decoding.longest,
            length_power=decoding.length_power,
        )
        return [
            [vocabulary.sentence(sentence.token_ids) for sentence in unlike(of_groups, decoding)] for of_groups in found
        ]

    return find


if __name__ == "__main__":
    main()
