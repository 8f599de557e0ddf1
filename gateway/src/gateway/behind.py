"""The services behind the gateway: connections to them, what is known of them, and their breakers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
from prometheus_client import CollectorRegistry

from gateway.batch_reception import FILES_AT_ONCE
from gateway.breakers import Breaker, BreakerLimits, UpstreamMetrics
from gateway.guarded_client import GuardedClient
from gateway.retrying import Retrying
from gateway.settings import GatewaySettings
from gateway.upstreams import Upstreams
from shared.http_client import ServiceClient, open_http


@dataclass(frozen=True)
class Behind:
    """The three services, by name: `caption`, `classify`, `storage`."""

    pools: Mapping[str, httpx.AsyncClient]
    upstreams: Upstreams
    breakers: Mapping[str, Breaker]
    clients: Mapping[str, GuardedClient]

    def is_ready(self, name: str) -> bool:
        """Say whether a service was ready when last asked, and is asked at all."""
        return self.upstreams.is_ready(name) and self.breakers[name].is_admitting()


def open_behind(
    settings: GatewaySettings, registry: CollectorRegistry, given: Mapping[str, httpx.AsyncClient | None]
) -> Behind:
    """Return the services behind; a connection that is `given` is taken in place of one to the settings' URL."""
    connections = settings.uploads_at_once + 2 * settings.completion_at_once
    for_batches = (FILES_AT_ONCE + 1) * settings.batches_at_once + settings.event_streams
    wanted = {
        "caption": (settings.caption_url, connections, _is_one(settings.caption_url)),
        "classify": (settings.classify_url, connections, _is_one(settings.classify_url)),
        "storage": (settings.storage_url, connections + for_batches, True),
    }
    pools = {
        name: given.get(name) or open_http(url, connections=count, token=settings.shown_token, keeps_idle=keeps_idle)
        for name, (url, count, keeps_idle) in wanted.items()
    }
    metrics = UpstreamMetrics(registry)
    limits = BreakerLimits(failures=settings.breaker_failures, pause_s=settings.breaker_pause_s)
    breakers = {name: Breaker(name, limits, metrics) for name in pools}
    clients = {
        name: GuardedClient(
            name, pool, breaker=breakers[name], retrying=Retrying(count=metrics.repeated.labels(name).inc)
        )
        for name, pool in pools.items()
    }
    # Health is asked past breakers and retries: it is how a service that is back is found.
    upstreams = Upstreams([ServiceClient(name, pool) for name, pool in pools.items()])
    return Behind(pools, upstreams, breakers, clients)


def _is_one(url: str) -> bool:
    """Say whether one process answers: behind a name there may be several (`docker compose up --scale`, a cluster)."""
    try:
        ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True
