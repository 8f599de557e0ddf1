"""Pieces that drawn things of no label are made of: a sheet of SVG, paths, blobs."""

from __future__ import annotations

import numpy as np

from classify_service.training.drawing.markup import LATIN_FONTS, Markup


def svg(inside: str, width: float, height: float, *, back: str = "#fff", printed: bool = False) -> Markup:
    """Return a sheet with these shapes on it."""
    wide, high = round(width), round(height)
    return Markup(
        html=f"<!doctype html><meta charset=utf-8><body style='margin:0;background:{back}'><svg width={wide} height={high} "
        f"viewBox='0 0 {wide} {high}' style='display:block'>{inside}</svg>",
        width_px=wide,
        height_px=high,
        printed=printed,
    )


def any_size(rng: np.random.Generator, low: int = 256, high: int = 640) -> tuple[int, int]:
    """Return a width and a height in pixels."""
    width, height = rng.integers(low, high, 2).tolist()
    return width, height


def any_font(rng: np.random.Generator) -> str:
    """Return the name of a font."""
    return LATIN_FONTS[int(rng.integers(len(LATIN_FONTS)))]


def path_of(points: np.ndarray) -> str:
    """Return SVG path data through the points, (count, 2)."""
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points)


def blob(rng: np.random.Generator, x: float, y: float, reach: float, *, corners: int = 14) -> str:
    """Return SVG path data of a closed shape around (x, y); few corners make it a splinter."""
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    far = reach * rng.uniform(0.55, 1.1, corners)
    return path_of(np.stack([x + far * np.cos(turns), y + far * np.sin(turns)], axis=1)) + "Z"
