"""The command `caption-train`: from a CSV of captions to a model that the service can load."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import keras

from caption_service.model.architectures import MERGE, build_by_name, name_of
from caption_service.model.artifact import ENCODER_FILE
from caption_service.model.decoder_sizes import ATTENTION
from caption_service.model.preprocessing import UnreadableImage
from caption_service.model.saving import load_decoder
from caption_service.model.sight import FC2, REGIONS, DenseWeightsError
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import SPECIAL_TOKENS, Vocabulary
from caption_service.training.batches import CaptionBatches
from caption_service.training.captions import Captions, CaptionsFileError, hold_back, read_captions
from caption_service.training.dense_weights import download_dense_weights
from caption_service.training.features import Seen, root_mean_square, seen_images
from caption_service.training.options import read_options
from caption_service.training.run import TrainingRun, TrainingStateError
from caption_service.training.teacher import Recipe
from shared.artifacts import ArtifactError, Manifest, file_sha256, read_manifest


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = read_options()
    try:
        train(options)
    except (CaptionsFileError, UnreadableImage, ArtifactError, DenseWeightsError, TrainingStateError) as error:
        sys.exit(f"caption-train: {error}")
    except KeyboardInterrupt:
        sys.exit("\ncaption-train: stopped; the same command goes on after the last whole epoch")


def train(options: argparse.Namespace) -> Manifest:
    """Train a decoder, keep the one that is best on dev, and return the manifest of the written model.

    Raises:
        CaptionsFileError: the captions cannot be used.
        UnreadableImage: an image cannot be decoded.
        ArtifactError: the encoder or the model to start from cannot be used.
        DenseWeightsError: VGG16's dense layers are asked for and cannot be had.
        TrainingStateError: `--out` holds an unfinished training with other settings.
    """
    train_captions, dev_captions, data = _captions(options)
    encoder_manifest = read_manifest(options.encoder, kind="encoder")
    vgg16_weights = download_dense_weights() if options.download_vgg16_weights else options.vgg16_weights
    sight = _sight(options.architecture, options.grid_side, vgg16_weights)
    train_seen, dev_seen = (
        seen_images(
            list(captions),
            images=options.images,
            encoder_file=options.encoder / ENCODER_FILE,
            cache=options.cache,
            sight=sight,
            vgg16_weights=vgg16_weights,
        )
        for captions in (train_captions, dev_captions)
    )
    keras.utils.set_random_seed(options.seed)
    if options.start_from:
        decoder, vocabulary = _started(options.start_from, sight)
    else:
        vocabulary = _vocabulary(train_captions, min_count=options.min_word_count)
        decoder = _fresh(options, sight, words=len(vocabulary), seen=train_seen)
    recipe = _recipe(options, CaptionBatches(train_captions, vocabulary, batch_size=options.batch_size))
    sizes = {"encoder_sha256": encoder_manifest.files[ENCODER_FILE]}
    if sight == FC2:
        sizes["vgg16_weights_sha256"] = file_sha256(vgg16_weights)
    manifest = Manifest(
        kind="captioner",
        name=options.out.name,
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_commit(),
        sizes=sizes,
        metrics={},
        data=data,
    )
    run = TrainingRun(options.out, manifest, recipe, decoder, vocabulary)
    run.learn(train_captions, train_seen, dev_captions, dev_seen)
    return run.finish(dev_captions, dev_seen)


def _captions(options: argparse.Namespace) -> tuple[Captions, Captions, str]:
    """Return the captions to learn from, those to choose by, and what the manifest says of both."""
    captions = read_captions(options.train, images=options.images)
    if options.dev:
        return captions, read_captions(options.dev, images=options.images), options.data
    kept, held_back = hold_back(captions, seed=options.seed)
    print(f"{len(held_back)} of {len(captions)} images are held back to choose the best epoch by", flush=True)
    return kept, held_back, f"{options.data}; {len(held_back)} of {len(captions)} images held back as dev"


def _sight(architecture: str, grid_side: int, vgg16_weights: Path | None) -> str:
    if architecture == ATTENTION:
        return f"map{grid_side}"
    return FC2 if vgg16_weights else REGIONS


def _vocabulary(captions: Captions, *, min_count: int) -> Vocabulary:
    sentences = (sentence for several in captions.values() for sentence in several)
    vocabulary = Vocabulary.from_captions(sentences, min_count=min_count)
    if len(vocabulary) == len(SPECIAL_TOKENS):
        raise CaptionsFileError(f"no word is said {min_count} times: give more captions or a lower --min-word-count")
    return vocabulary


def _fresh(options: argparse.Namespace, sight: str, *, words: int, seen: Seen) -> Decoder:
    sizes = {"vocabulary_size": words, "feature_rms": root_mean_square(seen), "dropout": options.dropout}
    if options.architecture == MERGE:
        return build_by_name(MERGE, {**sizes, "sight": sight})
    return build_by_name(ATTENTION, {**sizes, "grid_side": options.grid_side})


def _started(folder: Path, sight: str) -> tuple[Decoder, Vocabulary]:
    decoder, vocabulary, _ = load_decoder(folder, read_manifest(folder, kind="captioner"))
    if decoder.sizes.sight != sight:
        raise ArtifactError(
            f"{folder} is of architecture {name_of(decoder)} and takes {decoder.sizes.sight}, but {sight} is asked for"
        )
    return decoder, vocabulary


def _recipe(options: argparse.Namespace, batches: CaptionBatches) -> Recipe:
    """Return the recipe; with few captions an epoch is short, so there are more of them."""
    given = {field: getattr(options, field) for field in asdict(Recipe())}
    usual = Recipe()
    if given["epochs"] is None:
        given["epochs"] = max(usual.epochs, -(-options.least_steps // len(batches)))
    if given["patience"] is None:
        given["patience"] = max(usual.patience, given["epochs"] // 5)
    return Recipe(**given)


def _commit() -> str:
    """Return the commit that the training code stands at, or `unknown` outside of a checkout."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"


if __name__ == "__main__":
    main()
