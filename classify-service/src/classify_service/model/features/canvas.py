"""One picture prepared for measuring: brought to one size, turned grey, its edges and its ink found once.

Every feature is measured on a canvas whose long side is CANVAS_SIDE_PX, so that lengths in pixels mean the same on a
small picture and a large one, and the size of a file says nothing about its label.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from classify_service.model.preprocessing import Picture, resize

CANVAS_SIDE_PX = 512
MIN_CANVAS_SIDE_PX = 32
DARK_GROUND_GREY = 110
"""Pictures whose median is darker are read as light ink on dark ground."""

INK_WINDOW_PX = 31
INK_CONTRAST_GREY = 14
EDGE_LOW_GREY = 60
EDGE_HIGH_GREY = 150


@dataclass(frozen=True)
class Canvas:
    """What the features are measured on; all arrays are (height, width) but the first."""

    rgb: Picture
    grey: npt.NDArray[np.uint8]
    saturation: npt.NDArray[np.uint8]
    hue: npt.NDArray[np.uint8]
    """0 to 179: two degrees a step."""
    edges: npt.NDArray[np.uint8]
    """1 on Canny edges, else 0."""
    ink: npt.NDArray[np.uint8]
    """1 where a pixel differs from its surroundings as writing does from paper, else 0."""
    aspect: float
    """Width by height of the picture before it was brought to size."""


def prepare(picture: Picture) -> Canvas:
    """Bring a picture to the canvas' size and find what several features share."""
    height, width = picture.shape[:2]
    scale = CANVAS_SIDE_PX / max(height, width)
    canvas_width, canvas_height = (max(MIN_CANVAS_SIDE_PX, round(side * scale)) for side in (width, height))
    rgb = resize(picture, width_px=canvas_width, height_px=canvas_height)
    grey = _grey(rgb)
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    return Canvas(
        rgb=rgb,
        grey=grey,
        saturation=np.asarray(cv2.extractChannel(hsv, 1), dtype=np.uint8),
        hue=np.asarray(cv2.extractChannel(hsv, 0), dtype=np.uint8),
        edges=np.asarray(cv2.Canny(grey, EDGE_LOW_GREY, EDGE_HIGH_GREY), dtype=np.uint8) & np.uint8(1),
        ink=find_ink(grey),
        aspect=width / height,
    )


def find_ink(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return 1 where a pixel is darker than its surroundings (lighter, on dark ground), else 0."""
    dark = grey if float(np.median(grey[::4, ::4])) >= DARK_GROUND_GREY else cv2.bitwise_not(grey)
    around = cv2.blur(dark, (INK_WINDOW_PX, INK_WINDOW_PX))
    _, ink = cv2.threshold(cv2.subtract(around, dark), INK_CONTRAST_GREY, 1, cv2.THRESH_BINARY)
    return np.asarray(ink, dtype=np.uint8)


def _grey(rgb: Picture) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
