r"""Give every image a file name that is safe on Linux, macOS and Windows, and that a person can still read.

A file is `<label>/<stem>--<id>.<extension>` below the store. The id makes it unique; the stem holds only letters,
digits, marks, `-` and `_`, so no name can climb out of the store or be one that Windows reserves (`CON--….jpg` is not).
"""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID

NAMELESS = "image"
FILENAME_LENGTH = 255
STEM_LIMIT_BYTES = 100  # a file name may have 255 bytes; id, extension and separators need 50

_RESERVED_ON_WINDOWS = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
_CONTROL_OR_SURROGATE = ("Cc", "Cs", "Zl", "Zp")
_EXTENSIONS = {
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "image/webp": "webp",
}


def clean_filename(filename: str) -> str:
    """Return the name as it is kept and shown: no control characters, at most FILENAME_LENGTH characters, not empty."""
    kept = "".join(char for char in filename if unicodedata.category(char) not in _CONTROL_OR_SURROGATE)
    return kept.strip()[:FILENAME_LENGTH].strip() or NAMELESS


def filed_path(*, label: str, filename: str, image_id: UUID, media_type: str) -> str:
    """Return where an original belongs, relative to the store, with `/` between the parts."""
    return f"{label_folder(label)}/{_safe_stem(filename)}--{image_id}.{extension_of(media_type)}"


def preview_path(image_id: UUID) -> str:
    """Return where a preview belongs, relative to the store."""
    return f".previews/{image_id}.jpg"


def id_in(path: str) -> UUID | None:
    """Return the id that a file's name ends with, an original's or a preview's, or None where it has none."""
    stem = path.rpartition("/")[2].partition(".")[0]
    try:
        image_id = UUID(stem.rpartition("--")[2])
    except ValueError:
        return None
    return image_id if stem.endswith(str(image_id)) else None


def label_folder(label: str) -> str:
    """Return the name of a label's folder."""
    # No label has a hyphen, so no other label's folder is called like this.
    return f"{label}-" if _RESERVED_ON_WINDOWS.fullmatch(label) else label


def extension_of(media_type: str) -> str:
    """Return the extension for files of a type, without its dot."""
    return _EXTENSIONS.get(media_type, "bin")


def _safe_stem(filename: str) -> str:
    name = re.split(r"[/\\]", filename)[-1]
    stem = name.rpartition(".")[0] or name
    # macOS may hand out names decomposed; composed ones are equal everywhere.
    composed = unicodedata.normalize("NFC", stem)
    safe = "".join(char if _is_safe(char) else "_" for char in composed)
    short = re.sub(r"_{2,}", "_", safe).encode()[:STEM_LIMIT_BYTES].decode(errors="ignore")
    return short.strip("_-") or NAMELESS


def _is_safe(char: str) -> bool:
    return char in "-_" or unicodedata.category(char)[0] in "LMN"
