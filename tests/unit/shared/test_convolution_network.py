"""Convolutions by ncnn: what comes out is what NumPy makes of the definition."""

from __future__ import annotations

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from shared.convolution_network import Layers

RANDOM = np.random.default_rng(0)


def _weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 0.3, shape).astype(np.float32)


def _convolved(maps: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Slide the kernel over maps, (channels, height, width), with zeros around."""
    border, (_, height, width) = kernel.shape[0] // 2, maps.shape
    padded = np.pad(maps, ((0, 0), (border, border), (border, border)))
    sums = np.zeros((kernel.shape[3], height, width))
    for down, right in np.ndindex(kernel.shape[:2]):
        sums += np.einsum("chw,cd->dhw", padded[:, down : down + height, right : right + width], kernel[down, right])
    return sums


def test_layers_follow_each_other_and_maps_are_told_by_name() -> None:
    picture, first, second = _weights(3, 16, 12), _weights(3, 3, 3, 24), _weights(1, 1, 24, 8)
    bias = _weights(24)
    layers = Layers()
    layers.convolution("first", first, bias)
    layers.max_pooling("half")
    layers.convolution("second", second, relu=False)
    found = layers.network("first", "second").maps(picture)
    expected = np.maximum(_convolved(picture, first) + bias[:, None, None], 0)
    halved = expected.reshape(24, 8, 2, 6, 2).max(axis=(2, 4))
    np.testing.assert_allclose(found[0], expected, atol=1e-4)
    np.testing.assert_allclose(found[1], _convolved(halved, second), atol=1e-4)
    assert found[1].min() < 0


@pytest.mark.parametrize("channels", [3, 16, 64])
def test_a_large_convolution_is_as_exact_as_a_small_one(channels: int) -> None:
    picture, kernel = _weights(channels, 56, 56), _weights(3, 3, channels, 64)
    layers = Layers()
    layers.convolution("sums", kernel, relu=False)
    np.testing.assert_allclose(layers.network("sums").maps(picture)[0], _convolved(picture, kernel), atol=2e-3)


def test_a_picture_that_does_not_lie_in_one_piece_is_read_right() -> None:
    pixels, kernel = _weights(8, 8, 3), _weights(3, 3, 3, 4)
    layers = Layers()
    layers.convolution("sums", kernel, relu=False)
    found = layers.network("sums").maps(pixels.transpose(2, 0, 1))[0]
    np.testing.assert_allclose(found, _convolved(pixels.transpose(2, 0, 1), kernel), atol=1e-4)


def test_threads_may_share_a_network() -> None:
    layers = Layers()
    layers.convolution("maps", _weights(3, 3, 3, 32))
    network = layers.network("maps")
    pictures = [_weights(3, 32, 32) for _ in range(16)]
    alone = [network.maps(picture)[0] for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda picture: network.maps(picture)[0], pictures))
    np.testing.assert_array_equal(together, alone)


def test_too_little_memory_is_told_and_a_smaller_picture_goes_on_to_work() -> None:
    """Under a limit, in a process of its own."""
    script = f"""
import resource
import numpy as np
from pathlib import Path
from shared.convolution_network import Layers
layers = Layers()
layers.convolution("maps", np.ones((3, 3, 3, 64), np.float32))
network = layers.network("maps")
small, large = np.ones((3, 16, 16), np.float32), np.ones((3, 2048, 2048), np.float32)
network.maps(small)
taken_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * {resource.getpagesize()}
resource.setrlimit(resource.RLIMIT_AS, (taken_bytes + 400_000_000,) * 2)
try:
    network.maps(large)  # its maps take a gigabyte
except MemoryError as error:
    print(error)
print(network.maps(small)[0].shape)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    told = "there is not enough memory for the convolutions of a picture"
    assert ended.stdout.splitlines()[-2:] == [told, "(64, 16, 16)"]
