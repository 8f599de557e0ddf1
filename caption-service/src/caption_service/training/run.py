"""One training run: epoch by epoch, scored on dev after each, resumed where a kill left it."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from caption_service.model.architectures import build_like, name_of
from caption_service.model.artifact import DECODER_FILE
from caption_service.model.decoding import Decoding
from caption_service.model.graph_voice import GraphVoice
from caption_service.model.saving import save_captioner
from caption_service.model.speaker import Speaker
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import Vocabulary
from caption_service.training.batches import CaptionBatches
from caption_service.training.features import Seen
from caption_service.training.scores import score_captions
from caption_service.training.teacher import Recipe, Teacher
from shared.artifacts import Manifest
from shared.training_curve import draw_training_curve

DESCRIBE_BATCH = 50
DECODINGS = [Decoding(beams=beams, length_power=power) for beams in (3, 4, 5) for power in (0.7, 1.0)]

PANELS = {"loss": ["train_loss"], "scores on dev": ["dev_cider", "dev_rouge_l", "dev_bleu_4"]}
"""What the training curve shows."""

LOGGED_SCORES = ("bleu_1", "bleu_4", "cider", "rouge_l")
STATE_FILE = "state.npz"
BEGINNING = {"epoch": 0, "best_epoch": 0, "best_cider": -1.0, "best_rouge_l": -1.0}
"""The progress of a training that has not begun."""

Captions = Mapping[str, Sequence[str]]


class TrainingStateError(ValueError):
    """The state that an earlier run left does not belong to this one."""


class TrainingRun:
    """One decoder on its way: what it has learnt so far, its best weights, and the folder that both live in."""

    def __init__(self, out: Path, manifest: Manifest, recipe: Recipe, decoder: Decoder, vocabulary: Vocabulary) -> None:
        self._out = out
        self._manifest = manifest
        self._recipe = recipe
        self._vocabulary = vocabulary
        self._pupil = decoder
        self._best = build_like(decoder)  # holds the averaged weights that are scored and shipped
        self._folder = out.with_name(f"{out.name}-training")
        self._folder.mkdir(parents=True, exist_ok=True)

    def learn(self, captions: Captions, seen: Seen, dev_captions: Captions, dev_seen: Seen) -> None:
        """Go through the captions epoch by epoch, until dev no longer gets better or the recipe ends."""
        batches = CaptionBatches(captions, self._vocabulary, batch_size=self._recipe.batch_size)
        teacher = Teacher(self._pupil, self._recipe, steps=self._recipe.epochs * len(batches))
        progress = self._resume(teacher)
        speaker = Speaker(GraphVoice(self._best), self._vocabulary)
        for epoch in range(int(progress["epoch"]) + 1, self._recipe.epochs + 1):
            if epoch - progress["best_epoch"] > self._recipe.patience:
                break
            started = time.monotonic()
            random = np.random.default_rng([self._recipe.seed, epoch])
            losses = []
            with tqdm(batches.epoch(random), total=len(batches), desc=f"epoch {epoch}", unit="batch") as bar:
                for batch in bar:
                    losses.append(teacher.step(batch, seen[batch.image_rows]))
                    bar.set_postfix(loss=f"{np.mean(losses[-100:]):.3f}", refresh=False)
            self._best.set_weights(teacher.averaged_weights())
            scores = score_captions(describe_all(speaker, Decoding(), dev_captions, dev_seen), dev_captions, quick=True)
            self._log(epoch, float(np.mean(losses)), scores, time.monotonic() - started)
            merit = {"best_cider": round(scores["cider"], 6), "best_rouge_l": round(scores["rouge_l"], 6)}
            if tuple(merit.values()) > tuple(progress[name] for name in merit):  # few dev images leave CIDEr at 0
                progress |= merit | {"best_epoch": epoch}
                self._save(self._folder / "best", Decoding(), scores)
            progress["epoch"] = epoch
            teacher.save(self._state_file, progress)

    def finish(self, dev_captions: Captions, dev_seen: Seen) -> Manifest:
        """Choose on dev how to search for sentences, and write the model."""
        with np.load(self._folder / "best" / DECODER_FILE, allow_pickle=False) as stored:
            self._best.set_weights([stored[name].astype(np.float32) for name in stored])
        decoding, scores = choose_decoding(Speaker(GraphVoice(self._best), self._vocabulary), dev_captions, dev_seen)
        return self._save(self._out, decoding, scores)

    @property
    def _state_file(self) -> Path:
        return self._folder / STATE_FILE

    def _resume(self, teacher: Teacher) -> dict[str, float]:
        recipe = asdict(self._recipe) | {"decoder": name_of(self._pupil), **asdict(self._pupil.sizes)}
        if not is_resumed(self._folder, recipe):
            return dict(BEGINNING)
        progress = teacher.restore(self._state_file)
        print(f"going on after epoch {progress['epoch']:.0f}")
        return progress

    def _save(self, folder: Path, decoding: Decoding, scores: dict[str, Any]) -> Manifest:
        manifest = self._manifest.model_copy(update={"metrics": {"dev": scores, "recipe": asdict(self._recipe)}})
        return save_captioner(folder, manifest, decoder=self._best, vocabulary=self._vocabulary, decoding=decoding)

    def _log(self, epoch: int, loss: float, scores: dict[str, Any], seconds: float) -> None:
        row = {"epoch": epoch, "train_loss": round(loss, 4), "seconds": round(seconds)}
        row |= {f"dev_{name}": round(scores[name], 4) for name in LOGGED_SCORES}
        log_epoch(self._folder, row, PANELS)


def is_resumed(folder: Path, settings: Mapping[str, Any]) -> bool:
    """Say whether the folder holds the state of an earlier run; note the settings of a new one.

    Args:
        folder: The folder of log, state and best weights.
        settings: All that the state depends on; plain values.

    Raises:
        TrainingStateError: the state belongs to a run with other settings.
    """
    file, told = folder / "recipe.json", json.dumps(settings)
    if not (folder / STATE_FILE).exists():
        file.write_text(told, encoding="utf-8")
        return False
    if file.read_text(encoding="utf-8") != told:
        raise TrainingStateError(f"{folder} belongs to a run with other settings: remove it or change --out")
    return True


def log_epoch(folder: Path, row: Mapping[str, Any], panels: Mapping[str, Sequence[str]]) -> None:
    """Add a row to the log, draw the curve anew, and print the row.

    Args:
        folder: Where `log.csv` and `curve.png` lie.
        row: The epoch and its numbers, the same columns each time.
        panels: What the curve shows, as `draw_training_curve` takes it.
    """
    file = folder / "log.csv"
    is_new = not file.exists()
    with file.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, row)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
    draw_training_curve(file, folder / "curve.png", panels)
    print(" ".join(f"{name}={value}" for name, value in row.items()), flush=True)


def choose_decoding(speaker: Speaker, captions: Captions, seen: Seen) -> tuple[Decoding, dict[str, Any]]:
    """Return the way of searching that is best on dev, and its scores; print both."""
    found = []
    for decoding in tqdm(DECODINGS, desc="choosing the beam", unit="setting"):
        predictions = describe_all(speaker, decoding, captions, seen)
        scores = score_captions(predictions, captions, quick=True)
        found.append((2 * scores["bleu_4"] + scores["cider"], decoding, predictions))  # then both count alike
    _, decoding, predictions = max(found, key=lambda each: each[0])
    scores = score_captions(predictions, captions)
    print(json.dumps({"decoding": asdict(decoding), "dev": scores}, indent=2))
    return decoding, scores


def describe_all(speaker: Speaker, decoding: Decoding, captions: Captions, seen: Seen) -> dict[str, str]:
    """Return the best sentence for each image of `captions`, of which `seen` is seen."""
    sentences: list[str] = []
    for at in range(0, len(seen), DESCRIBE_BATCH):
        batch = np.asarray(seen[at : at + DESCRIBE_BATCH])
        sentences += [found[0].sentence for found in speaker.describe(batch, decoding.alone)]
    return dict(zip(captions, sentences, strict=True))
