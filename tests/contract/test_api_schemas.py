"""Every service answers what its OpenAPI says, whatever is sent: a short form of `tests/chaos/api_schemas.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.api_schemas import SERVICES, faults, running_services


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with running_services(tmp_path_factory.mktemp("services")) as urls:
        yield urls


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
# The services go on with their work meanwhile, in this process, and draw random numbers for their pauses.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.parametrize("service", SERVICES)
def test_no_request_meets_a_failure_of_ours_or_a_status_that_is_not_described(
    urls: dict[str, str], service: str
) -> None:
    sent, found = faults(urls[service], examples=4)
    assert sent
    assert not found, "\n\n".join(found)
