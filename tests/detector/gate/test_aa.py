"""The self-check of a service: when it is enough, and what it vouches for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.aa import ENOUGH, AaKind, AaResult, AaSignal, PlaceboKind, Scope, Tally

T0 = 1_790_000_000.0
DAY_S = 86_400.0
CLEAN = AaSignal(
    name="cpu_per_request",
    judged=False,
    all=Tally(placebos=400, near=2),
    quantile=-3.0,
    unequal=Tally(placebos=200, near=2),
    light=120,
    heavy=80,
)


def result(*signals: AaSignal, days: float = 14.0, raised: float = 1.0) -> AaResult:
    """A check of so many days."""
    return AaResult(
        scope=Scope(tenant="default", cluster=None, namespace="shop", service="checkout"),
        at=T0,
        since=T0 - days * DAY_S,
        until=T0,
        policy="default@sha256:1",
        engine="1.0.0",
        kinds=(
            AaKind(kind=PlaceboKind.OLD, placebos=150, failed=0, reached=1),
            AaKind(kind=PlaceboKind.BORN, placebos=60, failed=1, reached=2),
        ),
        signals=signals,
        raised=raised,
    )


def test_kinds_are_added_up() -> None:
    """What people read is the whole, whatever it was made of."""
    made = result()
    assert (made.placebos, made.failed, made.reached, made.is_enough) == (210, 1, 3, True)


def test_a_clean_signal_may_be_judged() -> None:
    """A tail that never cried wolf on two hundred placebos is worth hearing."""
    assert result(CLEAN).certifies("cpu_per_request")
    assert result(CLEAN).certifies("cpu_per_request", at_unequal_load=True)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"all": Tally(placebos=ENOUGH - 1)}, id="too few"),
        pytest.param({"all": Tally(placebos=400, reached=1)}, id="one crossed"),
        pytest.param({"all": Tally(placebos=400, near=5)}, id="many came near"),
    ],
)
def test_a_signal_that_cried_wolf_may_not_be_judged(changed: dict[str, Tally]) -> None:
    """Nor one of which too little was seen."""
    assert not result(replace(CLEAN, **changed)).certifies("cpu_per_request")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "days"),
    [
        pytest.param({"light": 49}, 14.0, id="one side only"),
        pytest.param({"unequal": Tally(placebos=199)}, 14.0, id="too few"),
        pytest.param({"unequal": Tally(placebos=200, reached=1)}, 14.0, id="one crossed"),
        pytest.param({}, 13.0, id="too short a time"),
    ],
)
def test_cpu_needs_other_loads_too(changed: dict[str, object], days: float) -> None:
    """A canary often has another load than the rest; equal loads prove nothing of that."""
    made = result(replace(CLEAN, **changed), days=days)  # type: ignore[arg-type]
    assert not made.certifies("cpu_per_request", at_unequal_load=True)


def test_what_was_not_checked_is_not_vouched_for() -> None:
    """A signal that no placebo had."""
    assert not result().certifies("memory_growth")


@given(st.floats(0.0, 1e9))
def test_what_is_needed_is_never_lowered(raised: float) -> None:
    """Whatever a stored number says."""
    assert result(raised=raised).log_raised >= 0.0
