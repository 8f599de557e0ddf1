"""What happens to a page on its way into someone's folder: photographed on a table, scanned, copied, faxed, folded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from classify_service.model.preprocessing import Picture

Way = Callable[[Picture, np.random.Generator], Picture]
"""One way that a page takes: page and random numbers in, what is found out."""
_Floats = npt.NDArray[np.float32]


def as_found(page: Picture, rng: np.random.Generator) -> Picture:
    """Return the page as 60 % of such pictures are: photographed, scanned or copied; the others stay as printed."""
    chance = rng.random()
    if chance < 0.4:
        return page
    if chance < 0.62:
        return scanned(page, rng)
    if chance < 0.75:
        return copied(page, rng)
    return photographed(page, rng)


def _light(shape: tuple[int, ...], rng: np.random.Generator, *, grain_px: float) -> _Floats:
    """Return smooth noise from 0 to 1, (height, width)."""
    height, width = shape[:2]
    small = (max(2, int(height / grain_px)), max(2, int(width / grain_px)))
    noise = cv2.resize(rng.random(small).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(noise, 0, 1), dtype=np.float32)


def _bytes(values: npt.NDArray[Any]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


def _turned(page: Picture, degrees: float, fill: tuple[int, int, int]) -> Picture:
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(
        cv2.warpAffine(page, turn, (width, height), borderValue=fill, flags=cv2.INTER_AREA), dtype=np.uint8
    )


def scanned(page: Picture, rng: np.random.Generator) -> Picture:
    """A flat-bed scan: a little skew, grey or tinted paper, noise, now and then a dark edge or grey alone."""
    tint = np.array([1, 1, 1]) - rng.uniform(0, 0.16) * rng.random(3)
    seen = page.astype(np.float32) * tint.astype(np.float32)
    seen = seen * rng.uniform(0.72, 1.0) + rng.uniform(0, 60)
    seen -= 18 * _light(page.shape, rng, grain_px=120)[..., None]
    seen += rng.normal(0, rng.uniform(1, 7), page.shape).astype(np.float32)
    flat = _bytes(cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.3)))
    border = int(rng.choice([0, 60, 235, 255]))
    flat = _turned(flat, rng.uniform(-2.5, 2.5), (border, border, border))
    if rng.random() < 0.25:
        edge = int(rng.integers(5, 30))
        side = rng.integers(4)
        view = (flat[:edge], flat[-edge:], flat[:, :edge], flat[:, -edge:])[int(side)]
        view[:] = view // int(rng.integers(3, 12))
    if rng.random() < 0.45:
        flat = np.repeat(cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return flat


def copied(page: Picture, rng: np.random.Generator) -> Picture:
    """A photocopy, fax or a phone's scanning app: black or white alone, specks, strokes that broke or grew fat."""
    sharp = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = np.asarray(cv2.GaussianBlur(sharp, (0, 0), rng.uniform(0.3, 1.0)), dtype=np.float32)
    grey += rng.normal(0, rng.uniform(2, 14), grey.shape).astype(np.float32) - 12 * _light(
        grey.shape, rng, grain_px=200
    )
    level = rng.uniform(165, 220)
    hard = 255 / (1 + np.exp(-np.clip((grey - level) / rng.uniform(2, 14), -40, 40)))
    turned = _turned(np.repeat(_bytes(hard)[..., None], 3, axis=2), rng.uniform(-3, 3), (255, 255, 255))
    for _ in range(int(rng.integers(0, 25))):
        at = (int(rng.integers(page.shape[1])), int(rng.integers(page.shape[0])))
        cv2.circle(turned, at, int(rng.integers(1, 3)), (0, 0, 0), -1)
    if rng.random() < 0.2:
        turned[:, : int(rng.integers(4, 40))] = 20
    return turned


def _table_top(height: int, width: int, rng: np.random.Generator) -> _Floats:
    colour = np.array(
        [
            (120, 84, 52),
            (60, 42, 30),
            (150, 150, 148),
            (40, 40, 44),
            (200, 190, 175),
            (90, 20, 24),
            (30, 60, 100),
            (225, 225, 222),
        ]
    )[int(rng.integers(8))]
    grain = _light((height, width), rng, grain_px=rng.uniform(3, 60))
    if rng.random() < 0.5:
        grain = np.asarray(cv2.blur(grain, (int(rng.integers(60, 240)), 1)), dtype=np.float32)
    return np.asarray(
        (colour * (0.6 + 0.7 * grain[..., None])) + rng.normal(0, 5, (height, width, 3)), dtype=np.float32
    )


