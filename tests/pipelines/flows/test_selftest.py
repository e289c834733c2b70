"""The self-test: faults in copies of a service's own samples, through the gate."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.trial import SelfTest
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.request import VerdictRequest
from detector.series import Query
from detector.signals.plan import Plan
from pipelines.flows.discovery import Discovery
from pipelines.flows.selftest import Workbench, self_test
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.shops import DIALECTS, KUBERNETES, T0, Dialect, Faults, fill
from tests.profiles import HEAVY

NOW = T0 + 1790
CLIENT = DIALECTS[0]


def planned(held: MemorySource, dialect: Dialect = CLIENT) -> tuple[Plan, VerdictRequest]:
    """The plan of the shop."""
    request = VerdictRequest(service="checkout", canary=dialect.canary)
    found = Discovery(load_packs(), held)(held, request, start=T0, end=NOW, timeout_s=9)
    return found, request


def tried_out(
    held: MemorySource,
    dialect: Dialect = CLIENT,
    policy: Policy | None = None,
    source: FakeSource | None = None,
    now: float = NOW,
) -> SelfTest:
    """The self-test of the shop's configuration."""
    plan, request = planned(held, dialect)
    bench = Workbench(source=source or held, catalog=held, now=now, timeout_s=9)
    return self_test(bench, plan, policy or Policy(), request)


def test_each_judged_signal_has_its_fault_and_a_histogram_one_for_all_its_tails() -> None:
    """Latency and its tails get worse together."""
    test = tried_out(fill(KUBERNETES, Faults()), KUBERNETES)
    assert [fault.signal for fault in test.faults] == ["error_rate", "latency", "restarts"]


def test_a_fault_is_failed_by_the_signal_that_it_was_put_into() -> None:
    """Not by luck."""
    test = tried_out(fill(KUBERNETES, Faults()), KUBERNETES)
    by = {fault.signal: fault.by for fault in test.faults}
    assert by["error_rate"] == "error_rate"
    assert by["restarts"] == "restarts"
    assert by["latency"] in {"latency", "tail95"}


def test_the_source_is_read_once_for_all_copies() -> None:
    """Four copies are no four times the load."""
    held = fill(CLIENT, Faults())
    source = FakeSource(held)
    tried_out(held, source=source)
    wanted = [(query, read.start, read.end) for read in source.reads for query in read.queries]
    assert len(wanted) == len(set(wanted))


def test_what_is_held_by_the_source_is_not_changed() -> None:
    """The next verdict is made of what was really there."""
    held = fill(CLIENT, Faults())
    plan, _ = planned(held)
    family = plan.requests
    query = Query(family.metric, (*family.matchers, *plan.canary))
    (before,) = held.read([query], T0 - 7200, NOW)
    sums = [float(series.values.sum()) for series in before.series]
    tried_out(held)
    (after,) = held.read([query], T0 - 7200, NOW)
    assert [float(series.values.sum()) for series in after.series] == sums


def test_the_same_samples_give_the_same_answer() -> None:
    """A configuration that is refused today and taken tomorrow is no configuration."""
    held = fill(CLIENT, Faults())
    assert tried_out(held) == tried_out(held)


def test_a_signal_that_is_made_advisory_is_not_tried() -> None:
    """It cannot fail, and is not said to."""
    policy = Policy(signals={"error_rate": SignalPolicy(judged=False)})
    test = tried_out(fill(CLIENT, Faults()), policy=policy)
    assert test.can_fail
    missed = {fault.signal for fault in test.missed}
    assert "error_rate" not in test.found
    assert missed <= {"error_rate"}


def test_a_source_that_fails_is_told_and_is_no_success() -> None:
    """Nothing was tried."""
    held = fill(CLIENT, Faults())
    test = tried_out(held, source=FakeSource(held, fault=Fault.DOWN))
    assert not test.can_fail
    assert "cannot connect" in test.problem


def test_a_canary_that_was_not_there_in_the_time_is_told() -> None:
    """A selector of last week."""
    held = fill(CLIENT, Faults())
    plan, request = planned(held)
    bench = Workbench(source=held, catalog=held, now=T0 - 1800, timeout_s=9)
    test = self_test(bench, plan, Policy(), request)
    assert "no pod of the canary" in test.problem


def test_a_canary_of_minutes_leaves_its_part_to_stable_pods() -> None:
    """A rollout that has just begun must not make the configuration look blind."""
    held = fill(CLIENT, Faults())
    test = tried_out(held, now=T0 + 240)
    assert test.is_sound, test.verdict
    assert test.minutes == 25


def test_a_fault_is_timed_from_the_canarys_first_sample() -> None:
    """Not from a time when there was no canary."""
    held = fill(CLIENT, Faults())
    test = tried_out(held, now=T0 + 1200)
    assert test.minutes == pytest.approx(20, abs=0.3)
    assert all(fault.failed_after_s is not None for fault in test.faults[:2])
    assert max(fault.failed_after_s or 0 for fault in test.faults[:2]) <= 360


def test_without_a_control_nothing_is_tried() -> None:
    """A comparison with nothing fails nothing."""
    held = fill(CLIENT, Faults())
    plan, request = planned(held)
    bench = Workbench(source=held, catalog=held, now=NOW, timeout_s=9)
    test = self_test(bench, replace(plan, control=()), Policy(), request)
    assert "no control" in test.problem


@pytest.mark.slow
@HEAVY
@given(st.integers(0, 10_000))
def test_a_healthy_shop_of_any_day_is_sound(seed: int) -> None:
    """Whatever chance brought, a fifth of failing requests is found and nothing else is failed."""
    test = tried_out(fill(CLIENT, Faults(), seed=seed))
    assert test.is_sound, test.verdict
