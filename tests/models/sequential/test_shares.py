"""How alpha is divided: whatever arrives, the shares never sum above one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.shares import ARM_SHARE, StartClock, start_share, step_share, unit_shares


def test_start_shares_sum_to_one() -> None:
    """Over a million starts the union bound is not overspent, and hardly anything is wasted."""
    total = sum(start_share(i) for i in range(1_000_000))
    total += sum(step_share(i) for i in range(1, 10_000))
    assert 0.99 < total <= 1.0


@given(st.frozensets(st.integers(0, 300), max_size=40))
def test_shares_of_all_starts_sum_below_one(steps: frozenset[int]) -> None:
    """However often a controller moves the weight, the union bound is not overspent."""
    clock = StartClock(15.0)
    begun = [clock.begin(bin_, step=bin_ in steps) for bin_ in range(301)]
    assert sum(start.share for start in begun if start is not None) <= 1.0


def test_a_step_of_exposure_has_more_than_another_start() -> None:
    """A fault that shows only at full weight is found as soon as if it were looked for there."""
    clock = StartClock(15.0)
    begun = [clock.begin(bin_, step=bin_ in (41, 90)) for bin_ in range(100)]
    shares = {s.bin: s.share for s in begun if s is not None}
    assert shares[41] > shares[90] > shares[4]


def test_start_shares_fall() -> None:
    """A later start never has more alpha than an earlier one of its kind."""
    late = [start_share(i) for i in range(25, 500)]
    assert all(a >= b > 0 for a, b in itertools.pairwise(late))


@given(st.integers(0, 200))
def test_scope_shares_sum_below_one(units: int) -> None:
    """Arm and units together, for any number of arrivals."""
    assert ARM_SHARE + unit_shares(units).sum() <= 1.0


@given(st.integers(0, 50), st.integers(1, 50))
def test_later_units_take_nothing_from_earlier(units: int, more: int) -> None:
    """A unit that arrives later cannot change the share of those before it."""
    np.testing.assert_array_equal(unit_shares(units), unit_shares(units + more)[:units])


def _run(step_s: float, bins: int, steps: frozenset[int] = frozenset()) -> StartClock:
    clock = StartClock(step_s)
    for bin_ in range(bins):
        clock.begin(bin_, step=bin_ in steps)
    return clock


@pytest.mark.parametrize("step_s", [15.0, 30.0, 60.0])
def test_few_starts_live_after_a_day(step_s: float) -> None:
    """A bake of 24 hours keeps at most 20 starts, so its state stays small."""
    assert len(_run(step_s, round(86_400 / step_s)).live) <= 20


@given(st.frozensets(st.integers(1, 300), max_size=8))
def test_start_zero_and_exposure_always_live(steps: frozenset[int]) -> None:
    """The whole attempt and the current exposure are judged for ever."""
    clock = _run(15.0, 301, steps)
    assert clock.live[0].bin == 0
    assert clock.exposure.bin == max(steps, default=0)


def test_starts_follow_the_schedule() -> None:
    """Each 60 s to five minutes, then each 120 s; counted in seconds, not in bins."""
    clock = StartClock(15.0)
    begun = [s.bin * 15 for b in range(60) if (s := clock.begin(b)) is not None]
    assert begun[:9] == [0, 60, 120, 180, 240, 300, 420, 540, 660]


@given(st.frozensets(st.integers(1, 200), max_size=6), st.integers(10, 200))
def test_starts_do_not_depend_on_the_future(steps: frozenset[int], until: int) -> None:
    """What begins by a bin is the same whatever happens later."""
    early = frozenset(s for s in steps if s < until)
    assert _run(15.0, until, early).live == _run(15.0, until, steps).live


@given(st.integers(0, 60), st.frozensets(st.integers(1, 300), max_size=20), st.integers(1, 300))
def test_all_that_may_err_sums_below_one(units: int, steps: frozenset[int], until: int) -> None:
    """Every start times every scope, for any arrivals and steps: alpha is spent at most once."""
    clock = StartClock(15.0)
    begun = [clock.begin(bin_, step=bin_ in steps) for bin_ in range(until)]
    starts = sum(start.share for start in begun if start is not None)
    assert starts * (ARM_SHARE + unit_shares(units).sum()) <= 1.0 + 1e-12


@given(st.frozensets(st.integers(1, 400), max_size=12), st.sampled_from([15.0, 30.0, 60.0]))
def test_a_start_that_was_dropped_never_comes_back(steps: frozenset[int], step_s: float) -> None:
    """Its sums are forgotten; bringing it back would judge on nothing."""
    clock, gone = StartClock(step_s), set[int]()
    before: set[int] = set()
    for bin_ in range(400):
        clock.begin(bin_, step=bin_ in steps)
        live = {start.index for start in clock.live}
        gone |= before - live
        assert not live & gone
        before = live


@given(st.integers(1, 400))
def test_old_starts_live_the_longer_the_rounder(until: int) -> None:
    """Eight minutes, doubled for each power of two: few live, and some of any age."""
    clock = _run(15.0, until)
    begun: dict[int, int] = {}
    other = StartClock(15.0)
    for bin_ in range(until):
        start = other.begin(bin_)
        if start is not None:
            begun[start.index] = bin_
    newest = max(begun.values())
    for index, bin_ in begun.items():
        lives = index == 0 or (newest - bin_) * 15.0 < 480.0 * (index & -index)
        assert (index in {start.index for start in clock.live}) is lives


@given(st.frozensets(st.integers(1, 200), max_size=10))
def test_starts_are_numbered_as_they_come(steps: frozenset[int]) -> None:
    """Their number is their share: a gap would waste alpha, a double would overspend it."""
    clock = StartClock(15.0)
    begun = [s for bin_ in range(201) if (s := clock.begin(bin_, step=bin_ in steps)) is not None]
    assert [start.index for start in begun] == list(range(len(begun)))
    assert [start.order for start in begun if start.step] == list(range(1, len(steps) + 1))
    assert {start.bin for start in begun if start.step} == steps


@pytest.mark.parametrize("step_s", [5.0, 15.0, 30.0, 60.0])
def test_the_schedule_is_in_seconds(step_s: float) -> None:
    """A slow scrape has the same starts, as far as its bins allow; never two in a row."""
    clock = StartClock(step_s)
    begun = [s.bin for b in range(round(3600 / step_s)) if (s := clock.begin(b)) is not None]
    gaps = np.diff(begun) * step_s
    early, late = max(60.0, 2 * step_s), max(120.0, 2 * step_s)
    assert set(gaps.tolist()) == {early, late}
    assert (np.diff(gaps) >= 0).all()
    assert min(np.diff(begun)) >= 2
