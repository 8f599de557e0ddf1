"""A real service whose SQLite file cannot be used for a while."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx

from shared.errors import PROBLEM_MEDIA_TYPE
from tests.integration.storage.service_process import health_watched_service
from tests.unit.storage.samples import files_below

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def _is_unavailable(response: httpx.Response) -> None:
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable"), response.text
    assert response.headers["Content-Type"] == PROBLEM_MEDIA_TYPE
    assert int(response.headers["Retry-After"]) >= 1


def test_a_file_that_is_no_database_is_told_and_one_in_its_place_is_used(tmp_path: Path) -> None:
    file = tmp_path / ".data/legenda.sqlite3"
    file.parent.mkdir()
    file.write_bytes(b"these are my holiday notes, not a database" * 100)
    with health_watched_service(tmp_path) as service:
        assert service.http.get("/health/ready").json()["degraded"] == ["database"]
        _is_unavailable(service.http.get("/v1/labels"))
        _is_unavailable(service.upload(b"a dog"))
        [told] = service.told("database_unusable")
        assert told["reason"] == "file is not a database: move it away, or name another in STORAGE_DATABASE_URL"

        file.rename(tmp_path / "notes.txt")
        service.wait(service.is_ready)
        assert service.upload(b"a dog").status_code == 201
    assert (tmp_path / "notes.txt").read_bytes().startswith(b"these are my holiday notes")


def test_a_file_that_another_process_has_locked_is_waited_for(tmp_path: Path) -> None:
    with health_watched_service(tmp_path, statement_timeout_s="0.5") as service:
        service.wait(service.is_ready)
        kept = service.upload(b"before").json()
        with closing(sqlite3.connect(tmp_path / ".data/legenda.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            late = service.upload(b"meanwhile", **{"X-Deadline-Ms": "2000"})
            assert late.status_code in {503, 504}
            assert service.http.get(f"/v1/images/{kept['id']}").json() == kept
            other.execute("ROLLBACK")
        assert service.upload(b"meanwhile").status_code in {200, 201}
    assert len(files_below(service.store)) == 4


def test_a_full_disk_stores_nothing_by_halves_and_is_recovered_from(tmp_path: Path) -> None:
    with health_watched_service(tmp_path) as service:
        service.wait(service.is_ready)
        kept = service.upload(b"before").json()
        database = tmp_path / ".data/legenda.sqlite3-wal"

        # No file may grow past this: the write-ahead log is full, and a new image's file of one byte is not.
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (database.stat().st_size, resource.RLIM_INFINITY))
        _is_unavailable(service.upload(b"m"))
        assert service.http.get(f"/v1/images/{kept['id']}").json() == kept
        assert len(files_below(service.store)) == 2
        assert service.told("database_failed")

        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        refused = service.upload(b"more than one byte")
        _is_unavailable(refused)
        assert "the store does not take or give files" in refused.json()["detail"]
        assert len(files_below(service.store)) == 2

        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        assert service.upload(b"m").status_code == 201
        service.wait(service.is_ready)
        assert len(files_below(service.store)) == 4
