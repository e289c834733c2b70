"""From placebos to the self-check of a service."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backtest.self_check import Judged, aa_result, raised
from detector.gate.aa import ENOUGH, AaResult, PlaceboKind, Scope
from detector.gate.policy import Policy, SignalPolicy
from tests.detector.backtest.courses import T0, course

SCOPE = Scope(tenant="default", cluster=None, namespace="shop", service="checkout")
LOGS = st.floats(-20.0, 20.0)


def judged(
    evidence: dict[str, float],
    *,
    load: float = 1.0,
    signal: str | None = None,
    kind: PlaceboKind = PlaceboKind.OLD,
) -> Judged:
    """A placebo of three polls that once came this near."""
    plain = course("iii")
    polls = [
        replace(poll, load=load, evidence=dict.fromkeys(evidence, -20.0)) for poll in plain.polls
    ]
    polls[1] = replace(polls[1], evidence=evidence)
    return Judged(kind=kind, course=replace(plain, polls=tuple(polls), signal=signal))


def checked(*found: Judged, policy: Policy | None = None) -> AaResult:
    """Their sum."""
    return aa_result(found, scope=SCOPE, policy=policy or Policy(), at=T0)


def test_each_kind_and_signal_is_counted() -> None:
    """What came near, what reached, what would have been rolled back."""
    made = checked(
        judged({"latency": 0.5, "error_rate": -9.0}, signal="latency"),
        judged({"latency": -1.0}, kind=PlaceboKind.BORN),
        judged({"latency": -9.0}, kind=PlaceboKind.PAST),
    )
    assert [(k.kind.value, k.placebos, k.failed, k.reached) for k in made.kinds] == [
        ("old", 1, 1, 1),
        ("born", 1, 0, 0),
        ("past", 1, 0, 0),
    ]
    latency = made.by_signal["latency"].all
    assert (latency.placebos, latency.reached, latency.near) == (3, 1, 2)
    assert made.by_signal["error_rate"].all.placebos == 1


def test_a_signal_on_trial_is_no_false_alarm() -> None:
    """What it says counts for its certificate: it cannot fail a rollout yet."""
    crying = judged({"cpu_per_request": 3.0, "latency": -9.0}, signal="cpu_per_request")
    made = checked(crying)
    assert (made.reached, made.failed) == (0, 0)
    assert made.by_signal["cpu_per_request"].all.reached == 1
    assert not made.by_signal["cpu_per_request"].judged


def test_a_policy_that_judges_it_makes_it_one() -> None:
    """Then a placebo would have been rolled back for it."""
    policy = Policy(signals={"cpu_per_request": SignalPolicy(judged=True)})
    made = checked(judged({"cpu_per_request": 3.0}, signal="cpu_per_request"), policy=policy)
    assert (made.reached, made.failed) == (1, 1)


def test_loads_are_told_apart() -> None:
    """CPU is vouched for only where lighter and heavier pods were seen."""
    made = checked(
        *(judged({"cpu_per_request": -5.0}, load=load) for load in (0.5, 0.6, 1.0, 1.4, 1.7))
    )
    cpu = made.by_signal["cpu_per_request"]
    assert (cpu.light, cpu.heavy, cpu.unequal.placebos, cpu.all.placebos) == (2, 1, 3, 5)


def test_what_could_not_be_judged_is_left_out() -> None:
    """A placebo whose samples are gone is no good sign."""
    gone = Judged(kind=PlaceboKind.OLD, course=replace(course(""), problem="away"))
    silent = Judged(kind=PlaceboKind.OLD, course=course("ii"))
    assert checked(gone, silent).placebos == 0


@given(st.lists(LOGS, max_size=40))
def test_too_few_raise_nothing(values: list[float]) -> None:
    """Of forty placebos one per cent cannot be told."""
    assert raised(values) == 1.0


@given(st.lists(LOGS, min_size=ENOUGH, max_size=ENOUGH + 50))
def test_what_is_needed_is_raised_and_never_lowered(values: list[float]) -> None:
    """Where more than one per cent reached it, it is what only one of two hundred reaches."""
    found = raised(values)
    assert found >= 1.0
    if sum(value >= 0 for value in values) > 0.01 * len(values):
        beyond = sum(value > math.log(found) + 1e-9 for value in values)
        assert beyond <= 0.005 * len(values)
    else:
        assert found == 1.0


@pytest.mark.parametrize(("reached", "expected"), [(2, 1.0), (3, math.exp(4.0))])
def test_one_per_cent_is_let_pass(reached: int, expected: float) -> None:
    """The promise is one of two hundred; two of two hundred may be chance."""
    values = [4.0] * reached + [-6.0] * (ENOUGH - reached)
    assert raised(values) == pytest.approx(expected)
