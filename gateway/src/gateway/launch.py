"""Run all of Legenda on one machine: what `make run` calls.

supervisord starts the services and restarts what dies; this module checks beforehand what would make them fail, says
when each is ready, and stops all of them on Ctrl-C. It needs to know no other service's code: the gateway's settings
tell where each one answers.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit
from xmlrpc.client import Fault, ServerProxy

import httpx
from supervisor.xmlrpc import SupervisorTransport

from gateway import __version__
from gateway.settings import GatewaySettings

CHECKOUT = Path(__file__).resolve().parents[3]
READY_TIMEOUT_S = 120.0
POLL_S = 0.25
ASK_TIMEOUT_S = 2.0
WATCH_S = 2.0
STOP_TIMEOUT_S = 60.0


class CannotRun(Exception):
    """Legenda cannot start; the message is one sentence that says what to do."""


def main() -> None:
    """Start everything, wait for a signal, stop everything."""
    try:
        _run(_addresses())
    except CannotRun as problem:
        sys.exit(f"Legenda cannot start: {problem}")


def _addresses() -> dict[str, str]:
    """Return where each service answers, by its name in supervisord.conf."""
    settings = GatewaySettings()
    return {
        "storage": settings.storage_url,
        "classify": settings.classify_url,
        "caption": settings.caption_url,
        "gateway": f"http://{settings.host}:{settings.port}",
    }


def _run(addresses: dict[str, str]) -> None:
    for service, address in addresses.items():
        _check_port(service, address)
    logs = Path(os.environ.get("LEGENDA_LOGS", CHECKOUT / ".data" / "logs"))
    logs.mkdir(parents=True, exist_ok=True)
    print(f"Legenda {__version__} is starting; logs are in {logs}", flush=True)
    with tempfile.TemporaryDirectory(prefix="legenda-") as run, _supervisor(Path(run), logs) as services:
        stop = _Stop()
        _wait_until_ready(services, addresses, logs, stop)
        if not stop.asked:
            print(f"\n  Open {addresses['gateway']}   Ctrl-C stops everything.\n", flush=True)
        _watch(services, stop)
        print("\nStopping.", flush=True)


class _Stop:
    """Remembers that a signal asked us to stop; a second Ctrl-C is not needed and does no harm."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _check_port(service: str, address: str) -> None:
    url = urlsplit(address)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((url.hostname or "", url.port or 80))
        except OSError as error:
            hint = "" if service == "gateway" else f" and GATEWAY_{service.upper()}_URL"
            raise CannotRun(
                f"port {url.port} is taken ({error.strerror}): stop what uses it, "
                f"or set {service.upper()}_PORT{hint} in .env"
            ) from error


@contextmanager
def _supervisor(run: Path, logs: Path) -> Iterator[Any]:
    """Start supervisord; hand out its XML-RPC interface; stop it and all services at the end."""
    environment = os.environ | {
        "LEGENDA_PYTHON": sys.executable,
        "LEGENDA_LOGS": str(logs),
        "LEGENDA_RUN": str(run),
    }
    supervisord = Path(sys.executable).with_name("supervisord")
    # A session of its own: Ctrl-C reaches only this process, which then stops the services in order.
    process = subprocess.Popen(  # noqa: S603
        [supervisord, "--configuration", CHECKOUT / "supervisord.conf"],
        env=environment,
        start_new_session=True,
    )
    transport = SupervisorTransport(serverurl=f"unix://{run / 'supervisor.sock'}")
    try:
        yield ServerProxy("http://127.0.0.1", transport=transport)
    finally:
        transport.close()
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(services: Any, addresses: dict[str, str], logs: Path, stop: _Stop) -> None:
    started = time.monotonic()
    waiting = dict(addresses)
    told: set[str] = set()
    # One client for all: to make one takes longer than all that it asks here.
    with httpx.Client(timeout=ASK_TIMEOUT_S, trust_env=False) as http:
        while waiting and not stop.asked:
            time.sleep(POLL_S)
            if time.monotonic() - started > READY_TIMEOUT_S:
                names = " and ".join(waiting)
                raise CannotRun(f"{names} did not become ready within {READY_TIMEOUT_S:.0f} s; see {logs}")
            for service, state in _states(services).items():
                if state["statename"] in {"EXITED", "FATAL"}:
                    raise CannotRun(_last_words(service, logs))
            for service, address in list(waiting.items()):
                is_ready, missing = _asked(http, address)
                if missing and service not in {"gateway", *told}:
                    print(f"  {service:<9} waits for its {' and '.join(missing)}; see {logs / service}.log", flush=True)
                    told.add(service)
                if is_ready:
                    print(f"  {service:<9} ready after {time.monotonic() - started:4.1f} s", flush=True)
                    del waiting[service]


def _watch(services: Any, stop: _Stop) -> None:
    """Say it when the supervisor had to restart a service."""
    known = _states(services)
    while not stop.asked:
        time.sleep(WATCH_S)
        states = _states(services)
        for service, state in states.items():
            before = known.get(service, state)
            if state["statename"] == "RUNNING" and state["pid"] != before["pid"]:
                print(f"  {service} had stopped and was started again", flush=True)
            elif state["statename"] == "FATAL" and before["statename"] != "FATAL":
                print(f"  {service} stops again and again; see its log", flush=True)
        known = known | {name: state for name, state in states.items() if state["statename"] in {"RUNNING", "FATAL"}}


def _states(services: Any) -> dict[str, dict[str, Any]]:
    """Return what supervisord says of each service; nothing while it is not up itself."""
    try:
        return {state["name"]: state for state in services.supervisor.getAllProcessInfo()}
    except (OSError, HTTPException, Fault):
        services("close")()  # its connection, which would refuse every further question once one could not be sent
        return {}


def _asked(http: httpx.Client, address: str) -> tuple[bool, list[str]]:
    """Return whether a service is ready, and what it says it cannot work without, once it answers."""
    try:
        answer = http.get(f"{address}/health/ready")
        return answer.is_success, [str(name) for name in answer.json()["degraded"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False, []


def _last_words(service: str, logs: Path) -> str:
    """Return the last event that a service logged before it gave up."""
    file = logs / f"{service}.log"
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    for line in reversed(lines):
        try:
            event = str(json.loads(line)["event"])
        except (ValueError, KeyError, TypeError):
            event = line if "cannot" in line else ""
        if "cannot" in event:
            return event
    return f"{service} stopped at once; see {file}"


if __name__ == "__main__":
    main()
