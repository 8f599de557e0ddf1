"""Say where a page ended, so that the next begins after it, whatever has been added meanwhile.

A cursor names the last image of a page by what the pages are sorted by; callers must not look inside.
"""

from __future__ import annotations

import base64
import binascii

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts import Sort
from shared.errors import BadRequest

MAX_SEQ = 2**63 - 1


class Cursor(BaseModel):
    """The last image of a page."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    sort: Sort
    rank: float = Field(default=0, description="Its certainty or distance; newest-first needs none.")
    seq: int = Field(ge=0, le=MAX_SEQ)


def write_cursor(cursor: Cursor) -> str:
    """Return a cursor as text that is safe in a URL."""
    return base64.urlsafe_b64encode(cursor.model_dump_json().encode()).decode().rstrip("=")


def read_cursor(text: str, *, sort: Sort) -> Cursor:
    """Read what `write_cursor` wrote.

    Raises:
        BadRequest: it wrote no such thing, or for pages sorted otherwise.
    """
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = Cursor.model_validate_json(decoded)
    except (binascii.Error, ValueError, ValidationError) as error:
        raise BadRequest("the cursor is not one that this service gave; ask for the first page") from error
    if cursor.sort != sort:
        raise BadRequest(f"the cursor belongs to pages sorted by {cursor.sort}, not by {sort}")
    return cursor
