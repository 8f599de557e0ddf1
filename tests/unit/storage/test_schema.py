from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.app import StartupError
from shared.contracts import Correction
from storage_service import lineage, schema
from storage_service.columns import Term
from storage_service.database import Database, open_engine
from storage_service.pages import PageQuery
from storage_service.search import WordQuery
from storage_service.tables import Table
from tests.unit.storage.samples import add_rows, new_image

AN_IMAGE = """
    INSERT INTO images (id, sha256, filename, path, media_type, width, height, size_bytes, status, label, certainty,
        search_words, word_count, created_at)
    VALUES (:id, 'abc', :name, 'photo/dog.jpg', 'image/jpeg', 640, 480, 1, 'pending', 'photo', 0.9, 'w_dog', 1,
        '2026-01-02 03:04:05.678901')
"""
CHARSETS = """
    SELECT table_name, column_name, character_set_name FROM information_schema.columns
    WHERE table_schema = DATABASE() AND character_set_name IS NOT NULL
"""
A_CAPTION = """
    INSERT INTO analyses (image_seq, kind, value, alternatives, source, created_at)
    SELECT seq, 'caption', :caption, '[]', 'person', created_at FROM images
"""


def _is_ours(_: object, name: str | None, *__: object) -> bool:
    return not (name or "").startswith(("images_fts", "images_fulltext"))


ALL = PageQuery(words=None, label=None, status=None, sort="newest", limit=50, after=None)


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


def _table_names(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_the_migrations_make_the_tables_that_the_code_expects(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_migrations_go_down_to_nothing_and_up_again(engine: AsyncEngine) -> None:
    await schema.downgrade(engine, "base")
    async with engine.connect() as connection:
        assert await connection.run_sync(_table_names) == {"alembic_version"}

    await schema.upgrade(engine)

    await schema.require_current(engine)


async def test_each_step_up_and_down_keeps_the_data_that_is_there(bare_url: str) -> None:
    engine = open_engine(bare_url)
    revisions = [script.revision for script in schema.scripts().walk_revisions()][::-1]
    await schema.upgrade(engine, revisions[0])
    async with engine.begin() as connection:
        await connection.execute(text(AN_IMAGE), {"id": bytes(16), "name": "🐕 名.jpg"})
        await connection.execute(text(A_CAPTION), {"caption": "a dog 🐕"})

    visited = []
    for revision in [*revisions[1:], *revisions[-2::-1]]:
        is_up = revision not in visited
        await (schema.upgrade if is_up else schema.downgrade)(engine, revision)
        visited.append(revision)
        async with engine.connect() as connection:
            image = (await connection.execute(text("SELECT id, filename, width FROM images"))).one()
            caption = await connection.scalar(text("SELECT value FROM analyses"))
        assert (bytes(image.id), image.filename, image.width) == (bytes(16), "🐕 名.jpg", 640), revision
        assert caption == "a dog 🐕", revision

    await schema.upgrade(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
        assert await connection.scalar(text("SELECT count(*) FROM images")) == 1
    await engine.dispose()


async def test_images_of_an_older_schema_are_found_after_the_migration_and_kept_when_it_is_taken_back(
    engine: AsyncEngine,
) -> None:
    database = Database(engine)
    await add_rows(database, [new_image(b"1", caption="a black dog"), new_image(b"2", label=None, caption=None)])
    async with database.writing() as images:
        (_, first), _ = await images.page(ALL)
        first.analyses.extend(lineage.corrected(Correction(label="pets", caption="Rex, the black dog")))
        lineage.refresh(first)

    await schema.downgrade(engine, "0003")
    async with engine.connect() as connection:
        kept = (await connection.execute(text("SELECT search_words FROM images ORDER BY seq"))).scalars().all()
    assert kept == ["w_rex w_the w_black w_dog w_pets w_jpg", "w_unclassified w_dog w_jpg"]
    await schema.upgrade(engine)

    by_person = replace(ALL, words=WordQuery('"black dog"'), label="pets", source="person")
    async with database.reading() as images:
        found, _ = await images.page(by_person)
        counts = {count.label: count.count for count in await images.label_counts()}
    assert [image.id for image in found] == [first.id]
    assert found[0].search_words == first.search_words
    assert counts == {"pets": 1, "unclassified": 1}


async def test_several_processes_may_migrate_at_once(bare_url: str) -> None:
    engines = [open_engine(bare_url) for _ in range(4)]

    await asyncio.gather(*(schema.upgrade(engine) for engine in engines))

    await schema.require_current(engines[0])
    for engine in engines:
        await engine.dispose()


async def test_an_old_schema_is_told_with_what_to_do(engine: AsyncEngine) -> None:
    await schema.downgrade(engine, "base")

    with pytest.raises(StartupError, match="run storage-migrate"):
        await schema.require_current(engine)


async def test_each_database_is_set_up_as_it_must_be(engine: AsyncEngine) -> None:
    if engine.dialect.name == "mysql":
        async with engine.connect() as connection:
            columns = {row.Field: row.Type for row in await connection.execute(text("SHOW COLUMNS FROM images"))}
            charsets = {(table, column): charset for table, column, charset in await connection.execute(text(CHARSETS))}
        assert columns["id"] == "binary(16)"
        # Words as we cut them are ASCII by themselves; all that people wrote is kept in full.
        words = {
            (table.name, column.name)
            for table in Table.metadata.sorted_tables
            for column in table.columns
            if column.type is Term
        }
        assert words
        assert {place for place, charset in charsets.items() if charset != "utf8mb4"} == words
    else:
        async with engine.connect() as connection:
            row = (await connection.execute(text("PRAGMA journal_mode"))).one()
            foreign_keys = (await connection.execute(text("PRAGMA foreign_keys"))).one()
        assert (row[0], foreign_keys[0]) == ("wal", 1)


def test_other_databases_are_refused_in_one_sentence() -> None:
    with pytest.raises(StartupError, match=r"must begin with sqlite\+aiosqlite or mysql\+asyncmy, not with postgresql"):
        open_engine("postgresql://localhost/legenda")


async def test_the_folder_of_a_new_database_is_made(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/new/folder/legenda.sqlite3")

    await schema.upgrade(engine)

    await engine.dispose()
    assert (tmp_path / "new/folder/legenda.sqlite3").is_file()
