"""Write a classifier to a folder and read it back, with labels, weights and scales in it and nothing pickled.

The eye's kernels are stored in eight bits, the heads' matrices in half precision, vectors (biases, scales) in single.
The folder's manifest names each file with its SHA-256, and a folder that is changed, incomplete or made for other
features is refused in one sentence.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from classify_service.model.classifier import Classifier, Judgement, empty_networks
from classify_service.model.eye import GRID_SIDE, STRIDE_PX, load_convolutions, stored_convolutions
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head import HeadSizes
from shared.artifacts import MANIFEST_NAME, ArtifactError, Manifest, read_manifest, write_manifest

KIND = "classifier"
WEIGHTS_NAME = "weights.npz"
CLASSIFIER_NAME = "classifier.json"

LabelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
Arrays = dict[str, npt.NDArray[Any]]


class Description(BaseModel):
    """What is in `classifier.json`: all that the weights do not say."""

    model_config = ConfigDict(extra="forbid")

    labels: Annotated[list[LabelName], Field(min_length=2)]
    temperature: Annotated[float, Field(gt=0)]
    thresholds: dict[LabelName, Annotated[float, Field(ge=0, le=1)]]
    input_side_px: Annotated[int, Field(gt=0, multiple_of=GRID_SIDE * STRIDE_PX)]
    heads: Annotated[int, Field(gt=0)]
    sizes: dict[str, int | float]
    feature_names: list[str]
    none_of_these: bool = False
    """Whether the last output is of pictures that belong to no label."""
    eye: Literal["vgg16 narrowed to a quarter"] = "vgg16 narrowed to a quarter"


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


def load(folder: Path, *, dtype: str | None = None) -> tuple[Classifier, Manifest]:
    """Read a classifier.

    Args:
        folder: The artifact.
        dtype: What the convolutions compute in; none: what this machine is fastest in.

    Raises:
        ArtifactError: see `shared.artifacts.read_manifest`; or the weights do not fit the description, or the
            description names other features than this version measures.
    """
    manifest = read_manifest(folder, kind=KIND)
    if unnamed := [name for name in (CLASSIFIER_NAME, WEIGHTS_NAME) if name not in manifest.files]:
        raise ArtifactError(f"{folder} is not complete: {MANIFEST_NAME} does not name {unnamed[0]}")
    description = read_description(folder)
    if tuple(description.feature_names) != FEATURE_NAMES:
        raise ArtifactError(f"{folder} was trained on other OpenCV features than this version measures: train it again")
    try:
        sizes = HeadSizes(**description.sizes)  # type: ignore[arg-type]
        _check_output_count(description, sizes.outputs)
        eye, heads = empty_networks(
            input_side_px=description.input_side_px, heads=description.heads, sizes=sizes, dtype=dtype
        )
        if description.thresholds.keys() != set(description.labels):
            raise ValueError("it has not one threshold for each label")
        stored = read_weights(folder / WEIGHTS_NAME)
        for name in stored:
            if name.endswith("/logits/bias"):
                _check_output_count(description, len(stored[name]))
        load_convolutions(eye, stored)
        for number, head in enumerate(heads):
            _fill(head, stored, prefix=f"head_{number}")
    except (TypeError, KeyError, ValueError) as error:
        raise ArtifactError(f"{folder} cannot be used: {error}") from error
    thresholds = tuple(description.thresholds[label] for label in description.labels)
    judgement = Judgement(temperature=description.temperature, thresholds=thresholds)
    return Classifier(eye=eye, heads=heads, labels=tuple(description.labels), judgement=judgement), manifest


def read_description(folder: Path) -> Description:
    """Read `classifier.json`.

    Raises:
        ArtifactError: it is missing or not what this version writes.
    """
    file = folder / CLASSIFIER_NAME
    if not file.is_file():
        raise ArtifactError(f"{folder} is not complete: {CLASSIFIER_NAME} is missing")
    try:
        return Description.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ArtifactError(f"{file} cannot be read: {place}: {first['msg']}") from error


def read_weights(file: Path) -> Arrays:
    """Read an npz of arrays by name.

    Raises:
        ArtifactError: no such file, or it is no npz of plain arrays.
    """
    try:
        with np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError as error:
        raise ArtifactError(f"there is no weights file {file}") from error
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{file} cannot be read as weights: {error}") from error


def _check_output_count(description: Description, count: int) -> None:
    if count - description.none_of_these != len(description.labels):
        raise ValueError(
            f"{len(description.labels)} labels are named, but the weights have {count - description.none_of_these}"
        )


def _arrays(networks: Networks) -> Arrays:
    arrays: Arrays = dict(stored_convolutions(networks.eye))
    for number, head in enumerate(networks.heads):
        for name, variable in _variables(head, prefix=f"head_{number}"):
            values = variable.numpy()
            arrays[name] = values.astype(np.float16) if values.ndim > 1 else values
    return arrays


def _fill(head: keras.Model, stored: Arrays, *, prefix: str) -> None:
    for name, variable in _variables(head, prefix=prefix):
        if name not in stored:
            raise ValueError(f"the weights lack {name}")
        if stored[name].shape != tuple(variable.shape):
            raise ValueError(f"{name} has shape {stored[name].shape}, but {tuple(variable.shape)} is needed")
        variable.assign(stored[name].astype(np.float32))


def _variables(head: keras.Model, *, prefix: str) -> list[tuple[str, Any]]:
    return [(f"{prefix}/{layer.name}/{variable.name}", variable) for layer in head.layers for variable in layer.weights]
