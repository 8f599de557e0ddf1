"""What the bulk job found out, loaded into the real service: `python -m deploy.bulk.load`, without Ray."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deploy.bulk.looking import SCHEMA
from deploy.bulk.manifest import Plan, accounts, begin, keys_of, open_chunks, pass_step, results_path
from deploy.bulk.places import open_place
from shared.contracts import Alternative, CaptionAnswer, ClassificationAnswer, ModelName
from shared.previews import fingerprint, inspect_image
from tests.integration.storage.live_service import live_service
from tests.live_platform import ROOT
from tests.pictures import drawn_picture, encoded

IMAGES = 20
LARGE = "2026 ü/0/too large.jpg"
BODY_LIMIT_BYTES = 60_000
"""Of which a batch of all images has more, so that it goes in parts."""
TOKEN = "0123456789abcdef0123456789abcdef"
CAPTIONER, CLASSIFIER = ModelName(name="attention", version="1"), ModelName(name="vgg16-opencv", version="2")
TIMEOUT_S = 120


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(IMAGES):
        file = folder / f"2026 ü/{number % 2}" / f"picture {number:02}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(drawn_picture(240, 180, seed=number)))
    (folder / "broken.jpg").write_bytes(b"no picture")
    # What follows the end of a JPEG is of no account, but is stored with it.
    (folder / LARGE).write_bytes(encoded(drawn_picture()) + bytes(BODY_LIMIT_BYTES))
    return folder


@pytest.fixture
def out(tmp_path: Path, source: Path) -> Path:
    """A job's folder as `deploy.bulk.run` leaves it."""
    place = open_place(str(tmp_path / "out"), make=True)
    plan = Plan(
        source=str(source), caption_model="attention@1", classifier="vgg16-opencv@2", chunk_images=12, limit=None
    )
    for chunk in open_chunks(place, begin(place, open_place(str(source)), plan)):
        keys = keys_of(place, chunk)
        written = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([_row(source, key) for key in keys], schema=SCHEMA), written)
        place.put(results_path(chunk), written.getvalue())
        pass_step(place, chunk, {"chunk": chunk, "images": len(keys), "refused": 0})
    return tmp_path / "out"


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setenv("LEGENDA_INTERNAL_TOKEN", TOKEN)
    with live_service(tmp_path, body_limit_bytes=str(BODY_LIMIT_BYTES)) as service:
        service.wait_until_ready()
        shown = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=service.url, headers=shown, timeout=TIMEOUT_S, trust_env=False) as client:
            yield client


def _row(source: Path, key: str) -> dict[str, Any]:
    content = (source / key).read_bytes()
    row = {"key": key, "sha256": fingerprint(content), "size_bytes": len(content)}
    if key == "broken.jpg":
        return row | {"refused": "no picture"}
    seen = inspect_image(content, pixel_limit=1_000_000)
    caption = CaptionAnswer(
        captions=[Alternative(value=f"what {key} shows", confidence=0.5)],
        model=CAPTIONER,
        embedding=[0.25] * 256,
        encoder="vgg16",
    )
    label = "photo" if "/0/" in key else "chart"
    said = ClassificationAnswer(label=label, labels=[Alternative(value=label, confidence=0.9)], model=CLASSIFIER)
    return row | {
        "media_type": seen.media_type,
        "width": seen.width,
        "height": seen.height,
        "label": label,
        "label_confidence": 0.9,
        "caption": caption.captions[0].value,
        "caption_confidence": 0.5,
        "caption_answer": caption.model_dump_json(exclude_none=True),
        "classification_answer": said.model_dump_json(exclude_none=True),
        "refused": None,
    }


def _load(source: Path, out: Path, storage: httpx.Client) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.bulk.load", str(source), str(out), str(storage.base_url)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def _sums(out: Path) -> dict[str, int]:
    told = list(accounts(open_place(str(out)), step="loaded"))
    return {name: sum(each[name] for each in told) for name in ("stored", "known", "refused")}


def test_every_result_becomes_a_complete_image_once(source: Path, out: Path, storage: httpx.Client) -> None:
    loaded = _load(source, out, storage)

    assert (loaded.returncode, loaded.stderr) == (0, f"{LARGE} is not stored: it is larger than storage takes\n")
    assert _sums(out) == {"stored": IMAGES, "known": 0, "refused": 1}
    records = storage.get("/v1/images", params={"limit": 100}).json()["items"]
    assert len(records) == IMAGES
    for record in records:
        (file,) = source.rglob(record["filename"])
        label = "photo" if file.parent.name == "0" else "chart"
        assert record["sha256"] == fingerprint(file.read_bytes())
        assert record["status"] == "complete"
        assert (record["label"]["value"], record["label"]["model"]) == (label, "vgg16-opencv@2")
        assert record["caption"]["value"] == f"what {file.relative_to(source).as_posix()} shows"
        assert storage.get(f"/v1/images/{record['id']}/content").content == file.read_bytes()

    (out / "loaded" / "0000001.json").unlink()  # as if it had been killed before it could note that
    again = _load(source, out, storage)
    assert again.stdout.startswith("chunk 0000001: 0 stored, ")
    assert _sums(out)["stored"] + _sums(out)["known"] == IMAGES
    assert sum(each["count"] for each in storage.get("/v1/labels").json()) == IMAGES
    assert _load(source, out, storage).stdout == ""


def test_what_went_changed_or_is_too_large_is_told_and_stops_nothing(
    source: Path, out: Path, storage: httpx.Client
) -> None:
    gone, changed = source / "2026 ü/0/picture 00.jpg", source / "2026 ü/1/picture 01.jpg"
    gone.unlink()
    changed.write_bytes(b"not a picture any more")

    loaded = _load(source, out, storage)

    assert loaded.returncode == 0, loaded.stderr
    assert set(loaded.stderr.splitlines()) == {
        "2026 ü/0/picture 00.jpg is not stored: it is not there any more",
        "2026 ü/1/picture 01.jpg is not stored: it has changed since the run",
        f"{LARGE} is not stored: it is larger than storage takes",
    }
    assert _sums(out) == {"stored": IMAGES - 2, "known": 0, "refused": 3}


def test_a_wrong_token_or_folder_is_one_sentence(
    source: Path, out: Path, storage: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = _load(source, tmp_path / "nowhere", storage)
    assert (nowhere.returncode, nowhere.stderr) == (1, f"bulk: there is no folder {tmp_path / 'nowhere'}\n")
    monkeypatch.setenv("LEGENDA_INTERNAL_TOKEN", TOKEN[::-1])
    refused = _load(source, out, storage)
    assert refused.returncode == 1
    assert refused.stderr.startswith("bulk: storage did not take a batch: 401")
    assert _sums(out) == {"stored": 0, "known": 0, "refused": 0}
