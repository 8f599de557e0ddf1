"""How one diagram is drawn: ink, fills, font, shapes and arrows, straight or by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classify_service.training.drawing import marks
from classify_service.training.drawing.handwriting import HAND_FONTS
from classify_service.training.drawing.markup import LATIN_FONTS, Markup
from classify_service.training.drawing.words import Words

PARTS = (
    "Client", "Server", "Load balancer", "Cache", "Database", "Queue", "Worker", "API gateway", "User", "Browser", "Storage",
    "CDN", "Auth", "Logger", "Sensor", "Controller", "Motor", "ADC", "Filter", "Encoder", "Decoder", "Input", "Output", "Model",
    "View", "Router", "Switch", "Firewall", "Start", "End", "Parser", "Scheduler", "Memory", "CPU", "Bus", "Display",
)  # fmt: skip


@dataclass(frozen=True)
class Pen:
    """How one diagram looks: ink, fills, font, straight or by hand."""

    rng: np.random.Generator
    words: Words
    by_hand: bool
    ink: str
    fills: tuple[str, ...]
    font: str
    back: str

    @staticmethod
    def at_random(rng: np.random.Generator) -> Pen:
        """Return one diagram's look; one in five is sketched by hand."""
        by_hand = bool(rng.random() < 0.22)
        plain = by_hand or rng.random() < 0.3
        fills = (
            ("none",)
            if plain
            else tuple(
                f"hsl({rng.integers(360)} {rng.integers(40, 90)}% {rng.integers(60, 90)}%)"
                for _ in range(rng.integers(1, 5))
            )
        )
        back = (
            "#fff" if rng.random() < 0.85 or by_hand else str(rng.choice(["#f5f5f5", "#1e1e2e", "#fffbe6", "#eef6ff"]))
        )
        ink = "#eee" if back == "#1e1e2e" else str(rng.choice(["#000", "#000", "#333", marks.colour(rng, dark=True)]))
        font = (
            HAND_FONTS[int(rng.integers(len(HAND_FONTS)))]
            if by_hand or rng.random() < 0.06
            else str(
                rng.choice(["Liberation Sans", "Open Sans", "Lato", LATIN_FONTS[int(rng.integers(len(LATIN_FONTS)))]])
            )
        )
        return Pen(rng, Words(rng), by_hand, ink, fills, font, back)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, head: bool = True, dash: bool = False, elbow: bool = False
    ) -> str:
        """Return a connection; `head` puts an arrow at its end."""
        wobble = self.rng.normal(0, 3.5 if self.by_hand else 0, 4)
        way = (
            f"M{x1:.0f} {y1:.0f}V{(y1 + y2) / 2:.0f}H{x2:.0f}V{y2:.0f}"
            if elbow
            else f"M{x1:.0f} {y1:.0f}C{x1 + (x2 - x1) / 3 + wobble[0]:.0f} {y1 + (y2 - y1) / 3 + wobble[1]:.0f} {x1 + (x2 - x1) / 1.5 + wobble[2]:.0f} {y1 + (y2 - y1) / 1.5 + wobble[3]:.0f} {x2:.0f} {y2:.0f}"
        )
        arrow = "marker-end='url(#h)'" if head else ""
        dashes = "stroke-dasharray='6'" if dash else ""
        return f"<path d='{way}' fill='none' stroke='{self.ink}' {arrow} {dashes}/>"

    def box(self, x: float, y: float, width: float, height: float, text: str, *, kind: str = "box") -> str:
        """Return a shape around its middle (x, y) with a text in it."""
        fill = self.fills[int(self.rng.integers(len(self.fills)))]
        left, right, top, low = x - width / 2, x + width / 2, y - height / 2, y + height / 2
        if self.by_hand:
            left, right, top, low = (value + self.rng.normal(0, 2.5) for value in (left, right, top, low))
        shapes = {
            "box": f"<path d='M{left} {top}L{right} {top + self._jog()}L{right + self._jog()} {low}L{left} {low + self._jog()}Z'/>",
            "round": f"<rect x='{left}' y='{top}' width='{right - left}' height='{low - top}' rx='{height / 2.2}'/>",
            "soft": f"<rect x='{left}' y='{top}' width='{right - left}' height='{low - top}' rx='9'/>",
            "diamond": f"<path d='M{x} {top - 8}L{right + 8} {y}L{x} {low + 8}L{left - 8} {y}Z'/>",
            "slanted": f"<path d='M{left + 14} {top}H{right + 8}L{right - 14} {low}H{left - 8}Z'/>",
            "circle": f"<ellipse cx='{x}' cy='{y}' rx='{width / 2}' ry='{height / 1.6}'/>",
            "can": f"<path d='M{left} {top + 6}V{low}q{width / 2} 14 {right - left} 0V{top + 6}q{-width / 2} -14 {left - right} 0q{width / 2} 14 {right - left} 0'/>",
            "cloud": f"<path d='M{left + 12} {low}q-22 -4 -8 -22q-2 -22 22 -18q14 -20 34 -6q24 -8 26 14q18 8 4 28q-6 6 -20 4Z'/>",
        }
        ink = "#111" if fill != "none" else self.ink
        size = min(15, 1.75 * width / max(5, len(text)))
        return f"<g fill='{fill}' stroke='{self.ink}'>{shapes[kind]}</g><text x='{x}' y='{y + size / 3}' font-size='{size:.0f}' text-anchor='middle' fill='{ink}'>{text}</text>"

    def _jog(self) -> float:
        return float(self.rng.normal(0, 3)) if self.by_hand else 0.0

    def sheet(self, inside: str, width: float, height: float) -> Markup:
        """Return the whole diagram."""
        wide, high = round(width), round(height)
        paper = (
            "".join(f"<path d='M0 {y}H{wide}' stroke='#9bd' stroke-width='.6'/>" for y in range(0, high, 22))
            if self.by_hand and self.rng.random() < 0.35
            else ""
        )
        stroke = self.rng.uniform(1, 2.8)
        html = (
            f"<!doctype html><meta charset=utf-8><body style='margin:0;background:{self.back}'><svg width={wide} height={high} style='display:block' font-family='{self.font}' stroke-width='{stroke:.1f}'>"
            f"<defs><marker id=h viewBox='0 0 10 10' refX=9 refY=5 markerWidth=8 markerHeight=8 orient=auto-start-reverse><path d='M0 0L10 5L0 10Z' fill='{self.ink}'/></marker></defs>{paper}"
            f"{inside.replace('<text', '<text stroke=none')}</svg>"
        )
        return Markup(html=html, width_px=wide, height_px=high, printed=self.by_hand)

    def part(self) -> str:
        """Return the name of a part of a system."""
        return self.words.one(PARTS)
