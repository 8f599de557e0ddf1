"""Nothing is lost while services die, hang and are cut off."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.platform_faults import FAULTS, Plan, run


def test_what_was_acknowledged_is_kept_and_finished_whatever_fails(tmp_path: Path) -> None:
    """The short form of `python -m tests.chaos.platform_faults`."""
    plan = Plan(
        uploads=12,
        clients=4,
        fault_s=1.0,
        rest_s=0.5,
        goes_on=False,
        complete_within_s=120.0,
        services=("storage", "gateway"),
    )
    outcome = run(plan, tmp_path)
    assert outcome.is_good, str(outcome)
    assert len(outcome.acknowledged) == plan.uploads
    assert all(outcome.faults[kind] == len(plan.services) for kind in FAULTS), str(outcome)
