"""Send what every service's OpenAPI allows, and what it does not: no failure of ours, no status that it does not tell.

The services run in this process on real sockets: storage on SQLite, models that say the same of every image.
`python -m tests.chaos.api_schemas` draws many examples a call; the suite draws a few.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import status_code_conformance

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from classify_service.app import create_app as create_classify
from classify_service.classification import LoadedModel
from classify_service.settings import ClassifySettings
from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from storage_service.app import create_app as create_storage
from storage_service.settings import StorageSettings
from tests.fakes import MODEL, ExplainingClassifier, FakeCaptioner
from tests.live_platform import free_ports
from tests.pictures import photo_bytes

SERVICES = ("caption", "classify", "storage", "gateway")
FULL = frozenset({503, 504})
START_TIMEOUT_S = 120.0


@contextmanager
def running_services(folder: Path) -> Iterator[dict[str, str]]:
    """Run all four in threads; return where each answers."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    captioner, classifier = FakeCaptioner("a dog runs"), ExplainingClassifier("photo")
    apps = {
        "caption": create_caption(CaptionSettings(), lambda: captioner),
        "classify": create_classify(ClassifySettings(), load=lambda: LoadedModel(classifier, MODEL)),
        "storage": create_storage(
            StorageSettings(
                database_url=f"sqlite+aiosqlite:///{folder}/legenda.sqlite3",
                store_url=f"file://{folder}/store",
                index_dir=folder / "index",
            )
        ),
        "gateway": create_gateway(
            GatewaySettings(caption_url=urls["caption"], classify_url=urls["classify"], storage_url=urls["storage"])
        ),
    }
    with contextlib.ExitStack() as stack:
        for name, app in apps.items():
            stack.enter_context(_listening(app, ports[name]))
        httpx.post(f"{urls['gateway']}/api/v1/images", files={"file": ("a.jpg", photo_bytes())}).raise_for_status()
        yield urls


@contextmanager
def _listening(app: FastAPI, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="on", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        give_up = time.monotonic() + START_TIMEOUT_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > give_up:
                raise RuntimeError(f"{app.title} did not start")
            time.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        thread.join()


def faults(url: str, *, examples: int) -> tuple[int, list[str]]:
    """Try every call of one service, with right and wrong requests; return how many were sent, and what is wrong."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found: list[str] = []
    sent = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        # Where there is only a path of any text, nothing can be wrong, and Hypothesis would search for it for long.
        wrong = [GenerationMode.NEGATIVE] if len(operation.body) + len(operation.query) else []
        for mode in (GenerationMode.POSITIVE, *wrong):

            @settings(
                max_examples=examples,
                derandomize=True,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(operation.as_strategy(generation_mode=mode))
            def try_it(case: schemathesis.Case) -> None:
                nonlocal sent
                response = case.call(timeout=60)
                sent += 1
                checks = [] if response.status_code in FULL else [not_a_server_error]
                case.validate_response(response, checks=[status_code_conformance, *checks])

            try:
                try_it()
            except Unsatisfiable:  # such a call cannot be wrong: it takes nothing
                continue
            except (FailureGroup, Failure) as failure:
                found.append(f"{operation.label} ({mode.value}): {failure!s}"[:2_000])
    return sent, found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.api_schemas", description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="of each call (default: %(default)s)")
    options = parser.parse_args()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="legenda-chaos-") as folder, running_services(Path(folder)) as urls:
        for name, url in urls.items():
            sent, found = faults(url, examples=options.examples)
            print(f"{name}: {sent} requests, {len(found)} faults", flush=True)
            wrong += [f"{name}: {each}" for each in found]
    if wrong:
        sys.exit("\n\n".join(wrong))


if __name__ == "__main__":
    main()
