"""Hand results to storage-service: `python -m deploy.bulk.load SOURCE OUT http://STORAGE:8003`. A killed run goes on.

Originals are read again and stored with what the models said, by `POST /v1/images/batch`. Bytes that storage has
are left as they are, so that loading twice changes nothing.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq

from deploy.bulk.looking import PIXEL_LIMIT
from deploy.bulk.manifest import MANIFEST, open_chunks, pass_step, results_path
from deploy.bulk.manifest import accounts as accounts_of
from deploy.bulk.places import open_place
from shared.batch_contracts import NewImages, StoredBatch
from shared.contracts import CaptionAnswer, ClassificationAnswer, NewImage
from shared.previews import inspect_image

IMAGES_AT_ONCE = 50
BYTES_AT_ONCE = 32 * 2**20
"""Below STORAGE_BODY_LIMIT_BYTES, with room for previews."""
TIMEOUT_S = 60.0
TRIES = 6
BUSY = (429, 502, 503, 504)

Parts = list[tuple[str, tuple[str, bytes, str]]]


def main() -> None:
    """Read the command line and load what has not been loaded."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bulk.load", description=__doc__)
    parser.add_argument("source", help="where the images are")
    parser.add_argument("out", help="where `deploy.bulk.run` wrote")
    parser.add_argument("storage", help="URL of storage-service")
    options = parser.parse_args()
    source, out = open_place(options.source), open_place(options.out)
    looked_at = {each["chunk"] for each in accounts_of(out)}
    token = _token()
    with httpx.Client(
        base_url=options.storage, timeout=TIMEOUT_S, headers={"Authorization": f"Bearer {token}"} if token else {}
    ) as client:
        for chunk in [each for each in open_chunks(out, _chunks(out), step="loaded") if each in looked_at]:
            table = pq.read_table(io.BytesIO(bytes(out.get(results_path(chunk)).bytes())))
            account = {"chunk": chunk, "stored": 0, "known": 0, "refused": 0}
            for records, parts in _batches(source, [row for row in table.to_pylist() if row["refused"] is None]):
                for item in _send(client, records, parts).items:
                    account[item.outcome] += 1
            pass_step(out, chunk, account, step="loaded")
            print(f"chunk {chunk}: {account['stored']} stored, {account['known']} known", flush=True)


def _batches(source: Any, rows: list[dict[str, Any]]) -> Iterator[tuple[list[NewImage], Parts]]:
    records: list[NewImage] = []
    parts: Parts = []
    size_bytes = 0
    for row in rows:
        content = bytes(source.get(row["key"]).bytes())
        if records and (len(records) == IMAGES_AT_ONCE or size_bytes + len(content) > BYTES_AT_ONCE):
            yield records, parts
            records, parts, size_bytes = [], [], 0
        size_bytes += len(content)
        records.append(_record(row))
        preview = inspect_image(content, pixel_limit=PIXEL_LIMIT).preview
        parts.append(("original", ("original", content, row["media_type"])))
        parts.append(("preview", ("preview.jpg", preview, "image/jpeg")))
    if records:
        yield records, parts


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


def _send(client: httpx.Client, records: list[NewImage], parts: Parts) -> StoredBatch:
    """Store a batch; a busy storage is asked again, since the same bytes are stored once."""
    body = ("records", ("records.json", NewImages(records).model_dump_json().encode(), "application/json"))
    for tried in range(1, TRIES + 1):
        try:
            response = client.post("/v1/images/batch", files=[body, *parts])
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        else:
            if response.status_code == httpx.codes.OK:
                return StoredBatch.model_validate_json(response.content)
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
