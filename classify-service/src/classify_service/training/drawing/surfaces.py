"""Pictures of no label that are made of pixels, not shapes: materials, skies, seas from above, cells, X-rays, static."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from classify_service.model.preprocessing import Picture

_Field = npt.NDArray[np.floating[Any]]


def _size(rng: np.random.Generator) -> tuple[int, int]:
    height, width = rng.integers(200, 513, 2).tolist()
    return height, width


def _clouds(rng: np.random.Generator, shape: tuple[int, int], *, roughness: float) -> _Field:
    """Return noise of many scales from 0 to 1; `roughness` is how much of each next finer scale is added."""
    total, weight = np.zeros(shape), 1.0
    for cells in (2, 4, 8, 16, 32, 64, 128):
        small = rng.random((cells, max(2, cells * shape[1] // shape[0])))
        total += weight * cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
        weight *= roughness
    return np.asarray((total - total.min()) / (np.ptp(total) + 1e-9))


def _coloured(amount: _Field, rng: np.random.Generator, *, stops: int = 3) -> Picture:
    colours = rng.uniform(0, 255, (stops, 3))
    places = np.linspace(0, 1, stops)
    return np.stack([np.interp(amount, places, colours[:, channel]) for channel in range(3)], axis=2).astype(np.uint8)


def _bytes(values: npt.NDArray[Any]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


def _grey(values: _Field) -> Picture:
    return np.repeat(np.clip(values, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def marble(rng: np.random.Generator) -> Picture:
    """Veins in stone."""
    shape = _size(rng)
    x = np.indices(shape)[1] / shape[1]
    veins = np.abs(np.sin((x * rng.uniform(1, 6) + _clouds(rng, shape, roughness=0.6) * rng.uniform(2, 8)) * np.pi))
    return _coloured(veins ** rng.uniform(0.4, 2), rng)


def wood(rng: np.random.Generator) -> Picture:
    """Rings and fibres."""
    shape = _size(rng)
    y, x = np.indices(shape) / shape[0]
    rings = (
        np.hypot(x - rng.uniform(-1, 1), (y - 0.5) * rng.uniform(0.1, 0.6)) * rng.uniform(8, 40)
        + _clouds(rng, shape, roughness=0.5) * 3
    )
    brown = np.array([rng.uniform(110, 220), rng.uniform(70, 150), rng.uniform(30, 100)])
    return _bytes(brown * (0.6 + 0.4 * (rings % 1))[..., None] + rng.normal(0, 7, (*shape, 1)))


def bricks(rng: np.random.Generator) -> Picture:
    """A wall."""
    height, width = _size(rng)
    picture = np.full((height, width, 3), rng.uniform(120, 220), np.float64)
    deep, wide = int(rng.integers(14, 50)), int(rng.integers(40, 110))
    tone = rng.uniform((110, 40, 30), (210, 150, 130))
    for row, top in enumerate(range(0, height, deep)):
        for left in range(-(row % 2) * wide // 2, width, wide):
            picture[top + 2 : top + deep, max(0, left + 2) : max(0, left + wide)] = tone * rng.uniform(0.75, 1.2)
    return _bytes(picture + 26 * (_clouds(rng, (height, width), roughness=0.9)[..., None] - 0.5))


def fur(rng: np.random.Generator) -> Picture:
    """Strands: grass, fur, brushed metal."""
    height, width = _size(rng)
    long = int(rng.integers(9, 60))
    strands = cv2.blur(rng.random((height, width)), (1, long) if rng.random() < 0.5 else (long, 1))
    strands = (strands - strands.min()) / np.ptp(strands)
    return _coloured(strands * 0.7 + 0.3 * _clouds(rng, (height, width), roughness=0.5), rng)


def aerial(rng: np.random.Generator) -> Picture:
    """Land and sea from above."""
    shape = _size(rng)
    land = _clouds(rng, shape, roughness=rng.uniform(0.5, 0.8))
    steps = np.array([(10, 30, 70), (30, 90, 130), (200, 190, 150), (90, 120, 60), (50, 80, 40), (230, 230, 230)])
    return np.stack([np.interp(land, np.linspace(0, 1, 6), steps[:, c]) for c in range(3)], axis=2).astype(np.uint8)


def sky(rng: np.random.Generator) -> Picture:
    """Stars and a nebula."""
    shape = _size(rng)
    picture = _coloured(_clouds(rng, shape, roughness=0.6), rng) * rng.uniform(0.0, 0.5)
    for _ in range(int(rng.integers(60, 600))):
        at = (int(rng.integers(shape[1])), int(rng.integers(shape[0])))
        cv2.circle(
            picture, at, int(rng.choice([0, 0, 1, 2])), (255, 255, float(rng.uniform(180, 255))), -1, cv2.LINE_AA
        )
    return _bytes(picture)


def cells(rng: np.random.Generator) -> Picture:
    """Cells under a microscope, stained or glowing."""
    height, width = _size(rng)
    glowing = rng.random() < 0.4
    picture = np.full(
        (height, width, 3), (8, 8, 12) if glowing else rng.uniform((220, 190, 210), (250, 235, 245)), np.float64
    )
    tint = rng.uniform(40, 255, 3) if glowing else rng.uniform((120, 60, 120), (210, 150, 200))
    reach = rng.uniform(6, 26)
    for _ in range(int(height * width / reach**2 / rng.uniform(6, 16))):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(reach * rng.uniform(0.6, 1.3)), int(reach * rng.uniform(0.6, 1.3)))
        cv2.ellipse(
            picture,
            at,
            axes,
            float(rng.uniform(0, 180)),
            0,
            360,
            (tint * rng.uniform(0.8, 1.1)).tolist(),
            -1,
            cv2.LINE_AA,
        )
        cv2.circle(picture, at, max(1, int(axes[0] * 0.4)), (tint * 0.55).tolist(), -1, cv2.LINE_AA)
    return _bytes(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 2.5)) + rng.normal(0, 5, picture.shape))


def x_ray(rng: np.random.Generator) -> Picture:
    """Ribs and bones in grey on black."""
    height, width = _size(rng)
    picture = np.zeros((height, width))
    cv2.ellipse(picture, (width // 2, height // 2), (int(width * 0.4), int(height * 0.46)), 0, 0, 360, 95, -1)
    cv2.line(picture, (width // 2, 0), (width // 2, height), 200, int(width * rng.uniform(0.05, 0.1)))
    for y in np.linspace(height * 0.12, height * 0.85, int(rng.integers(5, 11))):
        for side in (-1, 1):
            centre = (int(width / 2 + side * width * 0.16), int(y))
            cv2.ellipse(
                picture,
                centre,
                (int(width * 0.2), int(height * 0.07)),
                side * 12.0,
                180,
                360,
                165,
                int(rng.integers(4, 10)),
            )
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(2, 6)) * (
        0.7 + 0.5 * _clouds(rng, (height, width), roughness=0.6)
    )
    return _grey(soft + rng.normal(0, rng.uniform(3, 12), soft.shape))


def section(rng: np.random.Generator) -> Picture:
    """A slice of a head or belly, as tomographs give it."""
    height, width = _size(rng)
    y, x = np.indices((height, width))
    inside = np.hypot((x - width / 2) / (width * 0.4), (y - height / 2) / (height * 0.42))
    tissue = 70 + 110 * _clouds(rng, (height, width), roughness=0.7)
    picture = np.where(inside < 0.9, tissue, np.where(inside < 1, rng.uniform(150, 250), 0))
    for _ in range(int(rng.integers(1, 6))):
        at = (int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(0.3, 0.7)))
        cv2.ellipse(
            picture,
            at,
            (int(width * rng.uniform(0.03, 0.14)), int(height * rng.uniform(0.03, 0.14))),
            float(rng.uniform(0, 180)),
            0,
            360,
            float(rng.uniform(0, 240)),
            -1,
        )
    return _grey(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 2.5)) + rng.normal(0, 7, picture.shape))


def ultrasound(rng: np.random.Generator) -> Picture:
    """A fan of speckle."""
    height, width = _size(rng)
    y, x = np.indices((height, width)).astype(np.float64)
    far, angle = np.hypot(x - width / 2, y + height * 0.1), np.arctan2(x - width / 2, y + height * 0.1)
    fan = (np.abs(angle) < rng.uniform(0.5, 0.8)) & (far > height * 0.2) & (far < height * 1.05)
    speckle = cv2.GaussianBlur(rng.random((height, width)), (0, 0), 1.5)
    speckle = (speckle - speckle.min()) / np.ptp(speckle)
    return _grey(fan * speckle * (60 + 260 * _clouds(rng, (height, width), roughness=0.5) ** 2))


def static(rng: np.random.Generator) -> Picture:
    """Noise, fine or coarse, grey or coloured."""
    height, width = _size(rng)
    grain = int(rng.choice([1, 2, 4, 8]))
    small = rng.integers(0, 256, (height // grain + 1, width // grain + 1, int(rng.choice([1, 3]))), dtype=np.uint8)
    noise = np.repeat(small, 3, axis=2) if small.shape[2] == 1 else small
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def haze(rng: np.random.Generator) -> Picture:
    """Out of focus: nothing to be made out."""
    return _coloured(_clouds(rng, _size(rng), roughness=0.25), rng, stops=int(rng.integers(2, 6)))


def balls(rng: np.random.Generator) -> Picture:
    """A rendering: lit balls over a floor."""
    height, width = _size(rng)
    y, x = np.indices((height, width)).astype(np.float64)
    picture = np.empty((height, width, 3))
    picture[:] = rng.uniform(0, 255, 3) * (0.4 + 0.6 * (y / height))[..., None]
    for _ in range(int(rng.integers(1, 9))):
        cx, cy, reach = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(20, 110)
        far = np.hypot(x - cx, y - cy) / reach
        light = np.clip(1 - np.hypot(x - cx + reach * 0.4, y - cy + reach * 0.4) / (1.6 * reach), 0.05, 1)
        ball = (
            rng.uniform(30, 255, 3) * light[..., None] + 200 * (light > 0.9)[..., None] * (light[..., None] - 0.9) * 10
        )
        picture[far < 1] = ball[far < 1]
    return _bytes(picture)


LAYOUTS: dict[str, Callable[[np.random.Generator], Picture]] = {
    "marble": marble,
    "wood": wood,
    "bricks": bricks,
    "fur": fur,
    "aerial": aerial,
    "sky": sky,
    "cells": cells,
    "x-ray": x_ray,
    "section": section,
    "ultrasound": ultrasound,
    "static": static,
    "haze": haze,
    "balls": balls,
}
