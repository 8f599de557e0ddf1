"""Read a batch of uploads: many records, originals and previews in one multipart body of bounded length.

The order tells what belongs together: the third `original` and the third `preview` are those of the third record.
"""

from __future__ import annotations

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from shared.batch_contracts import MOST_IN_BATCH, NewImages
from shared.body import read_form
from storage_service.uploads import Upload, invalid, require_image_type

# See `uploads.UPLOAD_SCHEMA`.
_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_IN_BATCH}
BATCH_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["records", "original", "preview"],
                    "properties": {
                        "records": {
                            "type": "string",
                            "format": "binary",
                            "description": "A JSON array of NewImage, sent as a file or, up to 1 MB, as a field.",
                        },
                        "original": {**_FILES, "description": "One for each record, in the same order."},
                        "preview": {**_FILES, "description": "One for each record, upright JPEGs."},
                    },
                }
            }
        },
    }
}


async def read_batch(request: Request, *, limit_bytes: int) -> list[Upload]:
    """Read a request's body; every file is open, at its beginning.

    Raises:
        ImageTooLarge: the body has more than `limit_bytes`.
        RequestValidationError: a part is missing or wrong, or their numbers differ.
        UnsupportedImage: a media type is not one of an image.
        BadRequest: see `read_form`; also for more than MOST_IN_BATCH images.
    """
    form = await read_form(request, limit_bytes=limit_bytes, max_files=2 * MOST_IN_BATCH + 1, max_fields=1)
    try:
        return await _uploads(form)
    except BaseException:  # also when cancelled: the form's temporary files must not stay open
        await form.close()
        raise


async def _uploads(form: FormData) -> list[Upload]:
    records = (await _records(form)).root
    originals, previews = _files(form, "original"), _files(form, "preview")
    if not 1 <= len(records) <= MOST_IN_BATCH:
        raise invalid("records", f"must be 1 to {MOST_IN_BATCH}, not {len(records)}")
    if not len(records) == len(originals) == len(previews):
        counts = f"{len(records)} records, {len(originals)} originals and {len(previews)} previews"
        raise invalid("records", f"each must have its original and its preview, but there are {counts}")
    for new in records:
        require_image_type(new)
    return [
        Upload(new=new, original=original.file, preview=preview.file)
        for new, original, preview in zip(records, originals, previews, strict=True)
    ]


async def _records(form: FormData) -> NewImages:
    part = form.get("records")
    if part is None:
        raise invalid("records", "must be a JSON array")
    if isinstance(part, UploadFile):
        records: str | bytes = await part.read()
        await part.close()
    else:
        records = part
    try:
        return NewImages.model_validate_json(records)
    except ValidationError as error:
        first = error.errors()[0]
        raise invalid("records", *map(str, first["loc"]), first["msg"]) from error


def _files(form: FormData, name: str) -> list[UploadFile]:
    parts = form.getlist(name)
    files = [part for part in parts if isinstance(part, UploadFile)]
    if len(files) < len(parts):
        raise invalid(name, "must be files")
    for at, file in enumerate(files):
        if not file.size:
            raise invalid(name, str(at), "must not be empty")
    return files