def _creases(page: Picture, rng: np.random.Generator) -> Picture:
    """Fold the sheet: each fold makes one side lighter than the other."""
    light = np.zeros(page.shape[:2], np.float32)
    y, x = np.indices(page.shape[:2], dtype=np.float32)
    for _ in range(int(rng.integers(1, 8))):
        turn = rng.uniform(0, np.pi) if rng.random() < 0.6 else rng.choice([0, np.pi / 2])
        off = (x - rng.uniform(0.1, 0.9) * page.shape[1]) * np.cos(turn) + (
            y - rng.uniform(0.1, 0.9) * page.shape[0]
        ) * np.sin(turn)
        light += rng.uniform(-1, 1) * np.exp(-np.abs(off) / rng.uniform(4, 120)) * np.sign(off)
    return _bytes(page + (light * rng.uniform(6, 26))[..., None])


def _curved(page: Picture, rng: np.random.Generator) -> Picture:
    """Bend the sheet as an open book or a curled paper is bent."""
    height, width = page.shape[:2]
    y, x = np.indices((height, width), dtype=np.float32)
    swing, phase = rng.uniform(4, 26), rng.uniform(0, 6)
    across = rng.uniform(0.4, 1.2)
    moved_y = y + swing * np.sin(x / width * np.pi * across + phase).astype(np.float32)
    moved_x = x + rng.uniform(0, 12) * np.sin(y / height * np.pi + phase).astype(np.float32)
    return np.asarray(
        cv2.remap(
            page,
            moved_x.astype(np.float32),
            moved_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        dtype=np.uint8,
    )


def photographed(page: Picture, rng: np.random.Generator) -> Picture:
    """A phone's photo: the sheet in perspective on a table or filling the frame, shadows, warm or cold light, blur."""
    if rng.random() < 0.5:
        page = _creases(page, rng)
    if rng.random() < 0.5:
        page = _curved(page, rng)
    height, width = page.shape[:2]
    close = rng.random() < 0.45
    out_w, out_h = (width, height) if close or rng.random() < 0.5 else (round(height * 0.75), height)
    spread = rng.uniform(-0.1, 0.02) if close else rng.uniform(0.02, 0.12)
    corners = np.array([[spread, spread], [1 - spread, spread], [1 - spread, 1 - spread], [spread, 1 - spread]])
    corners = (corners + rng.uniform(-0.05, 0.05, (4, 2))) * (out_w, out_h)
    turn = np.deg2rad(rng.choice([0, 0, 0, rng.uniform(-12, 12), 90, 270], p=[0.3, 0.2, 0.2, 0.24, 0.03, 0.03]))
    centre = np.array([out_w, out_h]) / 2
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = (corners - centre) @ spin.T + centre
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    view = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    seen = cv2.warpPerspective(page, view, (out_w, out_h), flags=cv2.INTER_AREA).astype(np.float32)
    sheet = cv2.warpPerspective(np.full((height, width), 255, np.uint8), view, (out_w, out_h)).astype(np.float32) / 255
    shadow = cv2.GaussianBlur(np.roll(sheet, (8, 8), (0, 1)), (0, 0), 9)
    paper = np.array([255, rng.uniform(238, 255), rng.uniform(205, 255)], np.float32) / 255 * rng.uniform(0.8, 1.02)
    table = _table_top(out_h, out_w, rng) * (1 - 0.5 * shadow[..., None])
    scene = seen * paper * sheet[..., None] + table * (1 - sheet[..., None])
    scene *= (1 - rng.uniform(0.05, 0.35) * _light(scene.shape, rng, grain_px=rng.uniform(150, 600)))[..., None]
    if rng.random() < 0.3:
        y, x = np.indices(scene.shape[:2], dtype=np.float32)
        slope = rng.uniform(0, 2 * np.pi)
        edge = (x - out_w * rng.uniform(0.2, 0.8)) * np.cos(slope) + (y - out_h * rng.uniform(0.2, 0.8)) * np.sin(slope)
        scene *= (1 - rng.uniform(0.1, 0.35) / (1 + np.exp(-edge / rng.uniform(4, 60))))[..., None]
    blurred = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 1.8))
    return _bytes(blurred + rng.normal(0, rng.uniform(1, 9), scene.shape))
