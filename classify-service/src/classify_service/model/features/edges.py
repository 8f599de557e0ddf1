"""Edges, corners and flat places: how a picture was made. A camera leaves noise, a program leaves none."""

from __future__ import annotations

import cv2
import numpy as np

from classify_service.model.features.canvas import Canvas
from classify_service.model.features.shares import deviation_of, share_of

ORIENTATIONS = 8
GRID = 3
BLOCK_PX = 8
FLAT_DEVIATION_GREY = 2.0
BUSY_DEVIATION_GREY = 40.0
STRONG_GRADIENT_GREY = 40.0
FAST_THRESHOLD_GREY = 25

FEATURES = {
    "edge_density": "share of pixels on a Canny edge",
    **{
        f"edge_density_cell_{y}{x}": f"share of the edges in cell {y}, {x} of 3 x 3" for y in range(3) for x in range(3)
    },
    **{f"edge_orientation_{at:02}": f"share of gradient length, {22.5 * at} degrees" for at in range(ORIENTATIONS)},
    "gradient_mean": "grey levels a pixel, by 255",
    "gradient_strong_share": "share of pixels, gradient above 40 grey levels a pixel",
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
    cells = cv2.resize(edges.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
    horizontal = cv2.Sobel(canvas.grey, cv2.CV_32F, 1, 0, scale=0.25)
    vertical = cv2.Sobel(canvas.grey, cv2.CV_32F, 0, 1, scale=0.25)
    length = cv2.magnitude(horizontal, vertical)
    laplacian = cv2.Laplacian(canvas.grey, cv2.CV_16S)
    deviations = _block_deviations(canvas.grey)
    detector = cv2.FastFeatureDetector.create(threshold=FAST_THRESHOLD_GREY)
    corners = len(detector.detect(canvas.grey))
    edge_pixels = cv2.countNonZero(edges)
    return {
        "edge_density": edge_pixels / edges.size,
        **{
            f"edge_density_cell_{y}{x}": float(cells[y, x] / max(cells.sum(), 1e-6))
            for y in range(GRID)
            for x in range(GRID)
        },
        **_orientations(horizontal, vertical),
        "gradient_mean": cv2.mean(length)[0] / 255,
        "gradient_strong_share": share_of(cv2.threshold(length, STRONG_GRADIENT_GREY, 1, cv2.THRESH_BINARY)[1]),
        "gradient_zero_share": 1 - share_of(length),
        "sharpness": float(np.log10(1 + deviation_of(laplacian) ** 2)),
        "noise": _median_size(laplacian[::2, ::2]) / 255,
        "flat_block_share": float(np.mean(deviations < FLAT_DEVIATION_GREY)),
        "busy_block_share": float(np.mean(deviations > BUSY_DEVIATION_GREY)),
        "block_deviation_median": float(np.median(deviations) / 255),
        "corner_density": 1000 * corners / edges.size,
        "corner_per_edge": corners / max(edge_pixels, 1),
    }


def _orientations(horizontal: np.ndarray, vertical: np.ndarray) -> dict[str, float]:
    """Share the gradients' length out to directions without sign, each bin centred on its angle."""
    length, angle = cv2.cartToPolar(horizontal[::2, ::2].copy(), vertical[::2, ::2].copy(), angleInDegrees=True)
    bins = (angle * (ORIENTATIONS / 180) + 0.5).astype(np.uint8) % ORIENTATIONS
    sums = np.bincount(bins.ravel(), weights=length.ravel(), minlength=ORIENTATIONS)
    return {f"edge_orientation_{at:02}": float(value / max(sums.sum(), 1e-6)) for at, value in enumerate(sums)}


def _median_size(values: np.ndarray) -> float:
    """Return the median of absolute whole numbers; counting them is faster than sorting them."""
    counts = np.cumsum(np.bincount(np.abs(values).ravel()))
    middle = [(counts[-1] - 1) // 2, counts[-1] // 2]
    return float(np.searchsorted(counts, middle, side="right").mean())


def _block_deviations(grey: np.ndarray) -> np.ndarray:
    corners = tuple(slice(0, side // BLOCK_PX * BLOCK_PX + 1, BLOCK_PX) for side in grey.shape)
    sums, squares = (np.diff(np.diff(whole[corners], axis=0), axis=1) for whole in cv2.integral2(grey))
    mean = sums / BLOCK_PX**2
    return np.sqrt(np.maximum(squares / BLOCK_PX**2 - mean * mean, 0))
