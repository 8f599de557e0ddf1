"""What travels about keys: the part of the wire beside `contracts`. Keys themselves never do; only their hashes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts import Wire

KEY_ID_LENGTH = 12
MAX_KEY_NAME = 100
MOST_BYTES = 2**62

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")
"""Each may do what those before it may."""

KeyId = Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{KEY_ID_LENGTH}}}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
KeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_KEY_NAME)]


class NewKey(Wire):
    """A key that shall count from now on."""

    id: KeyId
    sha256: Sha256 = Field(description="Of the whole key.")
    name: KeyName
    scope: Scope
    expires_at: AwareDatetime | None = Field(default=None, description="Null: never.")


class KeyRecord(Wire):
    """What is known of a key."""

    id: KeyId
    name: KeyName
    scope: Scope
    created_at: AwareDatetime
    last_used_at: AwareDatetime | None = Field(description="To the minute.")
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class Keys(Wire):
    """All keys, the oldest first."""

    items: list[KeyRecord]


class KeyCheck(Wire):
    """Asks whose key was shown."""

    id: KeyId
    sha256: Sha256 = Field(description="Of all that was shown.")


class BytesSent(Wire):
    """Asks to count bytes against a key's day."""

    size_bytes: int = Field(ge=-MOST_BYTES, le=MOST_BYTES, description="Below 0 gives back what did not come.")
    limit_bytes: int = Field(gt=0, le=MOST_BYTES, description="Most bytes a day; more are not counted.")


class DayOfKey(Wire):
    """What a key has sent today, in UTC."""

    is_counted: bool = Field(description="False where the day's limit does not allow these bytes.")
    sent_bytes: int
    day_ends_in_s: int = Field(ge=0)
