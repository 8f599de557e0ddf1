"""The console commands; training and export need more than `make run` installs."""

from __future__ import annotations

from shared.console import command

train = command("caption_service.training.train")
tune = command("caption_service.training.tune")
reward = command("caption_service.training.reward")
evaluate = command("caption_service.training.evaluate")
calibrate = command("caption_service.training.calibrate")
explain = command("caption_service.training.explain")
export = command("caption_service.exporting.export")
