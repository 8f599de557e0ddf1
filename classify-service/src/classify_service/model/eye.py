"""The eye: VGG16's convolutions, narrowed and frozen, the maps of four layers pooled to one grid of regions.

Their weights come from ImageNet and never change here, so training passes each picture through them once. The middle
maps tell textures and strokes, by which pages differ; the last one objects, by which photos, selfies and memes do.

Narrowed: each convolution but the first is one of 3 x 3 to a quarter of its channels, without an activation, and one of
1 x 1 that spreads them out again: 3.6 GFLOP a picture instead of 12.7. `training.narrowing` finds their weights.
Source: Zhang, Zou, He and Sun, 2015, section 2.2 (arXiv:1505.06798).
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import numpy.typing as npt

from classify_service.model.narrowed_vgg16 import (
    BLOCKS,
    FIRST,
    GRID_SIDE,
    LEVELS,
    NARROWED,
    POOLED,
    REGION_SIDE,
    STRIDE_PX,
    layer_weights,
    narrow_width,
)
from shared.bfloat16 import has_native_bfloat16


def build_eye(*, input_side_px: int, dtype: str = "float32") -> keras.Model:
    """Return the network from pictures to regions.

    Its input is what `preprocessing.network_input` makes, (batch, input_side_px, input_side_px, 3); its output is
    float32, (batch, 3, 3, 3584), not negative. Cells enter their region by their square root, which tames the few
    very large values of a map as the Hellinger kernel does for histograms.

    Args:
        input_side_px: Side of the square that pictures are squashed to.
        dtype: What the convolutions compute in; see `fast_dtype`.

    Raises:
        ValueError: the side is not a multiple of 144.
    """
    if input_side_px % (GRID_SIDE * STRIDE_PX):
        raise ValueError(f"the eye's input side must be a multiple of {GRID_SIDE * STRIDE_PX}, not {input_side_px}")
    policy = keras.DTypePolicy("float32" if dtype == "float32" else f"mixed_{dtype}")
    bgr = x = keras.Input((input_side_px, input_side_px, 3), name="bgr")
    cells = []
    for block, widths in enumerate(BLOCKS, start=1):
        if block > 1:
            x = keras.layers.MaxPooling2D(2, name=f"block{block - 1}_pool", dtype=policy)(x)
        for number, width in enumerate(widths, start=1):
            name = f"block{block}_conv{number}"
            side = 3
            if name != FIRST:
                rank = narrow_width(width)
                x = keras.layers.Conv2D(
                    rank, 3, padding="same", use_bias=False, name=f"{name}{NARROWED}", dtype=policy
                )(x)
                side = 1
            x = keras.layers.Conv2D(width, side, padding="same", activation="relu", name=name, dtype=policy)(x)
            if name in POOLED:
                cell_px = x.shape[1] // GRID_SIDE
                cells.append(keras.layers.AveragePooling2D(cell_px, name=f"{name}_mean", dtype="float32")(x))
                cells.append(keras.layers.MaxPooling2D(cell_px, name=f"{name}_max", dtype="float32")(x))
    tamed = keras.ops.sqrt(keras.layers.Concatenate(name="cells")(cells))  # (batch, 9, 9, 3584)
    regions = keras.layers.AveragePooling2D(GRID_SIDE // REGION_SIDE, name="regions")(tamed)  # (batch, 3, 3, 3584)
    eye = keras.Model(bgr, regions, name="eye")
    eye.trainable = False
    return eye


def fast_dtype() -> str:
    """Return `bfloat16` where this machine multiplies it natively, else `float32`, which is then faster."""
    return "bfloat16" if has_native_bfloat16() else "float32"


def load_convolutions(eye: keras.Model, stored: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Fill the eye from `<layer>/kernel` and, where a layer has one, `<layer>/bias`; further keys are passed over.

    See `narrowed_vgg16.layer_weights`.

    Raises:
        ValueError: a layer is missing or has another shape.
    """
    for layer in convolutions(eye):
        kernel, bias = layer_weights(stored, layer.name)
        layer.set_weights([kernel] if bias is None else [kernel, bias])


def stored_convolutions(eye: keras.Model) -> dict[str, npt.NDArray[np.generic]]:
    """Return what `load_convolutions` reads: kernels int8 with a scale for each output channel, biases float32."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for layer in convolutions(eye):
        kernel, *bias = layer.get_weights()
        scale = np.maximum(np.abs(kernel).max(axis=(0, 1, 2)), np.finfo(np.float32).tiny) / LEVELS
        arrays[f"{layer.name}/kernel"] = np.round(kernel / scale).astype(np.int8)
        arrays[f"{layer.name}/scale"] = scale.astype(np.float32)
        if bias:
            arrays[f"{layer.name}/bias"] = bias[0]
    return arrays


def convolutions(eye: keras.Model) -> list[keras.layers.Conv2D]:
    """Return the eye's convolutions, first to last."""
    return [layer for layer in eye.layers if isinstance(layer, keras.layers.Conv2D)]
