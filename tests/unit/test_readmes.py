"""Every endpoint of every service stands in the table of its README, and the table names none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from classify_service.app import create_app as create_classify
from classify_service.settings import ClassifySettings
from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from storage_service.app import create_app as create_storage
from storage_service.settings import StorageSettings

ROOT = Path(__file__).resolve().parents[2]
APPS = {
    "gateway": lambda: create_gateway(GatewaySettings()),
    "caption-service": lambda: create_caption(CaptionSettings()),
    "classify-service": lambda: create_classify(ClassifySettings()),
    "storage-service": lambda: create_storage(StorageSettings()),
}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def _endpoints(app: FastAPI) -> set[tuple[str, str]]:
    """Return every method and path; what a parameter is called does not matter."""
    described = {(method.upper(), path) for path, calls in app.openapi()["paths"].items() for method in calls}
    return {(method, _nameless(path)) for method, path in described | {("GET", "/metrics")}}


def _nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _documented(readme: str) -> set[tuple[str, str]]:
    """Read the rows of the tables; in one row each path goes with the method before it."""
    endpoints = set()
    for row in readme.splitlines():
        if not row.startswith("|"):
            continue
        method = ""
        for word in re.findall(r"\b[A-Z]{3,6}\b(?=[` ])|(?<=[` ])/[\w/{}.-]+", row):
            if word in METHODS:
                method = word
            elif word.startswith("/") and method:
                endpoints.add((method, _nameless(word)))
    return endpoints


@pytest.mark.parametrize("service", APPS)
def test_the_table_has_every_endpoint_and_no_other(service: str) -> None:
    documented = _documented((ROOT / service / "README.md").read_text(encoding="utf-8"))
    there = _endpoints(APPS[service]())
    assert there <= documented
    assert documented <= there | {("GET", "/docs"), ("GET", "/openapi.json")}
