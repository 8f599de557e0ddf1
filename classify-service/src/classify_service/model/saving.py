"""Write a classifier to a folder, with labels, weights and scales in it and nothing pickled; `artifact` reads it.

The eye's kernels are stored in eight bits, the heads' matrices in half precision, vectors (biases, scales) in single.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from classify_service.model.artifact import CLASSIFIER_NAME, WEIGHTS_NAME, Arrays, Description
from classify_service.model.classifier import Judgement
from classify_service.model.eye import stored_convolutions
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.keras_network import variables
from shared.artifacts import Manifest, write_manifest


@dataclass(frozen=True)
class Networks:
    """A classifier's parts, as training makes them."""

    eye: keras.Model
    heads: list[keras.Model]
    sizes: HeadSizes


def save(
    folder: Path, networks: Networks, *, labels: tuple[str, ...], judgement: Judgement, manifest: Manifest
) -> Manifest:
    """Write the classifier to `folder`, made when it is not there, and return the complete manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = _arrays(networks)
    np.savez_compressed(folder / WEIGHTS_NAME, **arrays)
    description = Description(
        labels=list(labels),
        temperature=judgement.temperature,
        thresholds=dict(zip(labels, judgement.thresholds, strict=True)),
        input_side_px=networks.eye.input_shape[1],
        heads=len(networks.heads),
        sizes=networks.sizes.as_dict(),
        none_of_these=networks.sizes.outputs > len(labels),
        feature_names=list(FEATURE_NAMES),
    )
    (folder / CLASSIFIER_NAME).write_text(description.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return write_manifest(folder, manifest)


def _arrays(networks: Networks) -> Arrays:
    arrays: Arrays = dict(stored_convolutions(networks.eye))
    for number, head in enumerate(networks.heads):
        for name, variable in variables(head, prefix=f"head_{number}"):
            values = variable.numpy()
            arrays[name] = values.astype(np.float16) if values.ndim > 1 else values
    return arrays
