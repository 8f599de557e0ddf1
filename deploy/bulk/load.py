"""Hand results to storage-service: `python -m deploy.bulk.load SOURCE OUT http://STORAGE:8003`. A killed run goes on.

Originals are read again and stored with what the models said, by `POST /v1/images/batch`. Bytes that storage has
are left as they are, so that loading twice changes nothing. An original that went or changed since the run, or is too
large for storage, is told and passed over.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq

from deploy.bulk.looking import PIXEL_LIMIT
from deploy.bulk.manifest import MANIFEST, open_chunks, pass_step, results_path
from deploy.bulk.manifest import accounts as accounts_of
from deploy.bulk.places import open_place
from shared.batch_contracts import NewImages, StoredAs, StoredBatch
from shared.contracts import CaptionAnswer, ClassificationAnswer, NewImage
from shared.previews import fingerprint, inspect_image

IMAGES_AT_ONCE = 50
BYTES_AT_ONCE = 32 * 2**20
"""Below STORAGE_BODY_LIMIT_BYTES, with room for previews."""
TIMEOUT_S = 60.0
TRIES = 6
BUSY = (429, 502, 503, 504)


@dataclass(frozen=True)
class Original:
    """One image that was looked at."""

    row: dict[str, Any]
    """As `looking.SCHEMA` says."""
    content: bytes


def main() -> None:
    """Read the command line and load what has not been loaded."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bulk.load", description=__doc__)
    parser.add_argument("source", help="where the images are")
    parser.add_argument("out", help="where `deploy.bulk.run` wrote")
    parser.add_argument("storage", help="URL of storage-service")
    options = parser.parse_args()
    token = _token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        source, out = open_place(options.source), open_place(options.out)
        looked_at = {each["chunk"] for each in accounts_of(out)}
        chunks = [each for each in open_chunks(out, _chunks(out), step="loaded") if each in looked_at]
    except OSError as error:
        sys.exit(f"bulk: {error}")
    with httpx.Client(base_url=options.storage, timeout=TIMEOUT_S, headers=headers) as client:
        for chunk in chunks:
            table = pq.read_table(io.BytesIO(bytes(out.get(results_path(chunk)).bytes())))
            rows = [row for row in table.to_pylist() if row["refused"] is None]
            outcomes = Counter(outcome for batch in _batches(source, rows) for outcome in _load(client, batch))
            stored, known = outcomes["stored"], outcomes["known"]
            refused = len(rows) - stored - known
            account = {"chunk": chunk, "stored": stored, "known": known, "refused": refused}
            pass_step(out, chunk, account, step="loaded")
            print(f"chunk {chunk}: {stored} stored, {known} known, {refused} passed over", flush=True)


def _batches(source: Any, rows: list[dict[str, Any]]) -> Iterator[list[Original]]:
    batch: list[Original] = []
    size_bytes = 0
    for row in rows:
        content = _content(source, row)
        if content is None:
            continue
        if batch and (len(batch) == IMAGES_AT_ONCE or size_bytes + len(content) > BYTES_AT_ONCE):
            yield batch
            batch, size_bytes = [], 0
        size_bytes += len(content)
        batch.append(Original(row, content))
    if batch:
        yield batch


def _content(source: Any, row: dict[str, Any]) -> bytes | None:
    """Return an original, or none where it is not any more what the models saw."""
    try:
        content = bytes(source.get(row["key"]).bytes())
    except FileNotFoundError:
        _pass_over(row, "it is not there any more")
        return None
    if fingerprint(content) != row["sha256"]:
        _pass_over(row, "it has changed since the run")
        return None
    return content


def _pass_over(row: dict[str, Any], reason: str) -> None:
    print(f"{row['key']} is not stored: {reason}", file=sys.stderr, flush=True)


def _load(client: httpx.Client, batch: list[Original]) -> Iterator[StoredAs]:
    """Store a batch, in parts where storage takes none so large; yield what became of each that storage looked at."""
    stored = _send(client, batch)
    if stored is not None:
        for original, item in zip(batch, stored.items, strict=True):
            if item.refusal is not None:
                _pass_over(original.row, item.refusal.detail)
            yield item.outcome
    elif len(batch) == 1:
        _pass_over(batch[0].row, "it is larger than storage takes")
    else:
        half = len(batch) // 2
        yield from _load(client, batch[:half])
        yield from _load(client, batch[half:])


def _record(row: dict[str, Any]) -> NewImage:
    return NewImage(
        filename=row["key"].rpartition("/")[2],
        sha256=row["sha256"],
        media_type=row["media_type"],
        width=row["width"],
        height=row["height"],
        classification=ClassificationAnswer.model_validate_json(row["classification_answer"]),
        caption=CaptionAnswer.model_validate_json(row["caption_answer"]),
    )


def _send(client: httpx.Client, batch: list[Original]) -> StoredBatch | None:
    """Store a batch; return None where it is too large. A busy storage is asked again: bytes are stored once."""
    records = NewImages([_record(each.row) for each in batch])
    parts = [("records", ("records.json", records.model_dump_json().encode(), "application/json"))]
    for each in batch:
        preview = inspect_image(each.content, pixel_limit=PIXEL_LIMIT).preview
        parts.append(("original", ("original", each.content, each.row["media_type"])))
        parts.append(("preview", ("preview.jpg", preview, "image/jpeg")))
    for tried in range(1, TRIES + 1):
        try:
            response = client.post("/v1/images/batch", files=parts)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        else:
            if response.status_code == httpx.codes.OK:
                return StoredBatch.model_validate_json(response.content)
            if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                return None
            reason = f"{response.status_code}: {response.text[:300]}"
            if response.status_code not in BUSY:
                break
        if tried < TRIES:
            time.sleep(2**tried)
    sys.exit(f"bulk: storage did not take a batch: {reason}; the same command goes on from here")


def _chunks(out: Any) -> int:
    return int(json.loads(bytes(out.get(MANIFEST).bytes()))["chunks"])


def _token() -> str:
    file = os.environ.get("LEGENDA_INTERNAL_TOKEN_FILE")
    return Path(file).read_text(encoding="ascii").strip() if file else os.environ.get("LEGENDA_INTERNAL_TOKEN", "")


if __name__ == "__main__":
    main()
