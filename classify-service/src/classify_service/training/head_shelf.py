"""Keep finished heads on disk, with what they logged, so that a stopped training goes on after the last of them.

A head is written when it is complete and never changed: what a kill interrupts is trained again, and as each head
starts from its own seed, the outcome is the same as without the interruption.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from classify_service.model.head import build_head
from classify_service.model.head_sizes import HeadSizes
from classify_service.training.head_training import TrainedHead
from classify_service.training.training_log import LOG_COLUMNS, LogRow


class HeadShelf:
    """The finished heads of one training, by name."""

    def __init__(self, folder: Path, sizes: HeadSizes) -> None:
        """Use `folder`, made when it is not there, for heads of these widths.

        Two trainings that differ in data or settings must not share a folder.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._sizes = sizes

    def names(self) -> list[str]:
        """Return the names of the finished heads, in the order of their training."""
        finished = sorted(self._folder.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns)
        return [file.stem for file in finished]

    def put(self, name: str, head: TrainedHead, log: list[LogRow]) -> None:
        """Keep a head and its log; a kill in between leaves nothing half written."""
        with self._log_file(name).open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows(log)
        arrays = {f"weight_{number:02}": values for number, values in enumerate(head.network.get_weights())}
        unfinished = self._folder / "unfinished"
        with unfinished.open("wb") as stream:
            np.savez(stream, epochs=np.array(head.epochs), **arrays)
        unfinished.replace(self._folder / f"{name}.npz")

    def take(self, name: str) -> TrainedHead | None:
        """Return a finished head, or None while it is not there."""
        file = self._folder / f"{name}.npz"
        if not file.exists():
            return None
        network = build_head(self._sizes)
        with np.load(file, allow_pickle=False) as stored:
            network.set_weights([stored[key] for key in sorted(stored.files) if key != "epochs"])
            return TrainedHead(network, int(stored["epochs"]))

    def write_log(self, file: Path) -> None:
        """Write the log of all finished heads as one CSV."""
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(LOG_COLUMNS)
            for name in self.names():
                with self._log_file(name).open(encoding="utf-8", newline="") as rows:
                    writer.writerows(csv.reader(rows))

    def _log_file(self, name: str) -> Path:
        return self._folder / f"{name}.csv"
