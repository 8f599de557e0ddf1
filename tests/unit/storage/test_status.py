"""How storage is doing, asked of a real SQLite and a real MySQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.deadline import Deadline
from shared.status_contracts import StorageStatus
from storage_service.database import Database
from storage_service.status import Status
from storage_service.tables import Analysis, Image
from tests.unit.storage.samples import add_rows, new_image

NOW = datetime(2026, 11, 26, 12, 30, 30, tzinfo=UTC)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def status(database: Database, registry: CollectorRegistry) -> Status:
    return Status(database, registry, now=lambda: NOW)


async def _tell(status: Status) -> StorageStatus:
    return await status.tell(deadline=Deadline.after(60))


async def test_an_empty_installation_has_nothing(status: Status) -> None:
    told = await _tell(status)
    assert (told.images, told.stored_bytes, told.pending, told.failed, told.oldest_pending_at) == (0, 0, 0, 0, None)
    assert told.described_a_minute == [0] * 60


async def test_it_tells_what_is_kept_what_waits_and_how_fast_models_were(
    status: Status, database: Database, engine: AsyncEngine, registry: CollectorRegistry
) -> None:
    await add_rows(
        database,
        [
            new_image(b"1"),
            new_image(b"2"),
            new_image(b"3", caption=None),
            new_image(b"4", caption=None),
            new_image(b"5", label=None, caption=None),
        ],
    )
    async with engine.begin() as connection:
        seqs = list(await connection.scalars(text("SELECT seq FROM images ORDER BY seq")))
        given = list(await connection.scalars(text("SELECT seq FROM analyses WHERE kind = 'caption' ORDER BY seq")))
        for seq, hours in zip(seqs, (1, 2, 3, 4, 5), strict=True):
            came = NOW - timedelta(hours=hours)
            await connection.execute(update(Image).where(Image.seq == seq).values(created_at=came, size_bytes=1000))
        await connection.execute(update(Image).where(Image.seq == seqs[4]).values(status="failed"))
        for seq, minutes in zip(given, (0, 59), strict=True):
            said = NOW - timedelta(minutes=minutes)
            await connection.execute(update(Analysis).where(Analysis.seq == seq).values(created_at=said))

    told = await _tell(status)
    assert (told.images, told.stored_bytes, told.pending, told.failed) == (5, 5000, 2, 1)
    assert told.oldest_pending_at == NOW - timedelta(hours=3)
    assert told.described_a_minute == [1, *[0] * 58, 1]

    async with engine.begin() as connection:
        too_long_ago = NOW - timedelta(minutes=60)
        await connection.execute(update(Analysis).where(Analysis.seq == given[1]).values(created_at=too_long_ago))
        await connection.execute(update(Analysis).where(Analysis.seq == given[0]).values(source="person"))
    assert (await _tell(status)).described_a_minute == [0] * 60

    metrics = generate_latest(registry).decode()
    for line in (
        'stored_images{status="complete"} 2.0',
        'stored_images{status="pending"} 2.0',
        'stored_images{status="failed"} 1.0',
        "pending_oldest_seconds 10800.0",
    ):
        assert line in metrics


async def test_the_metrics_follow_without_anybody_asking_for_the_status(
    status: Status, database: Database, registry: CollectorRegistry
) -> None:
    assert "pending_oldest_seconds 0.0" in generate_latest(registry).decode()
    await add_rows(database, [new_image(b"1", caption=None)])
    await status.measure(deadline=Deadline.after(60))
    assert 'stored_images{status="pending"} 1.0' in generate_latest(registry).decode()
