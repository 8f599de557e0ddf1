"""The command `caption-reward`: go on from a model by rewarding the sentences that it says itself."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import keras

from caption_service.model.artifact import ENCODER_FILE
from caption_service.model.preprocessing import UnreadableImage
from caption_service.training.captions import CaptionsFileError
from caption_service.training.destination import destination_of, settings_of
from caption_service.training.run import TrainingStateError
from caption_service.training.self_critical import RewardRecipe, SelfCritic
from caption_service.training.starting import load_start
from caption_service.training.tail import Tail
from caption_service.training.view_batches import ViewBatches
from caption_service.training.view_options import read_view_options, recipe_of, view_parser
from caption_service.training.view_run import ViewRun
from caption_service.training.view_sets import open_sets
from shared.artifacts import ArtifactError, Manifest

EXAMPLE = """\
  caption-reward --start-from better --encoder better-encoder \\
      --data-set photos/ photos/train.csv 1 --unmirrored scans/ scans/train.csv 2 \\
      --dev-set photos photos/ photos/dev.csv --dev-set scans scans/ scans/dev.csv \\
      --out rewarded
"""


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = read_reward_options()
    try:
        reward(options)
    except (CaptionsFileError, UnreadableImage, ArtifactError, TrainingStateError) as error:
        sys.exit(f"caption-reward: {error}")
    except KeyboardInterrupt:
        sys.exit("\ncaption-reward: stopped; the same command goes on after the last whole epoch")


def read_reward_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `recipe` is a RewardRecipe."""
    parser = view_parser(
        "caption-reward",
        description="Teach a caption model by CIDEr-D, the reward of whole sentences that it says of its pictures.",
        example=EXAMPLE,
        recipe=RewardRecipe(),
    )
    options = read_view_options(parser, arguments, recipe=RewardRecipe())
    options.recipe = recipe_of(options, RewardRecipe())
    return options


def reward(options: argparse.Namespace) -> Manifest:
    """Train a model self-critically, keep the epoch that is best on dev, and return the written model's manifest.

    Raises:
        CaptionsFileError: the captions cannot be used.
        UnreadableImage: an image cannot be decoded.
        ArtifactError: the model or its encoder cannot be used.
        TrainingStateError: `--out` holds an unfinished training with other settings.
    """
    recipe: RewardRecipe = options.recipe
    encoder_file = options.encoder / ENCODER_FILE
    keras.utils.set_random_seed(recipe.seed)
    decoder, vocabulary, encoder_manifest = load_start(options.start_from, encoder_folder=options.encoder)
    training, dev = open_sets(options.training, options.dev, encoder_file=encoder_file, cache=options.cache)
    batches = ViewBatches(training, vocabulary, images=recipe.images_per_step, captions=1, tokens=recipe.tokens)
    tail = Tail(encoder_file)
    critic = SelfCritic(decoder, tail, recipe, references=batches.sentences, steps_per_epoch=len(batches))
    run = ViewRun(
        destination_of(options, encoder_manifest),
        critic,
        vocabulary=vocabulary,
        best=(decoder, tail),
        dev_sets=dev,
        recipe=recipe,
    )
    run.learn(batches, settings=settings_of(options))
    return run.finish()


if __name__ == "__main__":
    main()
