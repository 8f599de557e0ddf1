"""Which files of a folder are imported, and which label their folder gives them.

All regular files, but no hidden ones and nothing behind a symbolic link; what lies beside images by custom (sidecars,
an export's table, what systems leave behind) is passed over without a word.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from shared.contracts import UNCLASSIFIED
from storage_service.captions_table import NAME as CAPTIONS

_LABEL = re.compile(r"[a-z0-9_]{1,64}")
_COMPANIONS = {CAPTIONS, "thumbs.db", "desktop.ini"}
_SIDECARS = (".xmp", ".json", ".txt")
_LINK = "a symbolic link; these are not followed"


@dataclass(frozen=True)
class Candidate:
    """A file to import."""

    file: Path
    label: str | None
    """What its folder calls it, where that is asked for."""


@dataclass
class Found:
    """What lies in a folder."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    """What cannot be imported, and why."""


def find_images(folder: Path, *, with_labels: bool) -> Found:
    """Return what lies below a folder, in the order of its paths.

    Args:
        folder: Where to look, with all folders in it.
        with_labels: Each folder directly below names the label of all that is in it.
    """
    found = Found()
    for parent, folders, names in os.walk(folder, onerror=lambda error: _note_folder(found, error)):
        here = Path(parent)
        visible = sorted(name for name in folders if not name.startswith("."))
        found.refused += [(here / name, _LINK) for name in visible if (here / name).is_symlink()]
        folders[:] = [name for name in visible if not (here / name).is_symlink()]
        label, problem = _label_of(here.relative_to(folder)) if with_labels else (None, "")
        for name in sorted(names):
            file = here / name
            if name.startswith(".") or name.lower() in _COMPANIONS or name.lower().endswith(_SIDECARS):
                continue
            if reason := _reason_against(file) or problem:
                found.refused.append((file, reason))
            else:
                found.candidates.append(Candidate(file, label))
    return found


def label_named(folder: str) -> str | None:
    """Return the label that a folder's name means: `Holiday Rome` is `holiday_rome`; None where it means none."""
    plain = unicodedata.normalize("NFKD", folder).casefold()
    ascii_only = "".join(char for char in plain if unicodedata.category(char) != "Mn")
    label = re.sub(r"[\s.,&+-]+", "_", ascii_only).strip("_")
    return label if _LABEL.fullmatch(label) else None


def _label_of(place: Path) -> tuple[str | None, str]:
    """Return the label of what lies in a folder, and why it cannot be imported with one."""
    if not place.parts:
        return None, ""
    label = label_named(place.parts[0])
    if label is None:
        problem = f"the folder {place.parts[0]!r} cannot be a label, which is of a-z, 0-9 and _, at most 64: rename it"
        return None, problem
    return (None if label == UNCLASSIFIED else label), ""


def _note_folder(found: Found, error: OSError) -> None:
    found.refused.append((Path(error.filename), f"the folder cannot be read: {error.strerror}"))


def _reason_against(file: Path) -> str:
    try:
        mode = file.lstat().st_mode
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    if stat.S_ISLNK(mode):
        return _LINK
    return "" if stat.S_ISREG(mode) else "not a file but a device, pipe or socket"
