"""Only what a service's own placebos certify may be judged beside the usual signals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.aa import AaKind, AaResult, AaSignal, PlaceboKind, Scope, Tally
from detector.gate.build import shares_of
from detector.gate.policy import Policy
from detector.gate.promotion import ADVISORY, on_trial, promoted
from detector.signals.plan import AgeGrowth, Plan
from pipelines.stores.codec import pack, unpack
from tests.detector.gate.gauges import SHOWN

DAY = 86_400.0
CLEAN = Tally(placebos=400, reached=0, near=2)


def result(*signals: AaSignal, days: float = 15.0) -> AaResult:
    return AaResult(
        scope=Scope(tenant="", cluster=None, namespace="shop", service="checkout"),
        at=DAY * days,
        since=0.0,
        until=DAY * days,
        policy="default",
        engine="1",
        kinds=(AaKind(kind=PlaceboKind.OLD, placebos=400, failed=0, reached=0),),
        signals=signals,
    )


def seen(name: str, *, all_: Tally = CLEAN, unequal: Tally = CLEAN, sides: int = 80) -> AaSignal:
    return AaSignal(
        name=name,
        judged=False,
        all=all_,
        quantile=-3.0,
        unequal=unequal,
        light=sides,
        heavy=sides,
    )


def names(plan: Plan) -> set[str]:
    return {bound.signal.name for bound in plan.signals if bound.signal.promoted}


def test_a_service_without_a_self_check_is_judged_as_ever() -> None:
    """No store, no certificate, no new reason to fail."""
    assert promoted(SHOWN, None) is SHOWN


def test_what_passed_is_promoted() -> None:
    """Four hundred clean placebos, at equal load and other, of all three."""
    whole = result(*(seen(name) for name in ADVISORY))
    assert names(promoted(SHOWN, whole)) == set(ADVISORY)


@pytest.mark.parametrize(
    ("signal", "days"),
    [
        pytest.param(seen("cpu_per_request", unequal=Tally()), 15.0, id="only at equal load"),
        pytest.param(seen("cpu_per_request", sides=49), 15.0, id="too few on one side"),
        pytest.param(seen("cpu_per_request"), 13.0, id="of too few days"),
        pytest.param(
            seen("cpu_per_request", unequal=replace(CLEAN, reached=1)), 15.0, id="one false alarm"
        ),
        pytest.param(seen("memory_growth", all_=replace(CLEAN, near=5)), 15.0, id="often near"),
        pytest.param(seen("tail99", all_=replace(CLEAN, placebos=199)), 15.0, id="too few"),
    ],
)
def test_what_did_not_pass_stays_advice(signal: AaSignal, days: float) -> None:
    """CPU that was never tried at another load would blame the first light canary."""
    assert names(promoted(SHOWN, result(signal, days=days))) == set()


def test_a_promotion_is_taken_back() -> None:
    """A later self-check that saw a false alarm ends it."""
    once = promoted(SHOWN, result(*(seen(name) for name in ADVISORY)))
    assert names(promoted(once, result())) == set()
    assert promoted(once, None) == SHOWN


@given(st.sets(st.sampled_from(sorted(ADVISORY))))
def test_alpha_is_shared_with_what_is_promoted(passed: set[str]) -> None:
    """More signals that can fail must not mean more false rollbacks."""
    plan = promoted(SHOWN, result(*(seen(name) for name in passed)))
    shares = shares_of(plan, Policy())
    usual = {"error_rate", "latency", "tail95", "restarts"}
    assert sum(shares[name] for name in usual | passed) == pytest.approx(1.0)


def test_placebos_are_tried_with_everything_on() -> None:
    """A signal that is never tried could never be certified."""
    assert names(on_trial(SHOWN)) == set(ADVISORY)


GROWN = (AgeGrowth(window=1, median=0.05, variance=1e-3, starts=5),)


def usual(plan: Plan) -> dict[str, tuple[AgeGrowth, ...]]:
    return {bound.signal.name: bound.usual for bound in plan.signals if bound.usual}


def test_what_earlier_starts_did_goes_with_the_promotion_of_memory() -> None:
    """And with nothing else: a certificate of CPU alone leaves memory as it was."""
    of_all = replace(result(*(seen(name) for name in ADVISORY)), growth=GROWN)
    of_cpu = replace(result(seen("cpu_per_request")), growth=GROWN)
    assert usual(promoted(SHOWN, of_all)) == {"memory_growth": GROWN}
    assert usual(promoted(SHOWN, of_cpu)) == {}
    assert usual(on_trial(promoted(SHOWN, of_all))) == {"memory_growth": GROWN}
    assert usual(on_trial(SHOWN)) == {}


def test_a_stored_plan_and_self_check_are_read_as_they_were() -> None:
    """An attempt goes on after a restart with what it began with."""
    whole = replace(result(*(seen(name) for name in ADVISORY)), growth=GROWN)
    assert unpack(AaResult, pack(whole)) == whole
    plan = promoted(SHOWN, whole)
    assert unpack(Plan, pack(plan)) == plan
