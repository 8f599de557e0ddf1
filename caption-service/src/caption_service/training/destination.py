"""Where a training on views writes, and by what it knows its own unfinished work again."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from caption_service.model.artifact import ENCODER_FILE
from caption_service.training.provenance import origin
from shared.artifacts import MANIFEST_NAME, Manifest, file_sha256


@dataclass(frozen=True)
class Destination:
    """The folders that are written, and what the manifests say."""

    out: Path
    manifest: Manifest
    """The model's, before it is known what it scores and which encoder it needs."""
    encoder: Path
    """The encoder that the training starts from."""
    encoder_manifest: Manifest
    encoder_out: Path | None
    """Where the tuned encoder goes; None where block 5 does not learn."""


def destination_of(
    options: argparse.Namespace, encoder_manifest: Manifest, *, encoder_out: Path | None = None
) -> Destination:
    """Return the destination that the command line names."""
    manifest = Manifest(
        kind="captioner", name=options.out.resolve().name, **origin(), sizes={}, metrics={}, data=options.data
    )
    return Destination(options.out, manifest, options.encoder, encoder_manifest, encoder_out)


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return all that a half-done training depends on: numbers, data, start; not where they lie."""
    training = [[file_sha256(each.file), each.repeats, list(each.shares)] for each in options.training]
    return {
        **asdict(options.recipe),
        "start_from": file_sha256(options.start_from / MANIFEST_NAME),
        "encoder": file_sha256(options.encoder / ENCODER_FILE),
        "training": training,
        "dev": [[each.name, file_sha256(each.file)] for each in options.dev],
    }
