"""Kinds of plots with made-up numbers, each drawn on given axes: bars, lines, points, pies, boxes, heat maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from classify_service.training.drawing.words import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASELINES: tuple[Literal["zero", "sym", "wiggle"], ...] = ("zero", "sym", "wiggle")
MAPS = ("viridis", "plasma", "coolwarm", "Blues", "RdYlGn", "magma", "tab10", "Set2", "Spectral", "YlOrBr")


def _names(words: Words, count: int) -> list[str]:
    return [words.word()[:10] for _ in range(count)]


def bars(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Bars, upright or lying, grouped or stacked, with errors now and then."""
    count, groups = words.number(3, 14), int(rng.choice([1, 1, 2, 3, 4]))
    names = [f"{name}{at}" for at, name in enumerate(_names(words, count))]
    stacked, lying = rng.random() < 0.4, rng.random() < 0.35
    base = np.zeros(count)
    for group in range(groups):
        values = rng.gamma(3, 10, count)
        at = np.arange(count) + (0 if stacked else group * 0.8 / groups)
        wide = 0.8 if stacked else 0.8 / groups
        if lying:
            axes.barh(at, values, wide, left=base, label=f"{words.word()}{group}")
        else:
            axes.bar(
                at,
                values,
                wide,
                bottom=base,
                label=f"{words.word()}{group}",
                yerr=values * 0.1 if rng.random() < 0.2 else None,
            )
        base = base + values if stacked else base
    if lying:
        axes.set_yticks(np.arange(count), names)
    else:
        axes.set_xticks(np.arange(count), names, rotation=float(rng.choice([0, 45, 90])))


def lines(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Lines over time, with marks, bands or fills."""
    count = words.number(8, 120)
    for _ in range(words.number(1, 7)):
        values = np.cumsum(rng.normal(rng.uniform(-0.3, 0.5), 1, count)) + rng.uniform(0, 30)
        axes.plot(
            np.arange(count) + 2000,
            values,
            label=words.word(),
            marker=str(rng.choice(["o", "s", "^", "", "", "x"])),
            linestyle=str(rng.choice(["-", "-", "--", ":"])),
            linewidth=float(rng.uniform(0.8, 3)),
        )
        if rng.random() < 0.3:
            axes.fill_between(np.arange(count) + 2000, values - 2, values + 2, alpha=0.25)
    if rng.random() < 0.2:
        axes.axhline(10, color="r", linestyle="--")


def scatter(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Points, in groups, by size or colour."""
    for _ in range(words.number(1, 5)):
        count = words.number(10, 300)
        x = rng.normal(rng.uniform(-3, 3), rng.uniform(0.3, 2), count)
        colour: Any = rng.random(count) if rng.random() < 0.25 else None
        axes.scatter(
            x,
            x * rng.uniform(-1, 1) + rng.normal(0, 1, count),
            s=rng.uniform(5, 160, count) if rng.random() < 0.3 else 20,
            c=colour,
            alpha=float(rng.uniform(0.4, 1)),
            label=words.word(),
        )


def pie(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """A pie or a ring."""
    count = words.number(2, 9)
    ring = {"width": float(rng.uniform(0.25, 0.5))} if rng.random() < 0.4 else None
    axes.pie(
        rng.gamma(2, 1, count) + 0.2,
        labels=_names(words, count),
        autopct="%1.0f%%" if rng.random() < 0.6 else None,
        wedgeprops=ring,
        startangle=float(rng.uniform(0, 360)),
    )


def histogram(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Counts, one or two samples."""
    for _ in range(words.number(1, 3)):
        axes.hist(
            rng.normal(rng.uniform(0, 4), rng.uniform(0.5, 2), 400),
            bins=words.number(8, 50),
            alpha=0.7,
            label=words.word(),
        )


def boxes(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Boxes or violins."""
    data = [rng.normal(rng.uniform(0, 5), rng.uniform(0.5, 2), 80) for _ in range(words.number(2, 9))]
    if rng.random() < 0.6:
        axes.boxplot(data, patch_artist=bool(rng.random() < 0.5))
    else:
        axes.violinplot(data, showmedians=True)


def heat(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """A matrix of colours, with or without its numbers."""
    rows, columns = words.number(3, 12), words.number(3, 14)
    values = rng.random((rows, columns))
    axes.imshow(values, cmap=str(rng.choice(MAPS)), aspect="auto")
    if rows * columns < 70 and rng.random() < 0.6:
        for row in range(rows):
            for column in range(columns):
                axes.text(column, row, f"{values[row, column]:.1f}", ha="center", va="center", fontsize=8)
    axes.set_yticks(np.arange(rows), _names(words, rows))


def area(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Stacked areas."""
    count = words.number(3, 6)
    axes.stackplot(
        np.arange(40),
        np.cumsum(rng.random((count, 40)), axis=1) / 10 + rng.random((count, 1)),
        labels=_names(words, count),
        baseline=BASELINES[int(rng.integers(len(BASELINES)))],
    )


def contour(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Height lines of a function with axes, or a field."""
    x, y = np.meshgrid(np.linspace(-3, 3, 60), np.linspace(-3, 3, 60))
    z = np.sin(x * rng.uniform(0.5, 2)) * np.cos(y * rng.uniform(0.5, 2)) + x * rng.uniform(-0.3, 0.3)
    (axes.contourf if rng.random() < 0.6 else axes.contour)(x, y, z, words.number(5, 20), cmap=str(rng.choice(MAPS)))


def steps(axes: Axes, rng: np.random.Generator, words: Words) -> None:
    """Tasks in time, dots on stems, or ranges."""
    count = words.number(4, 12)
    if rng.random() < 0.5:
        axes.barh(
            np.arange(count),
            rng.uniform(1, 5, count),
            left=np.cumsum(rng.random(count)),
            color=[str(rng.choice(["#4c72b0", "#dd8452", "#55a868"])) for _ in range(count)],
        )
        axes.set_yticks(np.arange(count), _names(words, count))
    else:
        axes.stem(np.arange(count), rng.normal(0, 2, count))


KINDS = (bars, lines, scatter, pie, histogram, boxes, heat, area, contour, steps)
