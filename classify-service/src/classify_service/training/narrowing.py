"""Make VGG16's convolutions a third as costly: each becomes a narrow one and a 1 x 1 one that say nearly the same.

Layer by layer, the pair is the least-squares answer, among those of its rank, to what the full convolution says of real
pictures. Each is asked about what the narrowed layers before it let through, so that it makes up for their errors.
Source: Zhang, Zou, He and Sun, 2015, sections 2.2 and 2.4 (arXiv:1505.06798), without the activation in the target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from classify_service.model.narrowed_vgg16 import BLOCKS, FIRST, NARROWED, narrow_width
from classify_service.model.preprocessing import network_input, read_picture

Floats = npt.NDArray[np.float32]
Maps = npt.NDArray[np.float16]
"""(pictures, side, side, channels)"""

PLACES = 64_000
"""At so many places of all pictures together each convolution is asked."""

RIDGE = 0.01
"""Of the inputs' mean square: what pulls an answer towards the full kernel."""

BATCH = 16


@dataclass(frozen=True)
class NarrowedConvolution:
    """What stands for one convolution, and how well."""

    narrow: Floats
    """(3, 3, channels, rank)"""
    spread: Floats
    """(1, 1, rank, width)"""
    bias: Floats
    """(width,)"""
    error: float
    """Mean squared error by mean square of what the full convolution says, after the activation."""


def narrow_convolution(
    kernel: Floats, bias: Floats, *, wanted_from: Floats, given: Floats, rank: int
) -> NarrowedConvolution:
    """Return the pair of that rank that says of `given` most nearly what the full convolution says of `wanted_from`.

    Args:
        kernel: Of the full convolution, (3, 3, channels, width).
        bias: (width,)
        wanted_from: Neighbourhoods that the full layers give, (places, 9 * channels).
        given: The same places as the narrowed layers before give them.
        rank: Channels between the two halves.
    """
    full = kernel.reshape(-1, kernel.shape[-1])
    wanted = wanted_from @ full
    mean_given, mean_wanted = given.mean(axis=0), wanted.mean(axis=0)
    centred = given - mean_given
    missing = wanted - mean_wanted - centred @ full
    squares = (centred.T @ centred).astype(np.float64)
    squares[np.diag_indices_from(squares)] += RIDGE * np.trace(squares) / len(squares)
    fitted = full + np.linalg.solve(squares, (centred.T @ missing).astype(np.float64)).astype(np.float32)
    said = centred @ fitted
    _, directions = np.linalg.eigh((said.T @ said).astype(np.float64))
    main = directions[:, ::-1][:, :rank].astype(np.float32)  # (width, rank)
    narrow = fitted @ main
    new_bias = bias + mean_wanted - mean_given @ narrow @ main.T
    target, answer = np.maximum(wanted + bias, 0), np.maximum(given @ narrow @ main.T + new_bias, 0)
    error = float(np.square(target - answer).mean() / max(float(np.square(target).mean()), 1e-12))
    return NarrowedConvolution(narrow.reshape(*kernel.shape[:3], rank), main.T[None, None], new_bias, error)


def narrow_eye(
    full: Mapping[str, npt.NDArray[np.generic]], files: Sequence[Path], *, side_px: int, seed: int
) -> dict[str, Floats]:
    """Return the weights of a narrowed eye by the names that `eye.load_convolutions` reads.

    Args:
        full: VGG16's convolutions as Keras names them, `block1_conv1/kernel` and so on.
        files: Pictures; some hundred of every kind that the eye is to look at.
        side_px: Side of the square that they are squashed to.
        seed: Seed of the places that are looked at.

    Raises:
        UnreadableImage: a file is no picture.
        KeyError: a convolution is missing.
    """
    rng = np.random.default_rng(seed)
    wanted = given = np.stack([network_input(read_picture(file), side_px=side_px) for file in files]).astype(np.float16)
    weights: dict[str, Floats] = {}
    with tqdm(total=sum(map(len, BLOCKS)), desc="narrowing", unit="layer") as progress:
        for block, widths in enumerate(BLOCKS, start=1):
            if block > 1:
                wanted, given = (
                    _mapped(lambda maps: tf.nn.max_pool2d(maps, 2, 2, "VALID"), each) for each in (wanted, given)
                )
            for number, width in enumerate(widths, start=1):
                name = f"block{block}_conv{number}"
                kernel, bias = (full[f"{name}/{part}"].astype(np.float32) for part in ("kernel", "bias"))
                full_layer = [(kernel, bias)]
                layer: list[tuple[Floats, Floats | None]] = [(kernel, bias)]
                weights |= {f"{name}/kernel": kernel, f"{name}/bias": bias}
                if name != FIRST:
                    places = _places(rng, wanted.shape)
                    narrowed = narrow_convolution(
                        kernel,
                        bias,
                        wanted_from=_neighbourhoods(wanted, places),
                        given=_neighbourhoods(given, places),
                        rank=narrow_width(width),
                    )
                    layer = [(narrowed.narrow, None), (narrowed.spread, narrowed.bias)]
                    weights |= {f"{name}{NARROWED}/kernel": narrowed.narrow}
                    weights |= {f"{name}/kernel": narrowed.spread, f"{name}/bias": narrowed.bias}
                    progress.set_postfix_str(f"{name} error {narrowed.error:.3f}")
                given = _mapped(_convolution(layer), given)
                wanted = _mapped(_convolution(full_layer), wanted) if name != FIRST else given
                progress.update()
    return weights


def _convolution(parts: Sequence[tuple[Floats, Floats | None]]) -> Callable[[tf.Tensor], tf.Tensor]:
    def convolve(maps: tf.Tensor) -> tf.Tensor:
        for kernel, bias in parts:
            maps = tf.nn.conv2d(maps, kernel, 1, "SAME")
            maps = maps if bias is None else tf.nn.bias_add(maps, bias)
        return tf.nn.relu(maps)

    compiled: Callable[[tf.Tensor], tf.Tensor] = tf.function(convolve)
    return compiled


def _mapped(function: Callable[[tf.Tensor], tf.Tensor], maps: Maps) -> Maps:
    parts = [maps[start : start + BATCH].astype(np.float32) for start in range(0, len(maps), BATCH)]
    return np.concatenate([function(tf.constant(part)).numpy().astype(np.float16) for part in parts])


def _places(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return rows and columns at random, as many for each picture, (pictures, places, 2)."""
    pictures, side = shape[0], shape[1]
    return rng.integers(0, side, (pictures, max(1, PLACES // pictures), 2))


def _neighbourhoods(maps: Maps, places: npt.NDArray[np.int64]) -> Floats:
    """Return what a 3 x 3 kernel sees at each place, (places of all pictures, 9 * channels)."""
    seen = []
    for each, at in zip(maps, places, strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(each, ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1))
        chosen = windows[at[:, 0], at[:, 1]]  # (places, channels, 3, 3)
        seen.append(chosen.transpose(0, 2, 3, 1).reshape(len(at), -1).astype(np.float32))
    return np.concatenate(seen)
