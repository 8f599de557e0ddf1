"""Read one upload: a record, an original and its preview, in one multipart body of bounded length."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import BinaryIO

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from shared.body import read_form
from shared.contracts import Correction, NewImage
from shared.errors import UnsupportedImage

_IMAGE_TYPE = re.compile(r"image/[a-z0-9.+-]{1,90}")

# How the body looks on the OpenAPI page; FastAPI cannot tell, since it would read the body before any limit of ours.
UPLOAD_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["record", "original", "preview"],
                    "properties": {
                        "record": {"type": "string", "description": "A NewImage as JSON."},
                        "original": {"type": "string", "format": "binary"},
                        "preview": {"type": "string", "format": "binary", "description": "An upright JPEG."},
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True)
class Upload:
    """What came in; the files are open, at their beginning, until `close`."""

    new: NewImage
    original: BinaryIO
    preview: BinaryIO
    said: Correction | None = None
    """What a person says of it from the beginning."""

    def rewind(self) -> None:
        """Go back to the beginning of both files."""
        self.original.seek(0)
        self.preview.seek(0)

    def close(self) -> None:
        """Let the files go."""
        self.original.close()
        self.preview.close()


async def read_upload(request: Request, *, limit_bytes: int) -> Upload:
    """Read a request's body.

    Raises:
        ImageTooLarge: the body has more than `limit_bytes`.
        RequestValidationError: a part is missing or wrong.
        UnsupportedImage: the media type is not one of an image.
        BadRequest: see `read_form`.
    """
    form = await read_form(request, limit_bytes=limit_bytes, max_files=2, max_fields=1)
    try:
        return Upload(new=_record(form), original=_file(form, "original"), preview=_file(form, "preview"))
    except (RequestValidationError, UnsupportedImage):
        await form.close()
        raise


def hash_and_size(file: BinaryIO) -> tuple[str, int]:
    """Return a file's SHA-256 as hex and its length in bytes; it is at its beginning before and after."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it only reads
    return digest, size_of(file)


def size_of(file: BinaryIO) -> int:
    """Return a file's length in bytes, and go to its beginning."""
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size_bytes


def invalid(*place_and_message: str) -> RequestValidationError:
    """Return what says that a part of the body is wrong: where, and as the last why."""
    *place, message = place_and_message
    return RequestValidationError([{"loc": ("body", *place), "msg": message}])


def require_image_type(new: NewImage) -> None:
    """Raise UnsupportedImage unless the media type is one of an image."""
    if not _IMAGE_TYPE.fullmatch(new.media_type):
        raise UnsupportedImage(f"{new.media_type!r} is not the media type of an image")


def _record(form: FormData) -> NewImage:
    record = form.get("record")
    if not isinstance(record, str):
        raise invalid("record", "must be a form field with JSON")
    try:
        new = NewImage.model_validate_json(record)
    except ValidationError as error:
        first = error.errors()[0]
        raise invalid("record", *map(str, first["loc"]), first["msg"]) from error
    require_image_type(new)
    return new


def _file(form: FormData, name: str) -> BinaryIO:
    part = form.get(name)
    if not isinstance(part, UploadFile):
        raise invalid(name, "must be a file")
    if not part.size:
        raise invalid(name, "must not be empty")
    return part.file
