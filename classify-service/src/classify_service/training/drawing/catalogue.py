"""Which layouts there are for each label, and how one picture comes of a layout and a seed.

A picture's numbers come from the seed, its layout's name and its own place alone: asking for more pictures, or for
other labels, changes none that were drawn before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from classify_service.model.preprocessing import PICTURE_SIDE_PX, Picture
from classify_service.training.drawing import (
    charts,
    circulars,
    diagrams,
    handwriting,
    memes,
    printed_notes,
    question_papers,
    screenshots,
    surfaces,
    unlabelled,
)
from classify_service.training.drawing.browser import Browser
from classify_service.training.drawing.camera import as_found
from classify_service.training.drawing.markup import Markup, Press

Layout = Callable[[np.random.Generator], Markup | Picture]
NO_LABEL = "other"
HANDWRITTEN = "handwritten_note"


def _pages(pages: Mapping[str, Callable[[Press], Markup]]) -> dict[str, Layout]:
    def on_paper(layout: Callable[[Press], Markup]) -> Layout:
        return lambda rng: layout(Press.at_random(rng))

    return {name: on_paper(layout) for name, layout in pages.items()}


DRAWN_LABELS = (
    "chart",
    "circular",
    "diagram",
    "handwritten_note",
    "meme",
    "printed_note",
    "question_paper",
    "screenshot",
    NO_LABEL,
)


def layouts(photos: list[Path], hands: tuple[str, ...]) -> dict[str, dict[str, Layout]]:
    """Return the layouts of each label by name.

    Memes and screens show these photos, or drawn things without any; notes are written in the fonts `hands`.
    """
    return {
        "chart": dict(charts.LAYOUTS),
        "circular": _pages(circulars.LAYOUTS),
        "diagram": dict(diagrams.LAYOUTS),
        "handwritten_note": dict(handwriting.layouts(hands)),
        "meme": dict(memes.layouts(photos)),
        "printed_note": _pages(printed_notes.LAYOUTS),
        "question_paper": _pages(question_papers.LAYOUTS),
        "screenshot": dict(screenshots.layouts(photos)),
        NO_LABEL: {**unlabelled.LAYOUTS, **surfaces.LAYOUTS},
    }


@dataclass(frozen=True)
class Drawer:
    """Draws a label's pictures by number: they take turns with its layouts."""

    label: str
    layouts: dict[str, Layout]
    seed: int

    def layout_of(self, index: int) -> str:
        """Return the layout of picture number `index`."""
        names = list(self.layouts)
        return names[index % len(names)]

    def draw(self, browser: Browser, index: int) -> Picture:
        """Return picture number `index`: RGB, uint8, longest side PICTURE_SIDE_PX or less."""
        name = self.layout_of(index)
        rng = np.random.default_rng([self.seed, index, *f"{self.label}/{name}".encode()])
        drawn = self.layouts[name](rng)
        if not isinstance(drawn, Markup):
            return _reduced(drawn)
        picture = browser.draw(drawn)
        return _reduced(as_found(picture, rng) if drawn.printed else picture)


def _reduced(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, PICTURE_SIDE_PX / max(height, width))
    if scale == 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
