"""Read a classifier from its folder, with labels, weights and scales in it and nothing pickled; `saving` writes it.

The folder's manifest names each file with its SHA-256, and a folder that is changed, incomplete or made for other
features is refused in one sentence. TensorFlow comes in only where it is to compute.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from classify_service.model.backends import Computing, choose
from classify_service.model.classifier import Classifier, Judgement, Network
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.narrowed_vgg16 import GRID_SIDE, STRIDE_PX
from shared.artifacts import MANIFEST_NAME, ArtifactError, Manifest, read_manifest

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


def load(folder: Path, *, computing: Computing | None = None) -> tuple[Classifier, Manifest]:
    """Read a classifier.

    Args:
        folder: The artifact.
        computing: What computes its network; none: what is best here, see `backends.choose`.

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
        if description.thresholds.keys() != set(description.labels):
            raise ValueError("it has not one threshold for each label")
        stored = read_weights(folder / WEIGHTS_NAME)
        for name in stored:
            if name.endswith("/logits/bias"):
                _check_output_count(description, len(stored[name]))
        network = _network(stored, description, sizes, computing or choose())
    except (TypeError, KeyError, ValueError) as error:
        raise ArtifactError(f"{folder} cannot be used: {error}") from error
    thresholds = tuple(description.thresholds[label] for label in description.labels)
    judgement = Judgement(temperature=description.temperature, thresholds=thresholds)
    return Classifier(network=network, labels=tuple(description.labels), judgement=judgement), manifest


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


def _network(stored: Arrays, description: Description, sizes: HeadSizes, computing: Computing) -> Network:
    widths = {"input_side_px": description.input_side_px, "heads": description.heads}
    if computing.backend != "tensorflow":
        from classify_service.model.processor_network import ProcessorNetwork  # noqa: PLC0415 - not needed with it

        return ProcessorNetwork(stored, **widths, sizes=sizes, computing=computing)
    from classify_service.model.keras_network import filled_network  # noqa: PLC0415 - brings in TensorFlow

    return filled_network(stored, **widths, sizes=sizes, dtype=computing.dtype)


def _check_output_count(description: Description, count: int) -> None:
    if count - description.none_of_these != len(description.labels):
        raise ValueError(
            f"{len(description.labels)} labels are named, but the weights have {count - description.none_of_these}"
        )
