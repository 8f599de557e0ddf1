"""Lay an exported model out as TensorFlow Serving and Triton look for it.

    OUT/tensorflow-serving/NAME/1/saved_model.pb, variables/
    OUT/triton/NAME/config.pbtxt
    OUT/triton/NAME/1/model.savedmodel/saved_model.pb, variables/

The files are the same ones under two names (hard links), or copies where the file system has no links.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

VERSION = "1"
"""Both servers want a whole number; what version of the model it is stands in the SavedModel's name."""

MOST_IN_BATCH = 32


class ExportRefused(Exception):
    """Nothing was written; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class ExportedTensor:
    """An input or output of the SavedModel's signature `serving_default`; every one has a row an image."""

    name: str
    datatype: str
    """As Triton names it: TYPE_UINT8, TYPE_FP32, TYPE_INT32, TYPE_STRING."""
    row_shape: Sequence[int]
    """Shape for one image; -1 is a side that differs."""


def lay_out(
    out: Path,
    name: str,
    *,
    inputs: Sequence[ExportedTensor],
    outputs: Sequence[ExportedTensor],
    write: Callable[[Path], None],
) -> tuple[Path, Path]:
    """Write a SavedModel for both servers; return the folders that each is to be pointed at.

    Args:
        out: A folder that is not there yet, or empty.
        name: The model's name, as clients will ask for it.
        inputs: What the signature takes.
        outputs: What it gives.
        write: Writes the SavedModel to a folder.

    Raises:
        ExportRefused: the folder has something in it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportRefused(f"{out} is there already: name a new folder")
    serving, triton = out / "tensorflow-serving" / name, out / "triton" / name
    written = serving / VERSION
    write(written)
    shutil.copytree(written, triton / VERSION / "model.savedmodel", copy_function=_link_or_copy)
    (triton / "config.pbtxt").write_text(triton_config(name, inputs, outputs), encoding="utf-8")
    return serving, triton.parent


def triton_config(name: str, inputs: Sequence[ExportedTensor], outputs: Sequence[ExportedTensor]) -> str:
    """Return Triton's description of the model, in protobuf's text format.

    Source: Triton's model_config.proto; the batch is the first side of every tensor and is not written.
    """
    lines = [
        f'name: "{name}"',
        'backend: "tensorflow"',
        'platform: "tensorflow_savedmodel"',
        f"max_batch_size: {MOST_IN_BATCH}",
        *_tensors("input", inputs),
        *_tensors("output", outputs),
        "dynamic_batching { max_queue_delay_microseconds: 5000 }",
    ]
    return "\n".join(lines) + "\n"


def _tensors(side: str, tensors: Sequence[ExportedTensor]) -> list[str]:
    return [
        f'{side} {{ name: "{each.name}" data_type: {each.datatype} dims: [ {", ".join(map(str, each.row_shape))} ] }}'
        for each in tensors
    ]


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
