"""Draw the log of a training run as a picture.

Both model services log their trainings as CSV, one row an epoch; people would rather look than read. matplotlib is
loaded when a picture is drawn: serving does not have it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

INCHES_A_PANEL = (4.2, 3.0)


def draw_training_curve(log: Path, picture: Path, panels: Mapping[str, Sequence[str]]) -> None:
    """Draw one panel beside the other, each with one line a column over the epochs.

    Args:
        log: CSV with the column `epoch` and numbers in the others; an empty field leaves a gap.
        picture: The file to write; its suffix gives the format (.png).
        panels: Each panel's title and the columns drawn in it; columns that the log lacks are left out.

    Raises:
        ValueError: the log has no rows.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - serving does not have it

    with log.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not rows:
        raise ValueError(f"{log} has no epochs to draw")
    width, height = INCHES_A_PANEL
    figure = Figure(figsize=(width * len(panels), height), layout="constrained")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, columns) in zip(all_axes, panels.items(), strict=True):
        for column in columns:
            points = [(float(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=column)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    unfinished = picture.with_name(f"{picture.stem}.part{picture.suffix}")
    figure.savefig(unfinished, dpi=120)
    unfinished.replace(picture)
