"""Say how a file is called when a browser saves it: RFC 6266, with a name that is harmless on every system."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

EXTENSIONS = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif", "mpo"),
    "image/png": ("png",),
    "image/webp": ("webp",),
    "image/gif": ("gif",),
    "image/bmp": ("bmp", "dib"),
    "image/tiff": ("tiff", "tif"),
    "image/heic": ("heic", "heif", "hif"),
    "image/avif": ("avif",),
}
"""Of each type that is kept; the first is given to a name that has none of them."""

_LENGTH = 150


def content_disposition(filename: str, media_type: str) -> str:
    """Return the header's value: the name without path and invisible characters, with an ending of its true type.

    A type that is not in EXTENSIONS is never shown in a browser, only saved.
    """
    name = _harmless(filename)
    endings = EXTENSIONS.get(media_type, ("bin",))
    if name.rpartition(".")[2].lower() not in endings or "." not in name:
        name = f"{name}.{endings[0]}"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    kind = "inline" if media_type in EXTENSIONS else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _harmless(filename: str) -> str:
    last = re.split(r"[/\\]", filename)[-1]
    # Control, format (which turn the direction of writing), surrogate, and what Windows forbids.
    visible = "".join(char for char in last if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    return re.sub(r'[<>:"|?*]', "_", visible)[-_LENGTH:].strip(". ") or "image"
