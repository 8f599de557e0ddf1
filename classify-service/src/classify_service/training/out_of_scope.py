"""Pictures that belong to no label, drawn from a seed, and how many of them a classifier rightly leaves unlabelled.

Ten kinds that people's folders hold besides photos and pages. They are crude, and nothing was tuned on them: their
share tells whether a model says "I don't know" at all, not how often on a real folder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from classify_service.model.classifier import Classifier
from classify_service.model.preprocessing import Picture

PICTURES_A_KIND = 10
SEED = 20261124

_Canvas = npt.NDArray[np.uint8]
_Draw = Callable[[_Canvas, np.random.Generator], npt.NDArray[Any]]


def draw_out_of_scope(*, seed: int = SEED, count: int = PICTURES_A_KIND) -> dict[str, list[Picture]]:
    """Return `count` pictures of each kind, by kind; the same seed always gives the same pixels."""
    pictures: dict[str, list[Picture]] = {}
    for kind, draw in KINDS.items():
        # Each kind has its own numbers, so that another kind changes none of them.
        rng = np.random.default_rng([seed, *kind.encode()])
        pictures[kind] = [_draw(draw, rng) for _ in range(count)]
    return pictures


def measure_out_of_scope(classifier: Classifier, *, seed: int = SEED) -> dict[str, Any]:
    """Return the share that comes out `unclassified`, over all and by kind, and the labels of the others."""
    kinds: dict[str, Any] = {}
    for kind, pictures in tqdm(draw_out_of_scope(seed=seed).items(), desc="out of scope", unit="kind"):
        best = [classifier.scores(picture)[0] for picture in pictures]
        given = [score.label for score in best if classifier.is_sure_of(score.label, score.confidence)]
        kinds[kind] = {
            "images": len(pictures),
            "unclassified": len(pictures) - len(given),
            "labels": {label: given.count(label) for label in sorted(set(given))},
        }
    images = sum(figures["images"] for figures in kinds.values())
    unclassified = sum(figures["unclassified"] for figures in kinds.values())
    return {"seed": seed, "images": images, "unclassified_share": round(unclassified / images, 6), "kinds": kinds}


def out_of_scope_table(figures: dict[str, Any]) -> str:
    """Return `measure_out_of_scope`'s figures as lines that a person reads."""
    lines = [f"{'out of scope':<14}  unclassified  others"]
    for kind, row in figures["kinds"].items():
        others = ", ".join(f"{label} {count}" for label, count in row["labels"].items())
        lines.append(f"{kind:<14}  {row['unclassified']:5d} of {row['images']:<3d}  {others}".rstrip())
    lines.append(f"unclassified {figures['unclassified_share']:.3f} of {figures['images']}")
    return "\n".join(lines)


