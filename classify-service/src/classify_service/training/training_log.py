"""What a training tells while it runs and leaves behind: a progress bar, a CSV with a row an epoch, a picture."""

from __future__ import annotations

import csv
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from shared.training_curve import draw_training_curve

LOG_NAME = "training.csv"
PICTURE_NAME = "training.png"

LOG_COLUMNS = ("head", "epoch", "loss", "held_back_loss", "held_back_accuracy")
"""One row an epoch of one head; the last two are empty where nothing was held back."""

LogRow = tuple[str, int, str, str, str]

PANELS = {"loss": ("loss", "held_back_loss"), "accuracy": ("held_back_accuracy",)}


class Progress:
    """A bar that counts the epochs of all heads; one that ends early takes its epochs off the total."""

    def __init__(self, *, heads: int, epochs: int) -> None:
        self._bar = tqdm(total=heads * epochs, desc="training", unit="epoch")
        self._epochs = epochs
        self._begun_at = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def begin(self, head: str) -> None:
        """Say which head is being trained."""
        self._begun_at = self._bar.n
        self._bar.set_postfix_str(head)

    def advance(self, told: str) -> None:
        """Count one epoch."""
        self._bar.set_postfix_str(told, refresh=False)
        self._bar.update()

    def end(self) -> None:
        """Take off what the head did not need."""
        self._bar.total -= self._epochs - (self._bar.n - self._begun_at)
        self._bar.refresh()


class HeadLog:
    """The epochs of one head."""

    def __init__(self, head: str, progress: Progress) -> None:
        self.rows: list[LogRow] = []
        self._head = head
        self._progress = progress

    def note(self, epoch: int, figures: dict[str, float]) -> None:
        """Note one epoch; see `head_training.train_head`."""
        loss, held_back_loss, held_back_accuracy = (
            f"{figures[name]:.5f}" if name in figures else "" for name in ("loss", "val_loss", "val_accuracy")
        )
        self.rows.append((self._head, epoch, loss, held_back_loss, held_back_accuracy))
        self._progress.advance(f"{self._head}, loss {figures['loss']:.3f}")


def draw_log(log: Path, picture: Path) -> None:
    """Draw a training's CSV: each column's mean over the heads that saw an epoch.

    Args:
        log: CSV with the columns `epoch` and `loss`, and with `held_back_loss` and `held_back_accuracy` where images
            were held back.
        picture: The PNG to write.
    """
    figures: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    with log.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            for column in (column for columns in PANELS.values() for column in columns):
                if row.get(column):
                    figures[column][int(row["epoch"])].append(float(row[column]))
    panels = {
        title: shown
        for title, columns in PANELS.items()
        if (shown := [column for column in columns if column in figures])
    }
    with tempfile.TemporaryDirectory(prefix="classify-train-") as folder:
        means = Path(folder) / LOG_NAME
        with means.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(["epoch", *figures])
            for epoch in sorted(figures["loss"]):
                writer.writerow([epoch, *(np.mean(each[epoch]) if epoch in each else "" for each in figures.values())])
        draw_training_curve(means, picture, panels)
