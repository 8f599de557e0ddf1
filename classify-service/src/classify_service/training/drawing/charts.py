"""Charts: matplotlib in many styles, and graphics of newspapers and slides as SVG."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from classify_service.model.preprocessing import Picture
from classify_service.training.drawing import marks
from classify_service.training.drawing.markup import LATIN_FONTS, Markup
from classify_service.training.drawing.words import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
from classify_service.training.drawing.plots import KINDS, pie

STYLES = ("default", "ggplot", "seaborn-v0_8", "seaborn-v0_8-whitegrid", "seaborn-v0_8-darkgrid", "fivethirtyeight", "bmh", "dark_background", "Solarize_Light2", "classic", "grayscale", "tableau-colorblind10", "seaborn-v0_8-ticks", "seaborn-v0_8-pastel")  # fmt: skip


def _plotted(
    kinds: tuple[Callable[[Axes, np.random.Generator, Words], None], ...],
) -> Callable[[np.random.Generator], Picture]:
    def draw(rng: np.random.Generator) -> Picture:
        # Not at import: it belongs to the extra `training`.
        from matplotlib import font_manager  # noqa: PLC0415
        from matplotlib import style as styles  # noqa: PLC0415
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415

        words = Words(rng)
        # matplotlib warns of each font that it cannot find.
        known = set(font_manager.get_font_names())
        fonts = ["DejaVu Sans", *(name for name in LATIN_FONTS if name in known)]
        font = fonts[int(rng.integers(len(fonts)))] if rng.random() < 0.5 else "DejaVu Sans"
        settings = {"font.family": [font, "DejaVu Sans"], "font.size": float(rng.uniform(7, 14))}
        with styles.context([str(rng.choice(STYLES)), settings]):
            rows, columns = ((1, 1), (1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3))[int(rng.integers(7))]
            figure = Figure(
                figsize=(float(rng.uniform(3.5, 8)), float(rng.uniform(2.8, 6))), dpi=80, layout="constrained"
            )
            canvas = FigureCanvasAgg(figure)
            if rng.random() < 0.2:
                figure.set_facecolor(str(rng.choice(["#fdf6e3", "#eef5f9", "#222831", "#fff0f0", "#e8f4ea"])))
            for at in range(rows * columns):
                axes = figure.add_subplot(rows, columns, at + 1)
                kind = kinds[int(rng.integers(len(kinds)))]
                kind(axes, rng, words)
                _label(axes, rng, words, plain=kind is pie)
            canvas.draw()  # type: ignore[no-untyped-call]
            seen = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
            return np.ascontiguousarray(seen[..., :3])

    return draw


def _label(axes: Axes, rng: np.random.Generator, words: Words, *, plain: bool) -> None:
    if rng.random() < 0.65:
        axes.set_title(words.title()[:34], loc=str(rng.choice(["center", "left"])))  # type: ignore[arg-type]
    if not plain:
        if rng.random() < 0.7:
            axes.set_xlabel(words.word())
            axes.set_ylabel(words.word())
        if rng.random() < 0.4:
            axes.grid(visible=True, alpha=0.5)
        if rng.random() < 0.4:
            axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0] and rng.random() < 0.6:
        axes.legend(fontsize="small")


def infographic(rng: np.random.Generator) -> Markup:
    """A large title, a line of text, and bars, dots, slopes or rows of small charts, on a coloured ground."""
    words = Words(rng)
    width, height = int(rng.integers(480, 800)), int(rng.integers(420, 900))
    dark = rng.random() < 0.4
    back = f"hsl({rng.integers(360)} {rng.integers(0, 60)}% {rng.integers(6, 20) if dark else rng.integers(88, 100)}%)"
    ink, tints = ("#eee" if dark else "#222"), [marks.colour(rng) for _ in range(5)]
    family = LATIN_FONTS[int(rng.integers(len(LATIN_FONTS)))]
    kind, parts, top = int(rng.integers(5)), "", 120
    count = words.number(5, 16)
    step = (height - top - 50) / count
    if kind == 0:
        parts = "".join(
            f"<rect x=150 y={top + i * step:.0f} width={rng.uniform(20, width - 200):.0f} height={step * 0.7:.0f} fill='{tints[i % 5 if rng.random() < 0.3 else 0]}'/><text x=140 y={top + i * step + step * 0.5:.0f} text-anchor=end>{words.word()}</text>"
            for i in range(count)
        )
    elif kind == 1:
        for i in range(count):
            a, b = sorted(rng.uniform(160, width - 40, 2))
            y = top + i * step + step / 2
            parts += f"<path d='M{a:.0f} {y:.0f}H{b:.0f}' stroke='{ink}' stroke-width=2 /><circle cx={a:.0f} cy={y:.0f} r=7 fill='{tints[0]}'/><circle cx={b:.0f} cy={y:.0f} r=7 fill='{tints[1]}'/><text x=140 y={y + 4:.0f} text-anchor=end>{words.word()}</text>"
    elif kind == 2:
        columns = words.number(2, 4)
        wide, high = (width - 40) / columns, (height - top - 40) / 3
        for i in range(columns * 3):
            x0, y0 = 20 + i % columns * wide, top + i // columns * high
            points = " ".join(
                f"{x0 + 10 + j * (wide - 30) / 11:.0f},{y0 + 25 + rng.uniform(0, high - 50):.0f}" for j in range(12)
            )
            parts += f"<text x={x0 + 10:.0f} y={y0 + 14:.0f}>{words.word()}</text><polyline points='{points}' fill=none stroke='{tints[i % 5]}' stroke-width=2.5 /><path d='M{x0 + 10:.0f} {y0 + high - 18:.0f}h{wide - 30:.0f}' stroke='{ink}' opacity=.5 />"
    elif kind == 3:
        cell = int(rng.integers(14, 30))
        parts = "".join(
            f"<rect x={20 + i * (cell + 3)} y={top + j * (cell + 3)} width={cell} height={cell} fill='{tints[int(rng.integers(5))]}' opacity={rng.uniform(0.3, 1):.1f} />"
            for i in range((width - 40) // (cell + 3))
            for j in range((height - top - 40) // (cell + 3))
        )
    else:
        middle, reach = (width / 2, top + (height - top) / 2 - 20), min(width, height - top) / 2 - 30
        turns = np.linspace(0, 2 * np.pi, count + 1)
        for a, b in pairwise(turns):
            far = reach * rng.uniform(0.35, 1)
            parts += f"<path d='M{middle[0]} {middle[1]}L{middle[0] + far * np.cos(a):.0f} {middle[1] + far * np.sin(a):.0f}A{far:.0f} {far:.0f} 0 0 1 {middle[0] + far * np.cos(b):.0f} {middle[1] + far * np.sin(b):.0f}Z' fill='{tints[int(rng.integers(5))]}' stroke='{back}'/>"
    html = (
        f"<!doctype html><meta charset=utf-8><body style='margin:0;background:{back};color:{ink};font-family:\"{family}\",serif;height:{height}px;overflow:hidden;position:relative'><div style='padding:18px 20px 0'>"
        f"<b style='font-size:{rng.integers(22, 40)}px'>{words.title()}</b><div style='font-size:14px;width:85%'>{words.sentence()}</div></div><svg width={width} height={height} fill='{ink}' font-size=13 "
        f"style='position:absolute;left:0;top:0'>{parts}</svg><small style='position:absolute;bottom:8px;left:20px'>Data: {words.institution()} | {words.person()}</small>"
    )
    return Markup(html=html, width_px=width, height_px=height)


LAYOUTS: dict[str, Callable[[np.random.Generator], Markup | Picture]] = {
    **{kind.__name__: _plotted((kind,)) for kind in KINDS},
    "several": _plotted(KINDS),
    **{f"infographic-{at}": infographic for at in range(4)},
}
