"""The console commands; training, drawing and export need more than `make run` installs."""

from __future__ import annotations

from shared.console import command

train = command("classify_service.training.train")
draw = command("classify_service.training.drawing.draw")
narrow = command("classify_service.training.narrow")
evaluate = command("classify_service.training.evaluate")
sort = command("classify_service.sorting.sort")
explain = command("classify_service.explaining.explain")
export = command("classify_service.exporting.export")
