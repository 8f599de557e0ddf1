"""Where images come from and results go: a folder or a bucket, by its URL."""

from __future__ import annotations

from pathlib import Path

from obstore.store import LocalStore, ObjectStore, from_url


def open_place(place: str, *, make: bool = False) -> ObjectStore:
    """Return the store that `s3://BUCKET/PREFIX`, `gs://…`, `az://…` or a folder names.

    Credentials are those of the environment (`AWS_*`, ...) or of the machine's role.

    Args:
        place: A URL, or the path of a folder.
        make: Whether to make a folder that is not there.

    Raises:
        FileNotFoundError: no such folder.
    """
    if "://" in place:
        return from_url(place)
    if not make and not Path(place).is_dir():
        raise FileNotFoundError(f"there is no folder {place}")
    return LocalStore(Path(place).resolve(), mkdir=make)


def address(place: str) -> str:
    """Return the same place for every process, wherever it runs."""
    return place if "://" in place else str(Path(place).resolve())
