"""Write and read where a training stands: every variable that the next step depends on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

Progress = dict[str, float]
"""The last whole epoch, the best one so far, and its scores."""


def save_state(file: Path, variables: Sequence[keras.Variable], progress: Progress) -> None:
    """Write the variables and the progress; the old file stays whole until the new one is."""
    arrays: dict[str, Any] = {f"variable_{at}": np.asarray(variable) for at, variable in enumerate(variables)}
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, progress=np.array(json.dumps(progress)), **arrays)
    unfinished.replace(file)


def restore_state(file: Path, variables: Sequence[keras.Variable]) -> Progress:
    """Fill the variables from what `save_state` wrote, in the same order, and return the progress."""
    with np.load(file, allow_pickle=False) as stored:
        for at, variable in enumerate(variables):
            variable.assign(stored[f"variable_{at}"])
        progress: Progress = json.loads(str(stored["progress"]))
    return progress


def random_states(model: keras.Model) -> list[keras.Variable]:
    """Return where the random numbers of a model's dropout stand."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]
