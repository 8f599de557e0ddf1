r"""Name the files of an export as people named them, yet safe to unpack on Linux, macOS and Windows.

A file is `<label>/<its own name>`, of the extension that its bytes ask for. Only where a label has two of one name,
compared as macOS and Windows do, does the later one carry its id: `dog--<id>.jpg`, which import takes away again.
"""

from __future__ import annotations

import re
import unicodedata

from shared.contracts import ImageRecord
from storage_service.filenames import NAMELESS, extension_of, label_folder

NAME_LIMIT_BYTES = 200  # of the 255 that file systems take; id, extension and `.xmp` need 50

_NOT_IN_NAMES = re.compile(r'[<>:"|?*\\/]')
_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_ID_AT_END = re.compile(r"--[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
_JOINER = "\u200d"  # holds an emoji of several together
_SPELLINGS = {"jpg": {"jpg", "jpeg", "jpe", "jfif"}, "tiff": {"tiff", "tif"}, "bmp": {"bmp", "dib"}}


class ExportedNames:
    """Gives each image of one export a path of its own; remembers about 60 bytes of each."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def path_of(self, record: ImageRecord) -> str:
        """Return the path in the ZIP, `/` between folder and name."""
        folder, (stem, extension) = label_folder(record.label.value), _safe_name(record)
        path = f"{folder}/{stem}.{extension}"
        # Two paths of one hash cost the second nothing but its short name.
        key = hash(unicodedata.normalize("NFC", path.casefold()))
        if key in self._taken:
            return f"{folder}/{stem}--{record.id}.{extension}"
        self._taken.add(key)
        return path


def without_id(filename: str) -> str:
    """Return a file's name without the id that the store or an export put at the end of its stem."""
    stem, dot, extension = filename.rpartition(".")
    return _ID_AT_END.sub("", stem if dot else extension) + (f".{extension}" if dot else "")


def _safe_name(record: ImageRecord) -> tuple[str, str]:
    name = unicodedata.normalize("NFC", without_id(record.filename))
    shown = "".join(char for char in name if char == _JOINER or unicodedata.category(char)[0] != "C")
    expected = extension_of(record.media_type)
    stem, _, extension = shown.rpartition(".")
    if not stem or extension.lower() not in _SPELLINGS.get(expected, {expected}):
        stem, extension = shown, expected
    stem = _NOT_IN_NAMES.sub("_", stem).encode()[:NAME_LIMIT_BYTES].decode(errors="ignore").strip(". ")
    if _RESERVED_ON_WINDOWS.fullmatch(stem):
        stem = f"_{stem}"
    return stem or NAMELESS, extension
