"""Edges, corners and flat places: how a picture was made. A camera leaves noise, a program leaves none."""

from __future__ import annotations

import cv2
import numpy as np

from classify_service.model.features.canvas import Canvas
from classify_service.model.features.shares import deviation_of, mean_of, share_of

ORIENTATIONS = 8
GRID = 3
BLOCK_PX = 8
FLAT_DEVIATION_GREY = 2.0
BUSY_DEVIATION_GREY = 40.0
SOBEL_SUM = 8
"""By what Sobel's sum of eight differences is more than the slope."""

STRONG_GRADIENT_GREY = 20.0
FAST_THRESHOLD_GREY = 25

FEATURES = {
    "edge_density": "share of pixels on a Canny edge",
    **{
        f"edge_density_cell_{y}{x}": f"share of the edges in cell {y}, {x} of 3 x 3" for y in range(3) for x in range(3)
    },
    **{f"edge_orientation_{at:02}": f"share of gradient length, {22.5 * at} degrees" for at in range(ORIENTATIONS)},
    "gradient_mean": "mean length of the gradient, grey levels a pixel, by 255",
    "gradient_strong_share": "share of pixels, gradient above 20 grey levels a pixel",
    "gradient_zero_share": "share of pixels without any gradient",
    "sharpness": "log10 of 1 + variance of the Laplacian",
    "noise": "median of the absolute Laplacian, grey levels by 255",
    "flat_block_share": "share of 8 x 8 blocks, standard deviation below 2 grey levels",
    "busy_block_share": "share of 8 x 8 blocks, standard deviation above 40 grey levels",
    "block_deviation_median": "median standard deviation of 8 x 8 blocks, grey levels by 255",
    "corner_density": "FAST corners in 1000 pixels",
    "corner_per_edge": "FAST corners for each edge pixel",
}


def measure(canvas: Canvas) -> dict[str, float]:
    """Return the edge features."""
    edges = canvas.edges
    length, angle = _gradients(canvas.grey)
    laplacian = cv2.Laplacian(canvas.grey, cv2.CV_16S)
    deviations = _block_deviations(canvas.grey)
    detector = cv2.FastFeatureDetector.create(threshold=FAST_THRESHOLD_GREY)
    corners = len(detector.detect(canvas.grey))
    edge_pixels = cv2.countNonZero(edges)
    return {
        "edge_density": edge_pixels / edges.size,
        **_cells(edges, edge_pixels),
        **_orientations(length, angle),
        "gradient_mean": mean_of(length) / 255,
        "gradient_strong_share": float(np.mean(length > STRONG_GRADIENT_GREY)),
        "gradient_zero_share": 1 - share_of(length),
        "sharpness": float(np.log10(1 + deviation_of(laplacian) ** 2)),
        "noise": _median_size(laplacian[::2, ::2]) / 255,
        "flat_block_share": float(np.mean(deviations < FLAT_DEVIATION_GREY)),
        "busy_block_share": float(np.mean(deviations > BUSY_DEVIATION_GREY)),
        "block_deviation_median": float(np.median(deviations) / 255),
        "corner_density": 1000 * corners / edges.size,
        "corner_per_edge": corners / max(edge_pixels, 1),
    }


def _cells(edges: np.ndarray, edge_pixels: int) -> dict[str, float]:
    return {
        f"edge_density_cell_{y}{x}": cv2.countNonZero(np.ascontiguousarray(cell)) / max(edge_pixels, 1)
        for y, band in enumerate(np.array_split(edges, GRID))
        for x, cell in enumerate(np.array_split(band, GRID, axis=1))
    }


def _gradients(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return length, grey levels a pixel, and angle, degrees, of the gradient at every second row and column."""
    across, down = (part[::2, ::2].astype(np.float32) for part in cv2.spatialGradient(grey))
    length, angle = cv2.cartToPolar(across, down, angleInDegrees=True)
    return length / SOBEL_SUM, angle


def _orientations(length: np.ndarray, angle: np.ndarray) -> dict[str, float]:
    """Share the gradients' length out to directions without sign, each bin centred on its angle."""
    bins = (angle * (ORIENTATIONS / 180) + 0.5).astype(np.uint8) % ORIENTATIONS
    sums = np.bincount(bins.ravel(), weights=length.ravel(), minlength=ORIENTATIONS)
    return {f"edge_orientation_{at:02}": float(value / max(sums.sum(), 1e-6)) for at, value in enumerate(sums)}


def _median_size(values: np.ndarray) -> float:
    """Return the median of absolute whole numbers; counting them is faster than sorting them."""
    counts = np.cumsum(np.bincount(np.abs(values).ravel()))
    middle = [(counts[-1] - 1) // 2, counts[-1] // 2]
    return float(np.searchsorted(counts, middle, side="right").mean())


def _block_deviations(grey: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each whole block; (blocks,)."""
    height, width = (side // BLOCK_PX for side in grey.shape)
    whole = grey[: height * BLOCK_PX, : width * BLOCK_PX]
    blocks = whole.reshape(height, BLOCK_PX, width, BLOCK_PX).transpose(1, 3, 0, 2).reshape(BLOCK_PX**2, -1)
    sums, squares = (cv2.reduce(blocks, 0, what, dtype=cv2.CV_64F) for what in (cv2.REDUCE_SUM, cv2.REDUCE_SUM2))
    mean = sums.ravel() / BLOCK_PX**2
    return np.sqrt(np.maximum(squares.ravel() / BLOCK_PX**2 - mean * mean, 0))
