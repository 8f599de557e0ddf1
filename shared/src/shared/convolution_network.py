"""Networks of convolutions, computed by ncnn: what the model services share to run an eye on a processor.

ncnn multiplies less for a convolution of 3 x 3 than others do (Lavin and Gray, 2016, "Fast Algorithms for Convolutional
Neural Networks", arXiv:1509.09308), and needs no GPU and no graph. Only the model services install it.
"""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Sequence

import ncnn
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_MAGIC = 7767517
"""What ncnn's parameter files begin with."""
_PLAIN_FLOATS = struct.pack("<I", 0)
"""What stands before weights that are stored as they are."""
_HALVES = struct.pack("<I", 0x01306B47)
"""What stands before weights in half precision; they are padded to whole words, which we avoid."""
_X86 = ("x86_64", "AMD64")
_OUT_OF_MEMORY = -100
"""What ncnn answers where memory cannot be had."""


class Layers:
    """Puts a network together, layer by layer, each after the one before.

    Layers and their parameters are those of ncnn's files: https://github.com/Tencent/ncnn/wiki/operators.
    """

    def __init__(self) -> None:
        self._told: list[str] = ["Input pixels 0 1 pixels"]
        self._last = "pixels"
        self._weights: list[bytes] = []

    def convolution(self, name: str, kernel: Floats, bias: Floats | None = None, *, relu: bool = True) -> None:
        """Add a convolution that keeps the map's sides.

        Args:
            name: Of the layer and its map.
            kernel: (side, side, channels before, channels), side odd.
            bias: (channels,).
            relu: Whether what is negative becomes 0.
        """
        side, _, _, channels = kernel.shape
        parameters = {
            0: channels, 1: side, 4: side // 2, 5: int(bias is not None), 6: kernel.size, 9: int(relu),
        }  # fmt: skip
        self._add("Convolution", name, parameters)
        self._weights += [_PLAIN_FLOATS, _bytes(kernel.transpose(3, 2, 0, 1))]
        if bias is not None:
            self._weights.append(_bytes(bias))

    def dense(self, name: str, kernel: Floats, bias: Floats) -> None:
        """Add a product with a matrix, for input of (rows, numbers before).

        Weights that half precision holds are kept so: they are read in half of the time, and nothing is rounded.

        Args:
            name: Of the layer and what comes out of it.
            kernel: (numbers before, numbers).
            bias: (numbers,).
        """
        self._add("InnerProduct", name, {0: kernel.shape[1], 1: 1, 2: kernel.size})
        with np.errstate(over="ignore"):
            halves = kernel.astype(np.float16)
        if np.array_equal(halves, kernel) and kernel.size % 2 == 0:
            self._weights += [_HALVES, np.ascontiguousarray(halves.T).tobytes()]
        else:
            self._weights += [_PLAIN_FLOATS, _bytes(kernel.T)]
        self._weights.append(_bytes(bias))

    def max_pooling(self, name: str) -> None:
        """Halve the map's sides: of 2 x 2 cells the largest is kept."""
        self._add("Pooling", name, {0: 0, 1: 2, 2: 2})

    def network(self, *maps: str, threads: int | None = None) -> Network:
        """Return what computes maps.

        Args:
            maps: Their names, in the order in which they were added.
            threads: How many compute; none: one for each core.
        """
        told = f"{_MAGIC}\n{len(self._told)} {len(self._told)}\n" + "\n".join(self._told) + "\n"
        keeps_halves = _HALVES in self._weights
        return Network(told, b"".join(self._weights), maps, threads or core_count(), keeps_halves=keeps_halves)

    def _add(self, kind: str, name: str, parameters: dict[int, int]) -> None:
        told = " ".join(f"{number}={value}" for number, value in parameters.items())
        self._told.append(f"{kind} {name} 1 1 {self._last} {name} {told}")
        self._last = name


class Network:
    """Computes maps of one picture after the other; several threads may call it at a time."""

    def __init__(
        self, layers: str, weights: bytes, maps: Sequence[str], threads: int, *, keeps_halves: bool = False
    ) -> None:
        self._maps = maps
        self._net = net = ncnn.Net()
        net.opt.num_threads = threads
        # With more than one map those before it must be kept, which takes memory.
        net.opt.lightmode = len(maps) == 1
        for inexact in ("fp16_packed", "fp16_arithmetic", "bf16_storage"):  # on by itself on ARM
            setattr(net.opt, f"use_{inexact}", False)
        # Of weights alone where x86 computes, in dense layers; elsewhere it would round what goes through the layers.
        net.opt.use_fp16_storage = keeps_halves and platform.machine() in _X86
        net.load_param_mem(layers)
        self._weights = weights  # kept: ncnn reads some of them where they lie
        net.load_model_mem(weights)

    def maps(self, picture: Floats) -> list[Floats]:
        """Return the maps that were asked for, each (channels, height, width), or (rows, numbers) of dense layers.

        Args:
            picture: (channels, height, width), height times width divisible by 4; or (rows, numbers).

        Raises:
            MemoryError: there is not enough for a picture.
        """
        pixels = np.ascontiguousarray(picture)  # ncnn reads it where it lies, until all is extracted
        run = self._net.create_extractor()
        run.input("pixels", ncnn.Mat(pixels))
        return [self._extract(run, name) for name in self._maps]

    @staticmethod
    def _extract(run: ncnn.Extractor, name: str) -> Floats:
        code, found = run.extract(name)
        if code == _OUT_OF_MEMORY:
            raise MemoryError("there is not enough memory for the convolutions of a picture")
        if code:
            raise RuntimeError(f"ncnn answers {code} for {name}")
        return np.array(found, dtype=np.float32)


def core_count() -> int:
    """Return how many cores this process may use; two threads of a core compute no more than one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, int(ncnn.get_physical_big_cpu_count())))


def _bytes(weights: Floats) -> bytes:
    return np.ascontiguousarray(weights, dtype=np.float32).tobytes()
