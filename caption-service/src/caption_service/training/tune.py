"""The command `caption-tune`: go on from a model with more data, on drawn views, tuning VGG16's last block."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import keras

from caption_service.model.artifact import ENCODER_FILE
from caption_service.model.preprocessing import UnreadableImage
from caption_service.training.captions import CaptionsFileError
from caption_service.training.destination import destination_of, settings_of
from caption_service.training.run import TrainingStateError
from caption_service.training.starting import grown_decoder, grown_vocabulary, load_start
from caption_service.training.tail import Tail
from caption_service.training.tuning import Tuner, TuningRecipe
from caption_service.training.view_batches import ViewBatches
from caption_service.training.view_options import read_view_options, recipe_of, view_parser
from caption_service.training.view_run import ViewRun
from caption_service.training.view_sets import open_sets
from shared.artifacts import ArtifactError, Manifest

EXAMPLE = """\
  caption-tune --start-from caption-service/models/attention \\
      --data-set photos/ photos/train.csv 1 --unmirrored scans/ scans/train.csv 2 \\
      --dev-set photos photos/ photos/dev.csv --dev-set scans scans/ scans/dev.csv \\
      --out better --encoder-out better-encoder
"""


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = read_tuning_options()
    try:
        tune(options)
    except (CaptionsFileError, UnreadableImage, ArtifactError, TrainingStateError) as error:
        sys.exit(f"caption-tune: {error}")
    except KeyboardInterrupt:
        sys.exit("\ncaption-tune: stopped; the same command goes on after the last whole epoch")
    if options.encoder_out:
        first = options.training[0]
        print(
            f"{options.encoder_out} has no embedding yet: python -m caption_service.training.embedding "
            f"--encoder {options.encoder_out} --images {first.images} --train {first.file}"
        )


def read_tuning_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `recipe` is a TuningRecipe."""
    parser = view_parser(
        "caption-tune",
        description="Teach a caption model more words and pictures, and tune the last block of its encoder.",
        example=EXAMPLE,
        recipe=TuningRecipe(),
    )
    parser.add_argument(
        "--encoder-out", type=Path, metavar="DIR", help="folder of the encoder to write, with the tuned block 5"
    )
    options = read_view_options(parser, arguments, recipe=TuningRecipe())
    options.recipe = recipe_of(options, TuningRecipe())
    if options.recipe.block_5_learning_rate == 0:
        if options.encoder_out:
            parser.error("with --block-5-learning-rate 0 the encoder stays as it is: leave --encoder-out away")
        return options
    if not options.encoder_out:
        parser.error("the tuned encoder needs a place: give --encoder-out, or --block-5-learning-rate 0")
    if options.encoder_out.resolve() in (options.encoder.resolve(), options.out.resolve()):
        parser.error("--encoder-out is the folder of --encoder or --out: name another one")
    if options.recipe.block_5_from_epoch > options.recipe.epochs:
        parser.error(
            f"block 5 would learn from epoch {options.recipe.block_5_from_epoch} on, but there are "
            f"{options.recipe.epochs}: give a lower --block-5-from-epoch"
        )
    return options


def tune(options: argparse.Namespace) -> Manifest:
    """Tune a model, keep the epoch that is best on dev, and return the manifest of the written model.

    Raises:
        CaptionsFileError: the captions cannot be used.
        UnreadableImage: an image cannot be decoded.
        ArtifactError: the model or its encoder cannot be used.
        TrainingStateError: `--out` holds an unfinished training with other settings.
    """
    recipe: TuningRecipe = options.recipe
    encoder_file = options.encoder / ENCODER_FILE
    started, known, encoder_manifest = load_start(options.start_from, encoder_folder=options.encoder)
    training, dev = open_sets(options.training, options.dev, encoder_file=encoder_file, cache=options.cache)
    vocabulary = grown_vocabulary(known, training, min_count=recipe.min_word_count)
    print(f"{len(vocabulary) - len(known)} new words beside {len(known)}", flush=True)
    keras.utils.set_random_seed(recipe.seed)
    decoder = grown_decoder(started, words=len(vocabulary), seed=recipe.seed)
    batches = ViewBatches(
        training,
        vocabulary,
        images=recipe.images_per_step,
        captions=recipe.captions_per_image,
        tokens=recipe.tokens,
    )
    tuner = Tuner(decoder, Tail(encoder_file), recipe, steps_per_epoch=len(batches))
    run = ViewRun(
        destination_of(options, encoder_manifest, encoder_out=options.encoder_out),
        tuner,
        vocabulary=vocabulary,
        best=(decoder, Tail(encoder_file)),
        dev_sets=dev,
        recipe=recipe,
    )
    run.learn(batches, settings=settings_of(options))
    return run.finish()


if __name__ == "__main__":
    main()
