"""The part of the public API that hands out many images at once, as a ZIP that is passed on while it is made.

Annotations are evaluated here, not postponed: the route is made inside `export_routes`.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response

from gateway.clients import StorageClient
from gateway.routes import BEHIND, PREFIX
from shared.errors import BadRequest
from shared.long_stream import LongStream
from shared.search_questions import ChosenImages
from shared.searches import Search

MOST_NAME_LETTERS = 60


def export_routes(storage: StorageClient, *, stall_timeout_s: float) -> APIRouter:
    """Return the route; its client may take any time, but must go on reading."""
    router = APIRouter(prefix=PREFIX, responses=BEHIND)

    @router.get(
        "/export",
        tags=["images"],
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": "A ZIP, streamed."}},
    )
    async def export(
        search: Annotated[Search, Depends()],
        ids: ChosenImages = [],  # noqa: B006  # FastAPI copies it
        sidecars: Annotated[
            Literal["xmp"] | None, Query(description="Caption and label also as XMP, beside each image.")
        ] = None,
    ) -> LongStream:
        """Download images as a ZIP: a folder for each label, and `captions.csv`; found, chosen, or all.

        It begins at once and has no length beforehand. One that breaks off has no end that a ZIP must have.
        """
        if ids and search.parameters():
            raise BadRequest("an export is either of the images with these ids, or of those that a search finds")
        chosen: dict[str, str | int | float | list[str]] = {"id": [str(each) for each in ids]} if ids else {}
        query = {**search.parameters(), **chosen, **({"sidecars": sidecars} if sidecars else {})}
        headers = {
            "Content-Disposition": _disposition(search.label, search.q),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return LongStream(
            storage.export(query), stall_timeout_s=stall_timeout_s, media_type="application/zip", headers=headers
        )

    return router


def _disposition(label: str | None, words: str) -> str:
    """Return the header that names the file: `legenda-photo-dog_snow-2026-11-25.zip`.

    Source: RFC 6266; the name in UTF-8 follows RFC 8187.
    """
    said = re.sub(r"\W+", "_", words.encode("utf-8", "ignore").decode())[:MOST_NAME_LETTERS].strip("_")
    name = "-".join(filter(None, ["legenda", label, said, f"{datetime.now(UTC):%Y-%m-%d}.zip"]))
    plain = re.sub(r"[^\x20-\x7e]", "_", name)
    return f'attachment; filename="{plain}"' + ("" if plain == name else f"; filename*=UTF-8''{quote(name)}")
