"""Ink: the strokes and blobs that writing, lines and symbols leave on their ground.

Printed text has many small components of one height and strokes of one width; handwriting varies in both.
"""

from __future__ import annotations

import cv2
import numpy as np

from classify_service.model.features.canvas import Canvas
from classify_service.model.features.shares import mean_of

LETTER_HEIGHT_PX = (3, 40)
MAX_LETTER_ASPECT = 6.0
THIN_STROKE_PX = 2
THICK_STROKE_PX = 8

FEATURES = {
    "ink_density": "share of pixels",
    "ink_grey_contrast": "mean grey level of the ground less that of the ink, by 255",
    "ink_saturation": "mean saturation of the ink, 0 to 1",
    "text_stroke_width_median": "pixels, on the middle lines of strokes",
    "text_stroke_width_mean": "pixels",
    "text_stroke_width_deviation": "standard deviation by mean",
    "stroke_thin_share": "share of the middle lines' pixels, strokes up to 2 pixels wide",
    "stroke_thick_share": "share of the middle lines' pixels, strokes of more than 8 pixels",
    "component_density": "log10 of 1 + connected components in a million pixels",
    "letter_density": "log10 of 1 + letter-sized components in a million pixels",
    "letter_share": "letter-sized components by all components of 3 pixels or more",
    "letter_height_median": "pixels",
    "letter_height_spread": "difference of the quartiles by the median",
    "letter_width_median": "pixels",
    "letter_width_spread": "difference of the quartiles by the median",
    "letter_fill_median": "ink by bounding box",
    "letter_ink_share": "share of the ink in letter-sized components",
    "largest_component_share": "share of the canvas, bounding box of the largest component",
    "largest_component_ink": "share of the ink in the largest component",
    "box_component_share": "bounding boxes of components larger than letters, sum by canvas, up to 3",
}


def measure(canvas: Canvas) -> dict[str, float]:
    """Return the ink features; without ink every width, height and share is 0."""
    ink = canvas.ink
    inked = cv2.countNonZero(ink)
    contrast = saturation = 0.0
    if 0 < inked < ink.size:
        inside = cv2.mean(canvas.grey, ink)[0]
        ground = (mean_of(canvas.grey) * ink.size - inside * inked) / (ink.size - inked)
        contrast = float(ground - inside) / 255
        saturation = float(cv2.mean(canvas.saturation, ink)[0]) / 255
    return {
        "ink_density": inked / ink.size,
        "ink_grey_contrast": contrast,
        "ink_saturation": saturation,
        **_stroke_widths(ink),
        **_components(ink),
    }


def _stroke_widths(ink: np.ndarray) -> dict[str, float]:
    """Measure stroke widths where the distance to the ground is largest: on the middle line of each stroke."""
    distance = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
    ridge = cv2.compare(distance, cv2.dilate(distance, np.ones((3, 3), np.uint8)), cv2.CMP_GE)
    widths = 2 * distance[cv2.bitwise_and(ridge, ridge, mask=ink) > 0] - 1
    if widths.size == 0:
        widths = np.zeros(1, dtype=np.float32)
    mean = float(widths.mean())
    return {
        "text_stroke_width_median": float(np.median(widths)),
        "text_stroke_width_mean": mean,
        "text_stroke_width_deviation": float(widths.std() / max(mean, 1e-6)),
        "stroke_thin_share": float(np.mean((widths > 0) & (widths <= THIN_STROKE_PX))),
        "stroke_thick_share": float(np.mean(widths > THICK_STROKE_PX)),
    }


def _components(ink: np.ndarray) -> dict[str, float]:
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 8, cv2.CV_32S, cv2.CCL_GRANA)
    parts = stats[1:]
    parts = parts[parts[:, cv2.CC_STAT_AREA] >= 3]
    widths, heights = parts[:, cv2.CC_STAT_WIDTH], parts[:, cv2.CC_STAT_HEIGHT]
    areas, boxes = parts[:, cv2.CC_STAT_AREA], widths * heights
    low, high = LETTER_HEIGHT_PX
    letters = (heights >= low) & (heights <= high) & (widths <= MAX_LETTER_ASPECT * heights) & (widths >= 2)
    larger = (heights > high) | (widths > 2 * high)
    megapixels = ink.size / 1e6
    largest = int(boxes.argmax()) if len(parts) else -1
    all_ink = max(int(areas.sum()), 1)
    height_median, height_spread = _middle(heights[letters])
    width_median, width_spread = _middle(widths[letters])
    return {
        "component_density": float(np.log10(1 + len(parts) / megapixels)),
        "letter_density": float(np.log10(1 + letters.sum() / megapixels)),
        "letter_share": float(letters.sum() / max(len(parts), 1)),
        "letter_height_median": height_median,
        "letter_height_spread": height_spread,
        "letter_width_median": width_median,
        "letter_width_spread": width_spread,
        "letter_fill_median": _middle(areas[letters] / np.maximum(boxes[letters], 1))[0],
        "letter_ink_share": float(areas[letters].sum() / all_ink),
        "largest_component_share": float(boxes[largest] / ink.size) if len(parts) else 0.0,
        "largest_component_ink": float(areas[largest] / all_ink) if len(parts) else 0.0,
        "box_component_share": float(min(3.0, boxes[larger].sum() / ink.size)),
    }


def _middle(values: np.ndarray) -> tuple[float, float]:
    """Return the median, and the difference of the quartiles by it; zeros without values."""
    if values.size == 0:
        return 0.0, 0.0
    quarter, median, three_quarters = np.percentile(values, [25, 50, 75])
    return float(median), float((three_quarters - quarter) / max(median, 1e-6))
