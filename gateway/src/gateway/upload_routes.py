"""The part of the public API that takes images in.

Annotations are evaluated here, not postponed: the deadline's dependency is made inside `upload_routes`.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.datastructures import FormData, UploadFile

from gateway.idempotency import Idempotency, IdempotencyKey, fingerprint
from gateway.routes import BEHIND, PREFIX
from gateway.uploads import Uploads
from shared.body import read_form, readable_size, shown_filename
from shared.contracts import Analysis, ImageRecord
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import BadRequest, BrokenImage, DeadlineExceeded, ImageTooLarge, UnsupportedImage, problem_responses
from shared.idempotency import RequestInFlight

FORM_OVERHEAD_BYTES = 64 * 1024
"""Boundaries and headers around the file in a multipart body."""

FILE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}

IN_FLIGHT = problem_responses(RequestInFlight)
UPLOAD = problem_responses(ImageTooLarge, UnsupportedImage, BrokenImage)


def upload_routes(
    uploads: Uploads, idempotency: Idempotency, *, upload_limit_bytes: int, longest_deadline_s: float
) -> APIRouter:
    """Return the routes; what cannot be kept now is refused before it comes to them, see `upload_admission`."""
    router = APIRouter(prefix=PREFIX, responses=BEHIND)

    async def _deadline(deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None) -> Deadline:
        return Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)

    Within = Annotated[Deadline, Depends(_deadline)]  # noqa: N806  # it is a type

    @router.post(
        "/images",
        tags=["images"],
        status_code=201,
        response_model=ImageRecord,
        openapi_extra=FILE_FORM,
        responses=UPLOAD | IN_FLIGHT | {200: {"model": ImageRecord, "description": "These bytes are known."}},
    )
    async def upload(request: Request, deadline: Within, key: IdempotencyKey) -> Response:
        """Keep an image: it is captioned, labelled, and filed under its label."""
        with uploads.admitted():
            image, filename = await _read_file(request, limit_bytes=upload_limit_bytes, deadline=deadline)

            async def keep() -> Response:
                record, is_new = await uploads.upload(image, filename, deadline=deadline)
                return Response(
                    record.model_dump_json(),
                    201 if is_new else 200,
                    headers={"Location": f"{PREFIX}/images/{record.id}"},
                    media_type="application/json",
                )

            asked = ""
            if key is not None:
                asked = fingerprint("POST /images", filename, await uploads.sha256(image, deadline=deadline))
            owner = request.state.caller.key_id
            return await idempotency.once(keep, key=key, request=asked, deadline=deadline, owner=owner)

    @router.post("/analyses", tags=["analyses"], openapi_extra=FILE_FORM, responses=UPLOAD)
    async def analyse(request: Request, deadline: Within) -> Analysis:
        """Try an image out: it is captioned and labelled, and nothing is kept."""
        with uploads.admitted():
            image, _ = await _read_file(request, limit_bytes=upload_limit_bytes, deadline=deadline)
            return await uploads.analyse(image, deadline=deadline)

    return router


async def _read_file(request: Request, *, limit_bytes: int, deadline: Deadline) -> tuple[bytes, str]:
    """Return the bytes and the name of the form's `file`; one that trickles in does not hold its place for ever."""
    body_limit_bytes = limit_bytes + FORM_OVERHEAD_BYTES
    try:
        async with asyncio.timeout(deadline.remaining_s()):
            form = await read_form(request, limit_bytes=body_limit_bytes, max_files=1, max_fields=8)
            try:
                file = _file_of(form)
                image = await file.read()
            finally:
                await form.close()
    except TimeoutError as error:
        raise DeadlineExceeded("the image did not arrive in time") from error
    if len(image) > limit_bytes:
        raise ImageTooLarge(
            f"the image has {readable_size(len(image))}; at most {readable_size(limit_bytes)} are accepted"
        )
    if not image:
        raise UnsupportedImage("the file is empty")
    return image, shown_filename(file)


def _file_of(form: FormData) -> UploadFile:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise BadRequest('send the image as multipart/form-data in a field named "file"')
    return file
