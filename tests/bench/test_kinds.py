"""The simulator of every kind: what it stages, and the gate end to end on it."""

from __future__ import annotations

import pytest

from bench.gate.designs import Design, staged
from bench.gate.kinds import Record, Task, asked_of, run
from bench.gate.rollout import Fault

pytestmark = pytest.mark.slow

SEED = 5


def ran(design: Design, fault: Fault | None = None, **more: bool) -> Record:
    """One rollout through the gate."""
    return run(Task(seed=SEED, design=design, fault=fault, **more))


@pytest.mark.parametrize("design", list(Design))
def test_a_stage_is_the_same_each_time(design: Design) -> None:
    """A figure can be looked into by its seed."""
    one, other = (staged(SEED, design, Fault.ERRORS_TWO) for _ in range(2))
    assert one.rollout == other.rollout
    assert one.since == other.since


@pytest.mark.parametrize("design", [Design.BLUE_GREEN, Design.RECREATE])
def test_a_healthy_switch_passes_with_its_label(design: Design) -> None:
    """Weeks, quiet times and other services are read through the gate, and named."""
    record = ran(design)
    assert record.passed
    assert not record.failed
    assert "quiet times" in record.note


@pytest.mark.parametrize("fault", [Fault.ERRORS_TWO, Fault.LATENCY_50])
def test_a_faulty_recreate_is_found(fault: Fault) -> None:
    """Nothing serves beside it."""
    assert ran(Design.RECREATE, fault).found


def test_a_switch_without_users_never_passes() -> None:
    """Silence is not health."""
    assert not ran(Design.BLUE_GREEN, silent=True).passed


def test_an_incident_of_the_cluster_holds_the_pass_back() -> None:
    """The other services are looked at."""
    assert not ran(Design.BLUE_GREEN, incident=True).passed


def test_a_cohort_is_told_apart_by_users() -> None:
    """The same pods serve both."""
    assert ran(Design.COHORTS, Fault.ERRORS_TWO).found


def test_a_promise_judges_the_first_deployment() -> None:
    """Two points of errors are beyond any SLO of three nines."""
    record = ran(Design.FIRST, Fault.ERRORS_TWO)
    assert record.found
    assert "absolute" in record.note


@pytest.mark.parametrize("design", [Design.BLUE_GREEN, Design.FIRST])
def test_what_was_judged_by_the_past_replays(design: Design) -> None:
    """The memory and the other services lie on the tape: another day gives the same answer."""
    stage = staged(SEED, design, None)
    verdicts, gate = asked_of(stage, stage.world())
    for verdict in verdicts:
        again = gate.records.replay(verdict.id)
        assert (again.outcome, again.reason) == (verdict.outcome, verdict.reason)
        assert again.notes == verdict.notes
