"""One training on views: epoch by epoch, scored on each dev set, resumed where a kill left it.

What a step teaches is the lesson's affair; what is kept, logged, chosen and written is told here once for all lessons.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from tqdm import tqdm

from caption_service.model.architectures import build_like
from caption_service.model.artifact import DECODER_FILE, ENCODER_FILE
from caption_service.model.decoding import Decoding
from caption_service.model.embedding import EMBEDDING_FILE
from caption_service.model.graph_voice import GraphVoice
from caption_service.model.saving import save_captioner
from caption_service.model.speaker import Speaker
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import Vocabulary
from caption_service.training.destination import Destination
from caption_service.training.features import Seen
from caption_service.training.run import (
    BEGINNING,
    LOGGED_SCORES,
    STATE_FILE,
    choose_decoding,
    describe_all,
    is_resumed,
    log_epoch,
)
from caption_service.training.scores import score_captions
from caption_service.training.state import Progress, restore_state, save_state
from caption_service.training.tail import Tail
from caption_service.training.view_batches import ViewBatch, ViewBatches
from caption_service.training.view_sets import DevSet
from shared.artifacts import Manifest, write_manifest

BEST, BEST_ENCODER = "best", "best-encoder"
"""Folders of the best epoch's model and encoder, beside the log."""

STEPS_SHOWN = 60
"""The progress bar shows the mean over so many steps."""


class Lesson(Protocol):
    """A way to teach a decoder, and maybe block 5, from batches of views."""

    @property
    def measures(self) -> tuple[str, ...]:
        """What the log calls the numbers that a step returns."""

    @property
    def changes_tail(self) -> bool:
        """Say whether block 5 learns too."""

    @property
    def variables(self) -> list[keras.Variable]:
        """Everything that the next epoch depends on."""

    def step(self, batch: ViewBatch, *, epoch: int) -> tuple[float, ...]:
        """Learn from one batch; return its measures."""

    def average_into(self, decoder: Decoder, tail: Tail) -> None:
        """Give another decoder and tail the averaged weights."""


