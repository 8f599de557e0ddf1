"""Draw an explanation: the picture, where the network saw what speaks for the label, all labels, and the words.

matplotlib is loaded when a picture is drawn: serving does not have it.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np

from classify_service.model.classifier import Explanation
from classify_service.model.preprocessing import Picture

INCHES = (11.0, 4.4)
LETTERS_A_LINE = 150
GLOW = 0.55
"""How much of the map's colour lies over the picture."""


def draw_explanation(explanation: Explanation, picture: Picture, file: Path, *, given: str) -> None:
    """Write the drawing.

    Args:
        explanation: See `Classifier.explain`.
        picture: What was explained.
        file: The PNG to write.
        given: The label that is given; `unclassified` where the model is not sure.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - serving does not have it

    height, width = picture.shape[:2]
    figure = Figure(figsize=INCHES, layout="constrained")
    seen, glowing, bars = figure.subplots(1, 3)
    seen.imshow(picture)
    seen.set_title("the picture")
    glowing.imshow(picture)
    glowing.imshow(
        explanation.heat_map,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="bilinear",
        cmap="inferno",
        alpha=np.full(explanation.heat_map.shape, GLOW),
        vmin=0,
        vmax=1,
    )
    best = explanation.scores[0]
    glowing.set_title(f"what speaks for {best.label}")
    for axes in (seen, glowing):
        axes.set_xlim(-0.5, width - 0.5)
        axes.set_ylim(height - 0.5, -0.5)
        axes.set_axis_off()
    labels = [score.label for score in explanation.scores]
    bars.barh(labels, [score.confidence for score in explanation.scores], color="tab:blue")
    bars.invert_yaxis()
    bars.set_xlim(0, 1)
    bars.set_title(given if given == best.label else f"{given}: not sure enough of {best.label}")
    for at, score in enumerate(explanation.scores):
        bars.text(min(score.confidence + 0.01, 0.88), at, f"{score.confidence:.0%}", va="center", fontsize=8)
    words = ", ".join(reason.words for reason in explanation.reasons) or "nothing measured is clearly out of the usual"
    figure.supxlabel("\n".join(textwrap.wrap(f"Measured: {words}.", LETTERS_A_LINE)), fontsize=9)
    unfinished = file.with_name(f"{file.stem}.part{file.suffix}")
    figure.savefig(unfinished, dpi=120)
    unfinished.replace(file)
