"""The compiled kernel against its plain twin: every array and every column, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.anomaly import kernel, twin
from models.anomaly.score import run
from models.anomaly.scored import Flag, Scored, Settings
from models.baseline.calendar import DAY_MS, HOUR_MS, Calendar
from models.baseline.state import State, empty
from tests.models.anomaly.samples import STALE, Samples, differing
from tests.profiles import HEAVY

CALENDAR = Calendar(
    starts=np.array([0, 6 * DAY_MS]),
    offsets=np.array([HOUR_MS // 2, 2 * HOUR_MS]),
    holidays=np.array([3, 9]),
)


def made(seed: int, count: int, scale: float, *, shift: bool, season: bool) -> Samples:
    """Four series with gaps, repeats, what is late, no numbers, outliers, season and a shift."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, count).astype(np.int32)
    at = np.cumsum(rng.integers(-1, 20, count)).astype(np.int64) * 60_000
    value = rng.standard_t(2.0, count) * scale
    value += season * 5 * scale * np.sin(at * (2 * np.pi / DAY_MS))
    value += shift * 50 * scale * (np.arange(count) > count // 2)
    value[rng.random(count) < 0.02] = np.nan
    value[rng.random(count) < 0.01] = STALE
    return rows, at, value


def both(samples: Samples) -> tuple[State, Scored, State, Scored]:
    """The same samples by the kernel and by the twin."""
    kind = np.array([0, 1, 2, 0], dtype=np.int8)
    fast, plain = empty(4, kind), empty(4, kind)
    known = Settings(calendar=CALENDAR)
    scored = run(kernel.advance, fast, *samples, known)
    return fast, scored, plain, run(twin.advance, plain, *samples, known)


@settings(max_examples=16)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.booleans(), st.booleans())
def test_kernel_and_twin_are_the_same_to_the_bit(
    seed: int, scale: float, shift: bool, season: bool
) -> None:
    """What is fast would score otherwise than what can be read and checked."""
    samples = made(seed, 1200, scale, shift=shift, season=season)
    assert differing(*both(samples)) == []


@HEAVY
@given(st.lists(st.floats(width=64), max_size=60), st.integers(0, 10**12))
def test_any_number_at_all_leaves_state_that_is_finite(values: list[float], start: int) -> None:
    """One absurd value would make a series blind for good."""
    count = len(values)
    rows = np.zeros(count, dtype=np.int32)
    at = start + np.arange(count, dtype=np.int64) * 1000
    samples = rows, at, np.array(values, dtype=np.float64)
    fast, scored, plain, wanted = both(samples)
    assert differing(fast, scored, plain, wanted) == []
    assert np.isfinite(fast.hot).all()
    assert np.isfinite(scored.surprise).all()


def test_a_level_that_has_moved_for_good_is_told_from_a_spike() -> None:
    """After a deployment that doubled a level every sample would be an anomaly for ever."""
    rng = np.random.default_rng(5)
    value = rng.normal(10.0, 1.0, 2000)
    value[500] += 40.0
    value[1000:] += 40.0
    at = np.arange(2000, dtype=np.int64) * 60_000
    scored = run(kernel.advance, empty(1), np.zeros(2000, dtype=np.int32), at, value, Settings())
    moved = np.flatnonzero(scored.flag & Flag.SHIFT)
    assert moved.tolist() == [1599]
    assert abs(float(scored.expected[1720]) - 50.0) < 1.0
    assert abs(float(scored.expected[520]) - 10.0) < 2.0


@HEAVY
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-14, 14), min_size=1, max_size=6))
def test_whatever_clocks_do_hours_turn_alike(seed: int, offsets: list[int]) -> None:
    """An hour that comes twice would be learned into another slot than it is looked up in."""
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.integers(1, 3 * DAY_MS, len(offsets)))
    calendar = Calendar(starts=starts, offsets=np.array(offsets) * HOUR_MS)
    samples = made(seed, 300, 1.0, shift=False, season=True)
    fast, plain = empty(4), empty(4)
    known = Settings(calendar=calendar)
    scored = run(kernel.advance, fast, *samples, known)
    assert differing(fast, scored, plain, run(twin.advance, plain, *samples, known)) == []


@HEAVY
@given(st.integers(0, 2**32 - 1))
def test_counts_and_signed_zeros_are_the_same_to_the_bit(seed: int) -> None:
    """Where nothing comes the sign of nothing would tell machines apart."""
    rng = np.random.default_rng(seed)
    rows, at, _ = made(seed, 600, 1.0, shift=False, season=False)
    mean = rng.choice([0.0, 0.03, 0.5, 3.0], 4)[rows]
    value = np.copysign(rng.poisson(mean), rng.choice([-1.0, 1.0], len(rows)))
    assert differing(*both((rows, at, value))) == []