class ViewRun:
    """A lesson on its way: its best weights, and the folders that they live in."""

    def __init__(
        self,
        destination: Destination,
        lesson: Lesson,
        *,
        vocabulary: Vocabulary,
        best: tuple[Decoder, Tail],
        dev_sets: Sequence[DevSet],
        recipe: Any,
    ) -> None:
        """Prepare the folder beside the model's.

        Args:
            destination: Where to write.
            lesson: What a step does.
            vocabulary: The decoder's words.
            best: A decoder and a tail like the lesson's, of the weights that it starts from.
            dev_sets: What to score on; the first chooses the best epoch.
            recipe: The lesson's numbers, a dataclass; `epochs` and `seed` are for the run itself.
        """
        self._to, self._lesson, self._recipe = destination, lesson, recipe
        self._vocabulary, self._dev_sets = vocabulary, dev_sets
        self._best, self._best_tail = build_like(best[0]), best[1]
        self._best.set_weights(best[0].get_weights())
        self._speaker = Speaker(GraphVoice(self._best), vocabulary)
        self._seen: list[Seen] = []
        self._folder = destination.out.with_name(f"{destination.out.name}-training")
        self._folder.mkdir(parents=True, exist_ok=True)

    def learn(self, batches: ViewBatches, *, settings: Mapping[str, Any]) -> None:
        """Go through the views epoch by epoch; epoch 0 in the log is the model as it was, and is never chosen.

        Raises:
            TrainingStateError: the folder holds an unfinished training with other settings.
        """
        progress = self._begin(settings)
        for epoch in range(int(progress["epoch"]) + 1, self._recipe.epochs + 1):
            started = time.monotonic()
            random = np.random.default_rng([self._recipe.seed, epoch])
            measured = []
            with tqdm(batches.epoch(random), total=len(batches), desc=f"epoch {epoch}", unit="batch") as bar:
                for batch in bar:
                    measured.append(self._lesson.step(batch, epoch=epoch))
                    bar.set_postfix(self._named(measured[-STEPS_SHOWN:]), refresh=False)
            self._lesson.average_into(self._best, self._best_tail)
            scores = self._score()
            self._log(epoch, self._named(measured), scores, time.monotonic() - started)
            chosen_by = scores[self._dev_sets[0].name]
            merit = {"best_cider": round(chosen_by["cider"], 6), "best_rouge_l": round(chosen_by["rouge_l"], 6)}
            if tuple(merit.values()) > tuple(progress[name] for name in merit):  # few dev images leave CIDEr at 0
                progress |= merit | {"best_epoch": epoch}
                self._save(self._folder / BEST, self._folder / BEST_ENCODER, Decoding(), chosen_by)
            progress["epoch"] = epoch
            save_state(self._folder / STATE_FILE, self._lesson.variables, progress)

    def finish(self) -> Manifest:
        """Choose on the first dev set how to search for sentences, and write the best epoch's model and encoder."""
        with np.load(self._folder / BEST / DECODER_FILE, allow_pickle=False) as stored:
            self._best.set_weights([stored[name].astype(np.float32) for name in stored])
        if self._lesson.changes_tail:
            self._best_tail.read(self._folder / BEST_ENCODER / ENCODER_FILE)
        first = self._dev_sets[0]
        decoding, scores = choose_decoding(self._speaker, first.captions, self._best_tail.look(first.maps))
        return self._save(self._to.out, self._to.encoder_out, decoding, scores)

    def _begin(self, settings: Mapping[str, Any]) -> Progress:
        if is_resumed(self._folder, settings):
            progress = restore_state(self._folder / STATE_FILE, self._lesson.variables)
            print(f"going on after epoch {progress['epoch']:.0f}")
            return progress
        started = time.monotonic()
        (self._folder / "log.csv").unlink(missing_ok=True)  # of a run that ended before its first epoch did
        self._log(0, {}, self._score(), time.monotonic() - started)
        return dict(BEGINNING)

    def _score(self) -> dict[str, dict[str, Any]]:
        """Return each dev set's scores of the best weights."""
        if self._lesson.changes_tail or not self._seen:
            self._seen = [self._best_tail.look(dev.maps) for dev in self._dev_sets]
        scores = {}
        for dev, seen in zip(self._dev_sets, self._seen, strict=True):
            said = describe_all(self._speaker, Decoding(), dev.captions, seen)
            scores[dev.name] = score_captions(said, dev.captions, quick=True)
        return scores

    def _named(self, measured: Sequence[tuple[float, ...]]) -> dict[str, float]:
        means = np.mean(measured, axis=0)
        return {name: round(float(mean), 4) for name, mean in zip(self._lesson.measures, means, strict=True)}

    def _log(self, epoch: int, measured: dict[str, float], scores: dict[str, dict[str, Any]], seconds: float) -> None:
        row: dict[str, Any] = {"epoch": epoch, **dict.fromkeys(self._lesson.measures, ""), **measured}
        row["seconds"] = round(seconds)
        for name, of_set in scores.items():
            row |= {f"{name}_{score}": round(of_set[score], 4) for score in LOGGED_SCORES}
        panels = {f"{score} on dev": [f"{name}_{score}" for name in scores] for score in ("cider", "bleu_4")}
        panels |= {name: [name] for name in measured}
        log_epoch(self._folder, row, panels)

    def _save(self, folder: Path, encoder_folder: Path | None, decoding: Decoding, scores: dict[str, Any]) -> Manifest:
        """Write a model, and its encoder where block 5 learns."""
        encoder_manifest = self._to.encoder_manifest
        if self._lesson.changes_tail and encoder_folder:
            encoder_manifest = self._save_encoder(encoder_folder)
        update = {
            "sizes": {"encoder_sha256": encoder_manifest.files[ENCODER_FILE]},
            "metrics": {"dev": scores, "recipe": asdict(self._recipe)},
        }
        manifest = self._to.manifest.model_copy(update=update)
        return save_captioner(folder, manifest, decoder=self._best, vocabulary=self._vocabulary, decoding=decoding)

    def _save_encoder(self, folder: Path) -> Manifest:
        """Write the encoder with the tuned block 5; an embedding in the folder would be another encoder's."""
        folder.mkdir(parents=True, exist_ok=True)
        self._best_tail.write_encoder(self._to.encoder / ENCODER_FILE, folder / ENCODER_FILE)
        (folder / EMBEDDING_FILE).unlink(missing_ok=True)
        base, model = self._to.encoder_manifest, self._to.manifest
        sizes = {name: value for name, value in base.sizes.items() if name != "embedding"}
        update = {
            "name": folder.resolve().name,
            "version": model.version,
            "created": model.created,
            "commit": model.commit,
            "sizes": sizes | {"block_5": f"tuned with the captions of {model.name}"},
            "data": f"{base.data} Block 5 tuned on: {model.data}.",
        }
        return write_manifest(folder, base.model_copy(update=update))
