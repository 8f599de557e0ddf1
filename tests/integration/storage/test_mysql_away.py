"""A real service whose MySQL is away, stalls, refuses or comes back: it says so, loses nothing, and goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL, make_url

from shared.errors import PROBLEM_MEDIA_TYPE, Problem
from storage_service import schema
from storage_service.database import open_engine
from tests.cuttable import Cuttable, cuttable
from tests.integration.storage.service_process import ServiceProcess, health_watched_service
from tests.unit.storage.samples import files_below

SHORT = {"statement_timeout_s": "1"}


@pytest.fixture
def behind(mysql_url: str) -> Iterator[Cuttable]:
    """A connection to the test's database that can be cut."""
    url = make_url(mysql_url)
    with cuttable(url.host or "127.0.0.1", url.port or 3306) as connection:
        yield connection


def _through(connection: Cuttable, mysql_url: str) -> str:
    return make_url(mysql_url).set(host="127.0.0.1", port=connection.port).render_as_string(hide_password=False)


def _is_unavailable(response: httpx.Response) -> None:
    assert response.headers["Content-Type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (503, "storage_unavailable"), response.text
    assert int(response.headers["Retry-After"]) >= 1


def _works(service: ServiceProcess, content: bytes) -> None:
    assert service.upload(content).status_code == 201
    assert service.upload(content).status_code == 200


def test_a_server_that_is_away_at_start_is_told_and_waited_for(
    mysql_url: str, behind: Cuttable, tmp_path: Path
) -> None:
    behind.cut()
    with health_watched_service(tmp_path, database_url=_through(behind, mysql_url)) as service:
        health = service.http.get("/health/ready")
        assert (health.status_code, health.json()["degraded"]) == (503, ["database"])
        _is_unavailable(service.http.get("/v1/labels"))
        _is_unavailable(service.upload(b"too early"))
        reasons = [str(told["reason"]) for told in service.told("database_unusable")]
        assert reasons
        assert all("MySQL server" in reason for reason in reasons)  # refused, reset or closed: as it happens

        behind.restore()
        service.wait(service.is_ready)
        _works(service, b"a dog")
        assert len(service.told("database_opened")) == 1
    assert len(files_below(tmp_path / ".data/store")) == 2


def test_a_server_that_is_lost_and_comes_back_costs_nothing_that_was_acknowledged(
    mysql_url: str, behind: Cuttable, tmp_path: Path
) -> None:
    with health_watched_service(tmp_path, database_url=_through(behind, mysql_url), **SHORT) as service:
        service.wait(service.is_ready)
        kept = service.upload(b"before").json()

        behind.cut()
        _is_unavailable(service.upload(b"meanwhile"))
        _is_unavailable(service.http.get(f"/v1/images/{kept['id']}"))
        _is_unavailable(service.http.patch(f"/v1/images/{kept['id']}", json={"label": "meme"}))
        _is_unavailable(service.http.delete(f"/v1/images/{kept['id']}"))
        assert len(files_below(service.store)) == 2
        service.wait(lambda: not service.is_ready())

        behind.restore()
        assert service.http.get(f"/v1/images/{kept['id']}").json() == kept
        _works(service, b"meanwhile")
        service.wait(service.is_ready)
        assert len(files_below(service.store)) == 4


def test_a_connection_that_is_lost_for_a_moment_is_not_noticed(
    mysql_url: str, behind: Cuttable, tmp_path: Path
) -> None:
    with health_watched_service(tmp_path, database_url=_through(behind, mysql_url)) as service:
        service.wait(service.is_ready)
        for number in range(3):
            behind.cut()
            restoring = threading.Timer(0.1, behind.restore)
            restoring.start()
            assert service.upload(bytes([number])).status_code == 201
            restoring.join()
        assert service.http.get("/v1/labels").json() == [{"label": "photo", "count": 3}]


def test_a_server_that_stalls_holds_no_request_past_its_deadline(
    mysql_url: str, behind: Cuttable, tmp_path: Path
) -> None:
    with health_watched_service(tmp_path, database_url=_through(behind, mysql_url), **SHORT) as service:
        service.wait(service.is_ready)
        kept = service.upload(b"before").json()
        behind.stall()
        place = f"/v1/images/{kept['id']}"

        hurried = service.http.get(place, headers={"X-Deadline-Ms": "500"})
        changed = service.http.patch(place, json={"label": "meme"}, headers={"X-Deadline-Ms": "500"})
        assert (hurried.status_code, changed.status_code) == (504, 504)
        _is_unavailable(service.http.get(place))
        _is_unavailable(service.upload(b"meanwhile"))
        service.wait(lambda: not service.is_ready())

        behind.restore()
        service.wait(service.is_ready)
        _works(service, b"meanwhile")
        assert service.http.get(place).json()["label"]["value"] in {"photo", "meme"}  # it may have arrived late


def test_a_refused_password_is_told_without_it_and_the_service_stays(mysql_url: str, tmp_path: Path) -> None:
    wrong = make_url(mysql_url).set(username="nobody_at_all", password="tell-nobody")
    with health_watched_service(tmp_path, database_url=wrong.render_as_string(hide_password=False)) as service:
        _is_unavailable(service.http.get("/v1/labels"))
        [told] = service.told("database_unusable")
        assert "check user and password in STORAGE_DATABASE_URL" in str(told["reason"])
        assert "tell-nobody" not in service.log.read_text()


def test_a_database_without_tables_is_told_with_what_to_do_and_used_once_it_has_them(
    bare_mysql_url: str, tmp_path: Path
) -> None:
    with health_watched_service(tmp_path, database_url=bare_mysql_url) as service:
        [told] = service.told("database_unusable")
        assert "run storage-migrate" in str(told["reason"])

        asyncio.run(_migrate(make_url(bare_mysql_url)))
        service.wait(service.is_ready)
        _works(service, b"a dog")


def test_a_database_that_does_not_exist_is_told(mysql_url: str, tmp_path: Path) -> None:
    absent = make_url(mysql_url).set(database="legenda_test_absent").render_as_string(hide_password=False)
    with health_watched_service(tmp_path, database_url=absent) as service:
        [told] = service.told("database_unusable")
        assert "create it, or name another in STORAGE_DATABASE_URL" in str(told["reason"])
        _is_unavailable(service.http.get("/v1/labels"))


async def _migrate(url: URL) -> None:
    engine = open_engine(url.render_as_string(hide_password=False))
    await schema.upgrade(engine)
    await engine.dispose()
