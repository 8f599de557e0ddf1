"""What a key looks like: `legenda_<id>_<secret>`.

The fixed beginning lets secret scanners find one that was published by mistake
(`legenda_[0-9a-f]{12}_[0-9a-f]{64}`), the id names it in lists and logs, and the secret has 256 random bits.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from shared.key_contracts import KEY_ID_LENGTH

SECRET_LENGTH = 64
_SHAPE = re.compile(rf"legenda_([0-9a-f]{{{KEY_ID_LENGTH}}})_[0-9a-f]{{{SECRET_LENGTH}}}")


def make_key() -> tuple[str, str]:
    """Return a new key's id, and the key."""
    key_id = secrets.token_hex(KEY_ID_LENGTH // 2)
    return key_id, f"legenda_{key_id}_{secrets.token_hex(SECRET_LENGTH // 2)}"


def id_of(key: str) -> str | None:
    """Return the id in a key, or None where this is no key of ours."""
    shape = _SHAPE.fullmatch(key)
    return shape[1] if shape else None


def sha256_of(key: str) -> str:
    """Return what is kept of a key, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()
