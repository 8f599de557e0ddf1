"""Boxes and arrows: flow charts, block and system diagrams, UML, trees, networks, state machines, Venn circles, layers.

Some are sketched by hand and photographed; a hand-drawn diagram is a diagram, not a handwritten note.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from classify_service.training.drawing import marks, vocabulary
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.pen import Pen

STEPS = (
    "Read n",
    "i = 0",
    "Print sum",
    "x > y?",
    "Is valid?",
    "Initialize",
    "i = i + 1",
    "Save",
    "Stop",
    "Send mail",
    "Compute",
    "Retry",
    "Login",
    "Check stock",
    "n == 0?",
)


def flow_chart(pen: Pen) -> Markup:
    """Steps and decisions from start to end."""
    count, gap = pen.words.number(4, 9), pen.words.number(62, 90)
    wide = 150
    parts, height = "", count * gap + 30
    for at in range(count):
        y, kind = 35 + at * gap, pen.words.one(("box", "box", "diamond", "slanted", "soft"))
        if at in (0, count - 1):
            kind = "round"
        text = ("Start", "End")[at > 0] if kind == "round" else pen.words.one(STEPS)
        if at < count - 1:
            parts += pen.line(210, y + 20, 210, y + gap - 21)
        if kind == "diamond":
            other = pen.words.one(STEPS)
            parts += (
                pen.line(295, y, 340, y)
                + pen.box(405, y, 120, 38, other)
                + f"<text x='300' y='{y - 6}' font-size='12' fill='{pen.ink}'>{pen.words.one(('No', 'Yes'))}</text>"
            )
            if pen.rng.random() < 0.5:
                parts += (
                    f"<path d='M405 {y + 20}V{y + gap * 0.5}H215' fill='none' stroke='{pen.ink}' marker-end='url(#h)'/>"
                )
        parts += pen.box(210, y, wide, 40, text, kind=kind)
    return pen.sheet(parts, 480, height)


def system(pen: Pen) -> Markup:
    """Services, stores and queues in columns with arrows between them."""
    columns = [pen.words.number(1, 4) for _ in range(pen.words.number(3, 5))]
    step_x, width, height = 170, 170 * len(columns), 95 * max(columns) + 40
    places = [[(85 + c * step_x, height / (n + 1) * (r + 1)) for r in range(n)] for c, n in enumerate(columns)]
    parts = ""
    if pen.rng.random() < 0.4:
        parts += f"<rect x='{step_x}' y='12' width='{step_x * 1.9}' height='{height - 24}' fill='#8882' stroke='{pen.ink}' stroke-dasharray='6'/><text x='{step_x + 8}' y='28' font-size='13' fill='{pen.ink}'>{pen.words.word()}</text>"
    for left, right in pairwise(places):
        for x1, y1 in left:
            for x2, y2 in right:
                if pen.rng.random() < 0.65:
                    parts += pen.line(x1 + 52, y1, x2 - 54, y2, dash=pen.rng.random() < 0.15)
    for column in places:
        for x, y in column:
            parts += pen.box(
                x, y, 104, 46, pen.part(), kind=pen.words.one(("box", "soft", "can", "box", "cloud", "circle"))
            )
    return pen.sheet(parts, width, height)


def blocks(pen: Pen) -> Markup:
    """A chain of blocks with a sum and a way back, as in control and signals."""
    count = pen.words.number(3, 6)
    parts = pen.line(10, 90, 60, 90) + pen.box(74, 90, 26, 22, "+", kind="circle")
    x = 88.0
    for _ in range(count):
        parts += pen.line(x, 90, x + 36, 90) + pen.box(x + 90, 90, 104, 52, pen.part())
        x += 144
    parts += pen.line(x, 90, x + 50, 90)
    if pen.rng.random() < 0.7:
        parts += f"<path d='M{x + 20} 90V180H74V106' fill='none' stroke='{pen.ink}' marker-end='url(#h)'/>" + pen.box(
            x / 2, 180, 110, 40, pen.part()
        )
    return pen.sheet(parts, x + 60, 220)


def tree(pen: Pen) -> Markup:
    """A hierarchy from one root."""
    levels = pen.words.number(3, 4)
    fan = pen.words.number(2, 3)
    width, parts = max(420, fan ** (levels - 1) * 88), ""
    kind = pen.words.one(("box", "circle", "soft"))
    elbow = bool(pen.rng.random() < 0.5)
    for level in range(levels - 1, -1, -1):
        count = fan**level
        for at in range(count):
            x, y = width / count * (at + 0.5), 40 + level * 90
            if level:
                parent = width / (count / fan) * (at // fan + 0.5)
                parts += pen.line(parent, y - 68, x, y - 20, head=pen.rng.random() < 0.4, elbow=elbow)
            text = pen.part() if kind != "circle" else str(pen.words.number(1, 99))
            parts += pen.box(x, y, 38 if kind == "circle" else 80, 38, text, kind=kind)
    return pen.sheet(parts, width, levels * 90)


def classes(pen: Pen) -> Markup:
    """Classes or tables with their fields, and lines between them."""
    columns, rows = pen.words.number(2, 4), pen.words.number(1, 3)
    parts, lines, before = "", "", None
    for row in range(rows):
        for column in range(columns):
            x, y, count = 20 + column * 210, 20 + row * 190, pen.words.number(2, 6)
            fill = pen.fills[0]
            ink = "#111" if fill != "none" else pen.ink
            fields = "".join(
                f"<text x='{x + 8}' y='{y + 42 + i * 17}' font-size='12' fill='{pen.ink}'>{pen.words.one(('+ ', '- ', '', 'PK '))}{pen.words.one(vocabulary.CODE_NAMES)}: {pen.words.one(('int', 'str', 'date', 'bool'))}</text>"
                for i in range(count)
            )
            parts += f"<rect x='{x}' y='{y}' width='140' height='26' fill='{fill}' stroke='{pen.ink}'/><rect x='{x}' y='{y + 26}' width='140' height='{count * 17 + 10}' fill='none' stroke='{pen.ink}'/><text x='{x + 70}' y='{y + 18}' font-size='14' font-weight='bold' text-anchor='middle' fill='{ink}'>{pen.part()}</text>{fields}"
            if before:
                lines += pen.line(before[0] + 140, before[1] + 30, x, y + 30) if column else pen.line(90, y - 60, 90, y)
            before = (x, y)
    return pen.sheet(lines + parts, columns * 210 - 20, rows * 190)


def sequence(pen: Pen) -> Markup:
    """Who sends what to whom, downwards in time."""
    actors, steps = pen.words.number(3, 5), pen.words.number(5, 12)
    height = 80 + steps * 36
    parts = "".join(
        pen.box(80 + i * 150, 30, 110, 36, pen.part())
        + pen.line(80 + i * 150, 50, 80 + i * 150, height, head=False, dash=True)
        for i in range(actors)
    )
    for step in range(steps):
        first = pen.words.number(0, actors - 2)
        ends = (80 + first * 150, 80 + (first + 1) * 150)
        if pen.rng.random() < 0.4:
            ends = ends[::-1]
        y = 84 + step * 36
        parts += (
            pen.line(ends[0], y, ends[1], y, dash=pen.rng.random() < 0.3)
            + f"<text x='{sum(ends) / 2}' y='{y - 5}' font-size='12' text-anchor='middle' fill='{pen.ink}'>{pen.words.phrase(1, 2)}()</text>"
        )
    return pen.sheet(parts, actors * 150, height + 10)


def states(pen: Pen) -> Markup:
    """States or nodes in a ring with arrows and letters: automata, networks, graphs."""
    count, reach = pen.words.number(4, 9), 150
    places = [
        (220 + reach * np.cos(a), 200 + reach * np.sin(a)) for a in np.linspace(0, 2 * np.pi, count, endpoint=False)
    ]
    parts = ""
    for i in range(count):
        for j in range(count):
            if i != j and (j == (i + 1) % count or pen.rng.random() < 0.14):
                (x1, y1), (x2, y2) = places[i], places[j]
                far = np.hypot(x2 - x1, y2 - y1)
                cut = 28 / far
                parts += pen.line(
                    x1 + (x2 - x1) * cut, y1 + (y2 - y1) * cut, x2 - (x2 - x1) * cut, y2 - (y2 - y1) * cut
                )
                parts += f"<text x='{(x1 + x2) / 2:.0f}' y='{(y1 + y2) / 2 - 5:.0f}' font-size='13' fill='{pen.ink}'>{pen.words.number(0, 9)}</text>"
    parts += "".join(pen.box(x, y, 52, 34, f"q{i}", kind="circle") for i, (x, y) in enumerate(places))
    return pen.sheet(parts, 440, 400)


def venn(pen: Pen) -> Markup:
    """Two to four overlapping circles with names."""
    count = pen.words.number(2, 4)
    # What is filled would come out black from a copier.
    opacity = 0 if pen.by_hand else 0.5
    parts = ""
    for at, turn in enumerate(np.linspace(-np.pi / 2, 1.5 * np.pi, count, endpoint=False)):
        x, y = 220 + 70 * np.cos(turn), 200 + 70 * np.sin(turn)
        parts += f"<circle cx='{x:.0f}' cy='{y:.0f}' r='105' fill='{marks.colour(pen.rng)}' fill-opacity='{opacity}' stroke='{pen.ink}'/><text x='{220 + 150 * np.cos(turn):.0f}' y='{200 + 140 * np.sin(turn):.0f}' font-size='15' text-anchor='middle' fill='{pen.ink}'>{pen.part()}{at}</text>"
    return pen.sheet(parts, 440, 410)


def layers(pen: Pen) -> Markup:
    """Layers on each other, or the layers of a neural network."""
    if pen.rng.random() < 0.5:
        count = pen.words.number(3, 7)
        return pen.sheet(
            "".join(pen.box(210, 40 + i * 56, 360, 48, pen.part() + " layer") for i in range(count)),
            420,
            count * 56 + 20,
        )
    sizes = [pen.words.number(2, 7) for _ in range(pen.words.number(3, 5))]
    parts, height = "", 60 * max(sizes)
    place = [[(60 + c * 130, height / (n + 1) * (r + 1)) for r in range(n)] for c, n in enumerate(sizes)]
    for left, right in pairwise(place):
        parts += "".join(pen.line(x1 + 16, y1, x2 - 16, y2, head=False) for x1, y1 in left for x2, y2 in right)
    parts += "".join(pen.box(x, y, 32, 20, "", kind="circle") for column in place for x, y in column)
    return pen.sheet(parts, 130 * len(sizes), height)


KINDS = (flow_chart, flow_chart, system, system, blocks, tree, classes, sequence, states, venn, layers)


def _drawn(kind: Callable[[Pen], Markup]) -> Callable[[np.random.Generator], Markup]:
    return lambda rng: kind(Pen.at_random(rng))


LAYOUTS = {f"{kind.__name__.replace('_', '-')}-{at}": _drawn(kind) for at, kind in enumerate(KINDS)}
