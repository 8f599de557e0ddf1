"""What is logged, and how: JSON for programs, short lines for people."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from shared.deadline import Deadline
from shared.telemetry import configure_logging, install_telemetry
from shared.worker import BoundedWorker


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def _logging_to(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging("storage", level="info")


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_program_reads_json_with_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    _logging_to(stream, monkeypatch)
    logging.getLogger("storage").info("image_stored", extra={"label": "photo\n"})
    (line,) = _lines(stream)
    assert (line["event"], line["service"], line["level"], line["label"]) == (
        "image_stored",
        "storage",
        "info",
        "photo\n",
    )
    assert str(line["time"]).endswith("+00:00")


def test_a_person_reads_one_short_line(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    _logging_to(stream, monkeypatch)
    logging.getLogger("uvicorn.error").warning("image_lost", extra={"image_id": 7, "color_message": "\x1b[36m"})
    assert stream.getvalue().rstrip().endswith("storage  warning image_lost image_id=7")


def test_an_exception_stays_one_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    _logging_to(stream, monkeypatch)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError as error:
        logging.getLogger("x").error("request_failed", exc_info=error)
    (line,) = _lines(stream)
    assert "ZeroDivisionError" in str(line["exception"])


def test_a_library_s_warning_is_logged_like_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    _logging_to(stream, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("this picture is odd", stacklevel=1)
    (line,) = _lines(stream)
    assert (line["level"], "this picture is odd" in str(line["event"])) == ("warning", True)


async def test_what_a_worker_thread_logs_carries_the_request_s_id(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    _logging_to(stream, monkeypatch)
    app, worker = FastAPI(), BoundedWorker("test", threads=1, waiting=1)
    install_telemetry(app, CollectorRegistry())

    @app.get("/work")
    async def work() -> None:
        await worker.run(lambda: logging.getLogger("x").info("decoded"), deadline=Deadline.after(5))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/work", headers={"X-Request-ID": "trace-9"})
    worker.close()
    assert [(line["event"], line["request_id"]) for line in _lines(stream)] == [
        ("decoded", "trace-9"),
        ("request", "trace-9"),
    ]
