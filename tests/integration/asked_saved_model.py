"""Ask an exported model in a process without Legenda: `asked_saved_model.py SAVED_MODEL INPUTS.npz OUT.json`."""

from __future__ import annotations

import json
import sys

import numpy as np
import tensorflow as tf


def main() -> None:
    folder, inputs, out = sys.argv[1:]
    signature = tf.saved_model.load(folder).signatures["serving_default"]
    with np.load(inputs) as stored:
        said = signature(**{name: tf.constant(stored[name]) for name in stored.files})
    assert not [name for name in sys.modules if name.startswith(("caption_service", "classify_service", "shared"))]
    rows = {name: np.asarray(value) for name, value in said.items()}
    with open(out, "w") as file:
        json.dump({name: [[_plain(each) for each in row] for row in value] for name, value in rows.items()}, file)


def _plain(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else np.asarray(value).tolist()


if __name__ == "__main__":
    main()
