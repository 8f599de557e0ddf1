"""Look into the store's files: their SHA-256, and a new preview of an original."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from shared.decoding import decode_image
from storage_service.image_store import ImageStore

# As the gateway makes them.
PREVIEW_SIDE_PX = 512
PREVIEW_QUALITY = 88
PIXEL_LIMIT = 64_000_000


def sha256_of(store: ImageStore, path: str) -> str:
    """Return a file's SHA-256 as hex; raise ImageFileMissing."""
    with store.open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it only reads


def preview_of(store: ImageStore, path: str) -> bytes:
    """Return a preview of an original, an upright JPEG.

    Raises:
        ImageFileMissing: there is no original.
        UnreadableImage: it cannot be decoded.
    """
    decoded = decode_image(store.read(path), pixel_limit=PIXEL_LIMIT, side_px=2 * PREVIEW_SIDE_PX)
    decoded.picture.thumbnail((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    decoded.picture.save(encoded, "JPEG", quality=PREVIEW_QUALITY)
    return encoded.getvalue()
