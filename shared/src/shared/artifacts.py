"""Model artifacts: folders that describe themselves.

A folder holds weights, vocabulary or labels, and `manifest.json`, which names each file with its SHA-256. It is
checked whenever it is loaded; nothing is ever unpickled or downloaded.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST_NAME = "manifest.json"
FORMAT = 1


class ArtifactError(ValueError):
    """The artifact cannot be used; the message is one sentence that says why and what to do."""


class Manifest(BaseModel):
    """What an artifact says of itself."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    kind: str
    name: str
    version: str
    created: str
    commit: str
    sizes: dict[str, Any]
    metrics: dict[str, Any]
    data: str
    files: dict[str, str] = {}


class _Format(BaseModel):
    """The one field that every version of a manifest has."""

    format: int = FORMAT


def read_manifest(folder: Path, *, kind: str) -> Manifest:
    """Read an artifact's manifest and check every file it names.

    Args:
        folder: The artifact.
        kind: What is expected: `encoder`, `captioner` or `classifier`.

    Raises:
        ArtifactError: no such folder or manifest, a newer format, another kind, a missing or a changed file.
    """
    file = folder / MANIFEST_NAME
    if not file.is_file():
        raise ArtifactError(f"{folder} is not a model: it has no {MANIFEST_NAME}")
    try:
        format_ = _Format.model_validate_json(file.read_bytes()).format  # first: a newer one may have other fields
        if format_ > FORMAT:
            raise ArtifactError(f"{folder} has format {format_}, this version reads up to {FORMAT}: update Legenda")
        manifest = Manifest.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ArtifactError(f"{file} cannot be read: {error.errors()[0]['msg']}") from error
    if manifest.kind != kind:
        raise ArtifactError(f"{folder} is a model of kind {manifest.kind}, but one of kind {kind} is needed")
    for name, sha256 in manifest.files.items():
        if not (folder / name).is_file():
            raise ArtifactError(f"{folder} is not complete: {name} is missing")
        if file_sha256(folder / name) != sha256:
            raise ArtifactError(f"{folder / name} is not the file that {MANIFEST_NAME} names: its SHA-256 differs")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest with the SHA-256 of every other file of the folder, and return it."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_NAME)
    complete = manifest.model_copy(update={"files": {name: file_sha256(folder / name) for name in names}})
    (folder / MANIFEST_NAME).write_text(complete.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return complete


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
