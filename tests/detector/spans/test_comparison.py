"""Where a canary's requests spend more time: found, bounded, told, and silent where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.spans.comparison import LEAST_TRACES, time_shifts
from detector.spans.names import Operation
from detector.spans.operator import step
from detector.spans.settings import SpanSettings
from detector.spans.shift import Arms, Measure, TimeShift
from detector.spans.state import SpanState, opened
from detector.spans.words import shift_words, told
from tests.detector.spans.writing import NOW_MS, Written, call_of, columns

SETTINGS = SpanSettings(
    series=500, edges=200, seen=50_000, waiting=5_000, recent=20_000, groups=100
)
ARMS = Arms(
    service="checkout", canary=frozenset({"v2"}), control=frozenset({"v1"}),
    since=0, until=NOW_MS + 10**9,
)  # fmt: skip


def minutes(count: int, *, more_ms: int = 0, seed: int = 3, skew: int = 0) -> SpanState:
    """So many minutes of requests to both versions; the query of v2 takes so much more."""
    random, state, trace = np.random.default_rng(seed), opened(SETTINGS, 5), 0
    for second in range(0, 60 * count, 2):
        calls: list[Written] = []
        for version in ("v1", "v1", "v2"):
            trace += 1
            ms = int(random.lognormal(3.5, 0.4)) + (more_ms if version == "v2" else 0)
            own = int(random.lognormal(3.0, 0.4))
            calls += call_of(trace, version=version, start=1_000 * second, query_ms=ms, own_ms=own,
                             failed=trace % 50 == 0, skew=skew)  # fmt: skip
        state, _ = step(state, columns(calls, taken=1_000 * second))
    state, _ = step(state, columns([Written(trace=10**9)], taken=60_000 * count + 60_000))
    return state


def test_the_query_that_became_slower_is_named() -> None:
    """And nothing else is: not the service's own work, which did not change."""
    shifts = time_shifts(minutes(6, more_ms=180), ARMS)
    certain = {
        shift.operation.name: shift for shift in shifts if shift.is_certain and not shift.is_total
    }
    assert set(certain) == {"SELECT orders"}
    shift = certain["SELECT orders"]
    assert shift.low < 0.18 < shift.high
    assert shift.high - shift.low < 0.05


def test_it_is_named_though_clocks_differ() -> None:
    """Callers and callees with clocks an hour apart."""
    state = minutes(6, more_ms=180, skew=3_600_000)
    arms = replace(ARMS, until=NOW_MS + 10**10)
    certain = [s for s in time_shifts(state, arms) if s.is_certain and not s.is_total]
    assert [shift.operation.name for shift in certain] == ["SELECT orders"]


def test_parts_add_up_to_the_whole() -> None:
    """Whoever reads the sentences can add them."""
    shifts = time_shifts(minutes(6, more_ms=50), ARMS)
    whole = next(shift for shift in shifts if shift.is_total)
    assert sum(s.value for s in shifts if not s.is_total) == pytest.approx(whole.value)


def test_a_canary_that_is_the_same_is_not_spoken_of() -> None:
    """Over many healthy rollouts a certain difference is rare: 5 in 100 at most are promised."""
    wrong = 0
    for seed in range(30):
        shifts = time_shifts(minutes(4, seed=100 + seed), ARMS)
        assert shifts
        wrong += any(shift.is_certain and not shift.is_total for shift in shifts)
    assert wrong <= 4


def test_too_few_traces_are_no_comparison() -> None:
    """Nothing is said of a canary that was asked a dozen times."""
    assert time_shifts(minutes(1), ARMS) == ()
    assert LEAST_TRACES == 20


def test_only_the_time_that_is_asked_for_counts() -> None:
    """What was before the rollout is not the canary's."""
    assert time_shifts(minutes(6), replace(ARMS, until=NOW_MS)) == ()


def test_own_times_are_without_those_of_others() -> None:
    """The service's own work is what it does while nobody it calls does."""
    shifts = time_shifts(minutes(6, more_ms=180), ARMS, measure=Measure.OWN)
    own = next(s for s in shifts if s.operation.name == "POST /orders" and not s.is_total)
    assert abs(own.value) < 0.02


SHIFT = TimeShift(
    entry=Operation(service="checkout", name="POST /orders"),
    operation=Operation(service="checkout", name="SELECT orders"),
    canary=0.2, control=0.02, value=0.18, low=0.15, high=0.21,
    is_certain=True, is_total=False, canary_traces=40, control_traces=80,
)  # fmt: skip
SENTENCES = {
    "checkout v2 spends 180 ms more in `SELECT orders` per `POST /orders` "
    "(95 % between 150 and 210 ms; 40 traces against 80)": SHIFT,
    "checkout v2 waits 180 ms more for payments in `Charge` per `POST /orders` "
    "(95 % between 150 and 210 ms; 40 traces against 80)": replace(
        SHIFT, operation=Operation(service="payments", name="Charge")
    ),
    "checkout v2 spends 180 ms more in `POST /orders` "
    "(95 % between 150 and 210 ms; 40 traces against 80)": replace(SHIFT, operation=SHIFT.entry),
    "checkout v2 takes 12 s less for `POST /orders` "
    "(95 % between 10 and 13 s; 40 traces against 80)": replace(
        SHIFT, value=-12.0, low=-13.0, high=-10.0, is_total=True
    ),
    "checkout v2 spends 2.5 ms more in `SELECT orders` per `POST /orders` "
    "(95 % between -1.0 and 6.0 ms; 40 traces against 80)": replace(
        SHIFT, value=0.0025, low=-0.001, high=0.006
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sentence", "shift"), SENTENCES.items())
def test_a_difference_is_told_in_a_sentence(sentence: str, shift: TimeShift) -> None:
    """That a person reads in chat and acts on."""
    assert shift_words(shift, "v2") == sentence


def test_only_what_is_certain_and_matters_is_told() -> None:
    """A microsecond that is certain is no news, and a second that is not is none either."""
    shifts = [SHIFT, replace(SHIFT, is_certain=False, value=9.0), replace(SHIFT, value=1e-5)]
    assert told(shifts, "v2") == (shift_words(SHIFT, "v2"),)
