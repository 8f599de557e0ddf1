"""No service waits for a file, a socket or a lock on its event loop while it answers."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from blockbuster import BlockingError, blockbuster_ctx
from fastapi import FastAPI

from tests.contract import test_gateway_and_services as services
from tests.pictures import photo_bytes

OURS = ["gateway", "shared", "caption_service", "classify_service", "storage_service"]
platform = services.platform
"""All services in this process, with models that need no network."""


@pytest.fixture
def watched() -> Iterator[None]:
    """Raise BlockingError where code of ours makes a blocking call on an event loop."""
    with blockbuster_ctx(scanned_modules=OURS):
        yield


async def test_nothing_blocks_while_an_image_is_uploaded_found_corrected_and_deleted(
    platform: services.Platform, watched: None
) -> None:
    uploaded = await platform.client.post("/api/v1/images", files={"file": ("dog.jpg", photo_bytes())})
    assert uploaded.status_code == 201, uploaded.text
    location = uploaded.headers["Location"]
    asked = {
        f"{location}/content": 200,
        f"{location}/preview": 200,
        f"{location}/history": 200,
        "/api/v1/images?q=snow": 200,
        "/api/v1/labels": 200,
        "/api/v1/export": 200,
        "/": 200,
    }
    assert {path: (await platform.client.get(path)).status_code for path in asked} == asked
    corrected = await platform.client.patch(location, json={"label": "my_dogs"})
    assert corrected.status_code == 200, corrected.text
    tried = await platform.client.post("/api/v1/analyses", files={"file": ("dog.jpg", photo_bytes())})
    assert tried.status_code == 200, tried.text
    assert (await platform.client.delete(location)).status_code == 204


async def test_a_blocking_call_would_be_noticed() -> None:
    app = FastAPI()

    @app.get("/")
    async def sleep() -> None:
        time.sleep(0.01)  # noqa: ASYNC251  # this is what must be noticed

    with blockbuster_ctx():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            with pytest.raises(BlockingError):
                await client.get("/")
