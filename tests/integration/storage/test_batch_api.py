from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx

from shared.batch_contracts import MOST_IN_BATCH, NewImages, StoredBatch
from shared.contracts import NewImage
from tests.unit.storage.embedded import directions, embedded
from tests.unit.storage.samples import PREVIEW, files_below, new_image


def _parts(
    records: Sequence[NewImage], contents: Sequence[bytes], *, previews: int | None = None
) -> list[tuple[str, tuple[str, bytes]]]:
    return [
        ("records", ("records.json", NewImages(list(records)).model_dump_json().encode())),
        *(("original", ("o", content)) for content in contents),
        *(("preview", ("p", PREVIEW)) for _ in range(len(contents) if previews is None else previews)),
    ]


async def _post(storage: httpx.AsyncClient, contents: Sequence[bytes]) -> StoredBatch:
    response = await storage.post("/v1/images/batch", files=_parts(list(map(new_image, contents)), contents))
    assert response.status_code == 200, response.text
    return StoredBatch.model_validate_json(response.content)


async def test_each_image_of_a_batch_is_stored_with_its_files(storage: httpx.AsyncClient, folder: Path) -> None:
    contents = [f"image {n}".encode() for n in range(7)]

    batch = await _post(storage, contents)

    assert [item.outcome for item in batch.items] == ["stored"] * 7
    for item, content in zip(batch.items, contents, strict=True):
        assert item.image is not None
        place = f"/v1/images/{item.image.id}"
        assert (await storage.get(f"{place}/content")).content == content
        assert (await storage.get(f"{place}/preview")).content == PREVIEW
        assert (await storage.get(place)).json() == item.image.model_dump(mode="json")
    found = (await storage.get("/v1/images", params={"q": "grass"})).json()["items"]
    assert [item["id"] for item in found] == [str(item.image.id) for item in reversed(batch.items) if item.image]
    assert (await storage.get("/v1/labels")).json() == [{"label": "photo", "count": 7}]
    assert len(files_below(folder)) == 14


async def test_known_bytes_and_broken_ones_are_told_and_keep_no_other_from_being_stored(
    storage: httpx.AsyncClient, folder: Path
) -> None:
    await _post(storage, [b"known"])
    contents = [b"new", b"known", b"new", b"broken", b"last"]
    records = [new_image(content) for content in [b"new", b"known", b"new", b"something else", b"last"]]

    response = await storage.post("/v1/images/batch", files=_parts(records, contents))

    items = StoredBatch.model_validate_json(response.content).items
    assert [item.outcome for item in items] == ["stored", "known", "known", "refused", "stored"]
    assert items[0].image == items[2].image
    assert items[3].refusal is not None
    assert items[3].refusal.code == "hash_mismatch"
    assert len(files_below(folder)) == 6


async def test_what_is_missing_becomes_work(storage: httpx.AsyncClient) -> None:
    contents = [b"1", b"2", b"3"]
    records = [new_image(b"1"), new_image(b"2", caption=None), new_image(b"3", caption=None, label=None)]

    await storage.post("/v1/images/batch", files=_parts(records, contents))

    work = {item["kind"]: item["missing"] for item in (await storage.get("/v1/work")).json()["items"]}
    assert work == {"caption": 2, "label": 1}


async def test_embedded_images_of_a_batch_are_found_as_similar(storage: httpx.AsyncClient) -> None:
    contents = [b"1", b"2", b"3"]
    records = [embedded(content, towards) for content, towards in zip(contents, directions(3), strict=True)]

    response = await storage.post("/v1/images/batch", files=_parts(records, contents))

    first = response.json()["items"][0]["image"]["id"]
    assert len((await storage.get(f"/v1/images/{first}/similar")).json()["items"]) == 2


async def test_equal_batches_at_once_are_stored_once(storage: httpx.AsyncClient, folder: Path) -> None:
    contents = [f"image {n}".encode() for n in range(20)]

    batches = await asyncio.gather(*(_post(storage, contents) for _ in range(3)))

    outcomes = [[item.outcome for item in batch.items] for batch in batches]
    assert all(sorted(of_one) == ["known", "known", "stored"] for of_one in zip(*outcomes, strict=True))
    assert len({tuple(item.image.id for item in batch.items if item.image) for batch in batches}) == 1
    assert len(files_below(folder)) == 40


async def test_a_batch_that_is_no_batch_is_refused_and_leaves_nothing(storage: httpx.AsyncClient, folder: Path) -> None:
    one = [new_image(b"1")]
    no_image = [one[0].model_copy(update={"media_type": "text/html"})]
    too_many = [b"%d" % n for n in range(MOST_IN_BATCH + 1)]
    refused = {
        "none": (_parts([], []), 422),
        "more originals": (_parts(one, [b"1", b"2"]), 422),
        "fewer previews": (_parts(one, [b"1"], previews=0), 422),
        "empty": (_parts(one, [b""]), 422),
        "no image": (_parts(no_image, [b"1"]), 415),
        "too many": (_parts(one, too_many), 400),
        "too large": (_parts(one, [b"x" * 200_000]), 413),
        "no records": ([("original", ("o", b"1"))], 422),
        "no JSON": ([("records", ("r", b"{"))], 422),
    }

    statuses = {
        why: (await storage.post("/v1/images/batch", files=files)).status_code for why, (files, _) in refused.items()
    }

    assert statuses == {why: status for why, (_, status) in refused.items()}
    assert files_below(folder) == []