def _draw(draw: _Draw, rng: np.random.Generator) -> Picture:
    height, width = rng.integers(256, 513, 2).tolist()
    drawn = draw(np.full((height, width, 3), 255, dtype=np.uint8), rng)
    return np.clip(drawn, 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> list[int]:
    colour: list[int] = rng.integers(0, 256, 3).tolist()
    return colour


def _field(shape: tuple[int, ...], rng: np.random.Generator, *, grain_px: float) -> npt.NDArray[np.float64]:
    """Return smooth noise from 0 to 1, (height, width)."""
    noise = cv2.GaussianBlur(rng.normal(size=shape[:2]), (0, 0), grain_px)
    return np.asarray((noise - noise.min()) / (np.ptp(noise) + 1e-9))


def _between(amount: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Colour amounts from 0 to 1 between two colours."""
    first, second = np.array(_colour(rng)), np.array(_colour(rng))
    return np.asarray(first + (second - first) * amount[..., None])


def _blank(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    return sheet - rng.integers(0, 40) - rng.normal(0, rng.uniform(0, 3), sheet.shape)


def _noise(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    channels = int(rng.choice([1, 3]))
    return np.repeat(rng.integers(0, 256, (*sheet.shape[:2], channels)), 3 // channels, axis=2)


def _gradient(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    y, x = np.mgrid[0 : 1 : sheet.shape[0] * 1j, 0 : 1 : sheet.shape[1] * 1j]
    turn = rng.uniform(0, np.pi)
    slope = np.abs(x * np.cos(turn) + y * np.sin(turn))
    return _between(slope / slope.max(), rng)


def _cloth(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    y, x = np.indices(sheet.shape[:2])
    step_y, step_x = rng.uniform(4, 14, 2)
    weave = (np.sin(2 * np.pi * x / step_x) + np.sin(2 * np.pi * y / step_y)) / 4 + 0.5
    return _between(weave, rng) + rng.normal(0, 8, sheet.shape)


def _stone(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    layers = sum(_field(sheet.shape, rng, grain_px=grain) / 3 for grain in (1.5, 5.0, 20.0))
    return _between(np.asarray(layers), rng)


def _tiles(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    side = int(rng.integers(16, 60))
    colours = np.array([_colour(rng) for _ in range(3)])
    y, x = np.indices(sheet.shape[:2]) // side
    return np.asarray(colours[(x + y * int(rng.integers(1, 3))) % 3])


def _icon(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    height, width = sheet.shape[:2]
    centre, reach = (width // 2, height // 2), min(height, width) // 3
    sheet[:] = _colour(rng)
    cv2.circle(sheet, centre, reach, _colour(rng), -1, cv2.LINE_AA)
    corners = int(rng.integers(3, 9))
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, np.pi)
    points = np.stack([centre[0] + 0.6 * reach * np.cos(turns), centre[1] + 0.6 * reach * np.sin(turns)], axis=1)
    cv2.fillPoly(sheet, [points.astype(np.int32)], _colour(rng), cv2.LINE_AA)
    return sheet


def _map(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    height, width = sheet.shape[:2]
    land = _field(sheet.shape, rng, grain_px=40)
    drawn = np.where((land > rng.uniform(0.35, 0.5))[..., None], (235, 230, 215), (165, 200, 230)).astype(np.uint8)
    drawn[land > 0.75] = (195, 220, 175)
    for _ in range(int(rng.integers(8, 20))):
        path = np.cumsum(rng.normal(0, 25, (12, 2)), axis=0) + rng.uniform(0, 1, 2) * (width, height)
        road = (250, 200, 90) if rng.random() < 0.3 else (255, 255, 255)
        cv2.polylines(drawn, [path.astype(np.int32)], False, road, int(rng.integers(2, 6)), cv2.LINE_AA)
    return drawn


def _scan(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Draw grey blobs in a bright outline on black, as a medical scan has them."""
    height, width = sheet.shape[:2]
    drawn = np.zeros((height, width), dtype=np.uint8)
    centre = (width // 2, height // 2)
    axes = (int(width * rng.uniform(0.3, 0.45)), int(height * rng.uniform(0.3, 0.45)))
    cv2.ellipse(drawn, centre, axes, 0, 0, 360, 90, -1)
    inside = drawn > 0
    cv2.ellipse(drawn, centre, axes, 0, 0, 360, 220, int(rng.integers(4, 12)))
    tissue = _field(sheet.shape, rng, grain_px=rng.uniform(6, 14)) * 120
    grey = cv2.GaussianBlur(drawn.astype(np.float64) + inside * tissue, (0, 0), 1.5) + rng.normal(0, 6, drawn.shape)
    return np.repeat(grey[..., None], 3, axis=2)


def _blobs(sheet: _Canvas, rng: np.random.Generator) -> npt.NDArray[Any]:
    sheet[:] = _colour(rng)
    for _ in range(int(rng.integers(10, 60))):
        place = (int(rng.integers(sheet.shape[1])), int(rng.integers(sheet.shape[0])))
        axes = (int(rng.integers(5, 90)), int(rng.integers(5, 90)))
        cv2.ellipse(sheet, place, axes, float(rng.uniform(0, 180)), 0, 360, _colour(rng), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(sheet, (0, 0), float(rng.uniform(0.5, 12)))


KINDS: dict[str, _Draw] = {
    "blank page": _blank,
    "noise": _noise,
    "gradient": _gradient,
    "cloth": _cloth,
    "stone": _stone,
    "tiles": _tiles,
    "icon": _icon,
    "map": _map,
    "scan": _scan,
    "blobs": _blobs,
}
"""What is drawn, and how."""
