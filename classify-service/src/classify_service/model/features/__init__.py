"""The OpenCV features: a named vector of what a picture measures, in fixed order and known units.

Colour, edges, strokes and layout are measured on one canvas; a classifier joins the vector with what its network
sees. A name's unit and meaning are in FEATURES.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from classify_service.model.features import colour, edges, layout, strokes
from classify_service.model.features.canvas import prepare
from classify_service.model.preprocessing import Picture

FEATURES: dict[str, str] = {**colour.FEATURES, **edges.FEATURES, **strokes.FEATURES, **layout.FEATURES}
"""Name and unit of each feature, in the vector's order."""

FEATURE_NAMES = tuple(FEATURES)


def measure(picture: Picture) -> npt.NDArray[np.float32]:
    """Return the features of one picture, float32, (len(FEATURE_NAMES),), in the order of FEATURE_NAMES; all finite."""
    values = named_features(picture)
    return np.array([values[name] for name in FEATURE_NAMES], dtype=np.float32)


def named_features(picture: Picture) -> dict[str, float]:
    """Return the features of one picture by name."""
    canvas = prepare(picture)
    return {
        **colour.measure(canvas),
        **edges.measure(canvas),
        **strokes.measure(canvas),
        **layout.measure(canvas),
    }
