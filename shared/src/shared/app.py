"""Build and run a service the way all of them are built: telemetry, errors, health, a clean stop.

A service's own `app.py` calls `create_service`, and its `__main__.py` calls `serve`.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI, Response
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry, Gauge
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.contracts import Health
from shared.draining import Draining, DrainingRequests
from shared.errors import install_error_handlers
from shared.openapi import describe_failures
from shared.serving import StoppableServer
from shared.settings import START_FAILED_EXIT_CODE, ServiceSettings
from shared.settings_help import answer_help
from shared.telemetry import configure_logging, install_telemetry
from shared.trace_export import SPANS, exported_traces

log = logging.getLogger(__name__)

READY_RETRY_AFTER_S = 1
OBJECTS_BEFORE_COLLECTING = 2_000
"""A batch of 100 images makes some 100,000, most of which go by themselves; Python would look after each 700. Ten times
as many were no quicker, and those that lie about meanwhile took 4 MB."""
YOUNGER_COLLECTIONS = 20

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class StartupError(Exception):
    """The service cannot start; the message is one sentence that says what to do."""


def create_service(
    name: str,
    *,
    version: str,
    description: str,
    readiness: Callable[[], Health],
    lifespan: Lifespan,
    registry: CollectorRegistry,
    load: Callable[[], float] = float,
    doors: Sequence[Middleware] = (),
) -> FastAPI:
    """Return an app with `/health/live`, `/health/ready`, `/metrics`, `/docs`, request ids and problem answers.

    `/docs` brings its scripts along, so that it works where there is no network.

    Args:
        name: The service's name, as in logs.
        version: The service's version.
        description: First sentence of its OpenAPI page.
        readiness: Says whether the service can do its job; called at each `/health/ready`.
        lifespan: Loads what the service needs, and lets it go.
        registry: Where the service's metrics live.
        load: Says what share of its places for work is taken, 0 to 1. A full service stays ready: it does its job, and
            taken out of service it would only push its load onto the others.
        doors: What a request passes before its route, the outermost last; telemetry lies around them, so that what
            they refuse is counted and logged, too.
    """
    draining = Draining()
    app = FastAPIOffline(
        title=f"Legenda {name}", version=version, description=description, lifespan=lifespan, telemetry=SPANS
    )
    install_error_handlers(app)
    describe_failures(app)
    app.state.draining = draining
    app.add_middleware(DrainingRequests, draining=draining)
    for door in doors:
        app.add_middleware(door.cls, *door.args, **door.kwargs)
    app.state.request_metrics = install_telemetry(app, registry)
    Gauge(
        "work_places_taken_ratio",
        "Share of the places for work that are taken; at 1 new work is refused.",
        registry=registry,
    ).set_function(load)

    @app.get("/health/live", tags=["health"])
    async def live() -> Health:
        """The process is up."""
        return Health(status="live", service=name, version=version)

    @app.get("/health/ready", tags=["health"], responses={503: {"model": Health}})
    async def ready(response: Response) -> Health:
        """The service can do its job; 503 while it cannot, and as soon as it is being stopped."""
        health = readiness().model_copy(update={"load": load()})
        if draining.has_begun:
            health = health.model_copy(update={"status": "stopping"})
        if health.status != "ready":
            response.status_code = 503
            response.headers["Retry-After"] = str(READY_RETRY_AFTER_S)
        return health

    return app


def serve(name: str, app: FastAPI, settings: ServiceSettings) -> None:
    """Listen until SIGINT or SIGTERM, then stop as `StoppableServer` does; with `--help`, tell the settings.

    `app.state.shed`, if the app has it, refuses requests before they are begun; see `http_protocol.Shed`.

    Exits with START_FAILED_EXIT_CODE and one sentence when the port is taken or the service cannot start.
    """
    answer_help(type(settings).__module__.partition(".")[0], app.description, type(settings))
    configure_logging(name, level=settings.log_level)
    if settings.is_exposed:
        reason = f"whoever reaches {settings.host} can use it: LEGENDA_INTERNAL_TOKEN is not set"
        log.warning("service_exposed", extra={"reason": reason})
    server = StoppableServer(
        _sentence_for_failed_start(name, app),
        draining=app.state.draining,
        timeout_s=settings.shutdown_timeout_s,
        shed=getattr(app.state, "shed", None),
    )
    # For signals that come before the server takes them over, or after it is done.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, server.handle_exit)
    gc.freeze()  # what has been loaded stays, so nobody need look at it again
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING, YOUNGER_COLLECTIONS, YOUNGER_COLLECTIONS)
    with exported_traces(name, app.version), contextlib.closing(listen(name, settings.host, settings.port)) as listener:
        server.run(sockets=[listener])
    if not server.started:
        sys.exit(START_FAILED_EXIT_CODE)
    server.leave()


def listen(name: str, host: str, port: int) -> socket.socket:
    """Return a bound socket, or end the process with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio sends small answers at once (TCP_NODELAY) only on sockets that say they are TCP;
    # on others each answer waits 40 ms for an acknowledgement that the other side holds back.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        sys.stderr.write(f"{name} cannot listen on {host}:{port}: {error.strerror}.\n")
        sys.exit(START_FAILED_EXIT_CODE)
    return listener


def _sentence_for_failed_start(name: str, app: ASGIApp) -> ASGIApp:
    """Answer a StartupError in the lifespan with its sentence, where Starlette would send the traceback."""

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        failure: list[Message] = []

        async def hold_failure(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                failure.append(message)
            else:
                await send(message)

        try:
            await app(scope, receive, hold_failure)
        except StartupError as error:
            await send({"type": "lifespan.startup.failed", "message": f"{name} cannot start: {error}"})
        except BaseException:  # whatever it was, it goes on its way; only its message was held back
            for message in failure:
                await send(message)
            raise

    return asgi
