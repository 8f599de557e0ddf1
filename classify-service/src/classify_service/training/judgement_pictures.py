"""Draw how a classifier was judged: what it takes for what, and whether its confidences can be believed.

matplotlib is loaded when a picture is drawn, as in `shared.training_curve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classify_service.training.metrics import CALIBRATION_BINS


def draw_confusion(confusion: Sequence[Sequence[int]], labels: Sequence[str], picture: Path) -> None:
    """Draw a table of true labels (rows) and best labels (columns), each row shaded by its shares.

    Args:
        confusion: See `metrics.confusion`.
        labels: The labels' names.
        picture: The PNG to write.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - serving does not have it

    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.0 + 0.48 * len(labels)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("best label, before any threshold")
    axes.set_ylabel("true label")
    for row, column in zip(*np.nonzero(counts), strict=True):
        shade = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=shade, fontsize=8)
    _save(figure, picture)


def draw_reliability(bins: Sequence[dict[str, Any]], error: float, picture: Path) -> None:
    """Draw accuracy over confidence, and under it how many images have which confidence.

    Args:
        bins: See `metrics.reliability`.
        error: The expected calibration error, for the title.
        picture: The PNG to write.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - serving does not have it

    figure = Figure(figsize=(4.6, 5.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    width = 1 / CALIBRATION_BINS
    starts = [each["from"] for each in bins]
    above.bar(starts, [each["accuracy"] for each in bins], width, align="edge", edgecolor="white")
    above.plot((0, 1), (0, 1), color="black", linestyle="--", linewidth=1, label="as confident as right")
    above.plot(
        [each["confidence"] for each in bins],
        [each["accuracy"] for each in bins],
        color="tab:orange",
        marker="o",
        markersize=3,
        label="means of each bin",
    )
    above.set_ylabel("share of right labels")
    above.set_title(f"expected calibration error {error:.3f}")
    above.set_xlim(0, 1)
    above.set_ylim(0, 1)
    above.legend(frameon=False, loc="upper left")
    below.bar(starts, [each["images"] for each in bins], width, align="edge", edgecolor="white")
    below.set_ylabel("images")
    below.set_xlabel("confidence of the best label")
    _save(figure, picture)


def _save(figure: Any, picture: Path) -> None:
    unfinished = picture.with_name(f"{picture.stem}.part{picture.suffix}")
    figure.savefig(unfinished, dpi=120)
    unfinished.replace(picture)
