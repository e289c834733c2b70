"""Two weeks of troubled series through the compiled kernel and its twin: the same to the bit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.anomaly import kernel, twin
from models.anomaly.pool import READ_EVERY
from models.anomaly.score import run
from models.anomaly.scored import Flag, Scored, Settings
from models.anomaly.tuning import LEARN, SHIFT
from models.baseline.calendar import DAY_MS, HOUR_MS, Calendar
from models.baseline.layout import Kind
from models.baseline.state import State, empty
from tests.models.anomaly.samples import (
    MINUTE,
    MONDAY,
    STALE,
    Samples,
    apart,
    beside,
    calm,
    differing,
    scored,
    some,
)
from tests.profiles import HEAVY

HALF_HOUR = HOUR_MS // 2
COUNT, MOVED = 730, 110
# Clocks go forward on the second Sunday; the first Wednesday and the second Monday are days off.
CALENDAR = Settings(
    calendar=Calendar(
        starts=np.array([0, MONDAY + 13 * DAY_MS]),
        offsets=np.array([HOUR_MS, 2 * HOUR_MS]),
        holidays=np.array([6, 11]),
    )
)


def moved(by: float, *, back: int = COUNT, seed: int = 2) -> NDArray[np.float64]:
    """Calm numbers whose level moves after `MOVED` samples, until a sample where it is back."""
    value = calm(COUNT, seed=seed)
    value[MOVED:back] += by
    return value


def daily(scale: float) -> NDArray[np.float64]:
    """Busy by day, quiet by night, and `scale` times that in the second week."""
    hours = np.arange(COUNT) / 2
    wave = 50 * np.sin(hours * (2 * np.pi / 24)) * np.where(hours < 168, 1.0, scale)
    return np.asarray(wave + calm(COUNT, seed=3))


def counter() -> NDArray[np.float64]:
    """Counts up, from 0 again now and then, and with a life that ends."""
    value = np.cumsum(np.abs(calm(COUNT, seed=4, level=500.0)))
    for reset in (150, 400, 401):
        value[reset:] -= value[reset] - 1.0
    value[500] = STALE
    return value


def holed() -> NDArray[np.float64]:
    """Calm numbers that are missing for hours, or no numbers."""
    value = calm(COUNT, seed=5)
    value[200:240] = np.nan
    value[300], value[301] = np.inf, -np.inf
    return value


SERIES = {
    "up": (moved(1000.0), Kind.GAUGE, MINUTE),
    "down": (moved(-1000.0), Kind.GAUGE, MINUTE),
    "almost": (moved(1000.0, back=MOVED + SHIFT - 1), Kind.GAUGE, MINUTE),
    "daily": (daily(1.0), Kind.GAUGE, HALF_HOUR),
    "growing": (daily(1e5), Kind.GAUGE, HALF_HOUR),
    "counter": (counter(), Kind.CUMULATIVE, HALF_HOUR),
    "delta": (np.abs(calm(COUNT, seed=6)), Kind.DELTA, HALF_HOUR),
    "holed": (holed(), Kind.GAUGE, HALF_HOUR),
    "constant": (np.full(COUNT, 7.0), Kind.GAUGE, HALF_HOUR),
    "zero": (np.zeros(COUNT), Kind.GAUGE, HALF_HOUR),
}
NAMES = list(SERIES)
TWO_WEEKS = beside(
    *(value for value, _, _ in SERIES.values()), every=[every for _, _, every in SERIES.values()]
)
KINDS = [kind for _, kind, _ in SERIES.values()]


@pytest.fixture(scope="module")
def after() -> tuple[State, Scored]:
    """The two weeks by the kernel alone."""
    return scored(TWO_WEEKS, KINDS, CALENDAR)


def of(name: str, column: NDArray[Any]) -> NDArray[Any]:
    """The part of a column that is of one series."""
    return column[NAMES.index(name) :: len(NAMES)]


def test_two_troubled_weeks_are_the_same_to_the_bit() -> None:
    """Shorter streams never get as far as a shift, a week or a coarser unit."""
    differs, found = apart(TWO_WEEKS, KINDS, CALENDAR)
    seen = Flag(int(np.bitwise_or.reduce(found.flag)))
    assert differs == []
    assert seen == Flag.LEARNING | Flag.INVALID | Flag.STALE | Flag.GAP | Flag.RESET | Flag.SHIFT


@pytest.mark.parametrize(("name", "level"), [("up", 1010.0), ("down", -990.0)])
def test_after_so_many_samples_in_a_row_beyond_its_edge_a_level_has_moved(
    after: tuple[State, Scored], name: str, level: float
) -> None:
    """A release that changed a level for good would stay an anomaly, or be forgotten at once."""
    state, found = after
    told = np.flatnonzero(of(name, found.flag) & Flag.SHIFT)
    assert told.tolist() == [MOVED + SHIFT - 1]
    assert float(state.level[NAMES.index(name)]) == pytest.approx(level, abs=5.0)


def test_one_sample_less_moves_no_level(after: tuple[State, Scored]) -> None:
    """What comes back in time was an excursion, and what is usual must still be known."""
    state, found = after
    assert not (of("almost", found.flag) & Flag.SHIFT).any()
    assert float(state.level[NAMES.index("almost")]) < 500.0


def test_a_profile_that_outgrows_its_unit_is_kept_coarser_and_loses_no_hour(
    after: tuple[State, Scored],
) -> None:
    """A service that grew a hundred thousandfold would have a week of clipped numbers."""
    state, _ = after
    unit = state.cold[:, 0]
    assert unit[NAMES.index("growing")] >= 2 * unit[NAMES.index("daily")]
    hours = (state.profile != np.iinfo(np.int16).min).sum(axis=1)
    assert hours[NAMES.index("growing")] == hours[NAMES.index("daily")] == 24 + 168


def test_what_was_not_used_teaches_nothing(after: tuple[State, Scored]) -> None:
    """Hours without numbers would count as hours of the usual."""
    _, found = after
    flag, expected = of("holed", found.flag), of("holed", found.expected)
    assert (flag[200:240] == Flag.INVALID).all()
    assert np.isnan(expected[200:240]).all()
    assert (flag[240] & Flag.GAP) == Flag.GAP


def about_to_be_read(left: int) -> State:
    """Sixteen series past learning whose counts are read anew after so many samples."""
    state, _ = scored(beside(*(calm(LEARN + 60, seed=n) for n in range(16))))
    state.pool_spent[0] = READ_EVERY - left
    return state


def copied(state: State) -> State:
    """Another state of the same numbers."""
    other = empty(len(state), state.kind)
    for name, array in state.to_arrays().items():
        if name != "version":
            getattr(other, name)[...] = array
    return other


def odd_samples(seed: int, first: int) -> Samples:
    """Ten samples of each of sixteen series, some of them far out."""
    rng = np.random.default_rng(seed)
    return beside(*(rng.standard_t(2.0, 10) * 3 + 10 for _ in range(16)), start=first)


READ = about_to_be_read(60)
NEXT = int(READ.at.max()) + 60_000


@HEAVY
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 160), max_size=6))
def test_cutting_changes_nothing_where_counts_are_read_within_a_batch(
    seed: int, cuts: list[int]
) -> None:
    """The table would be another one for some samples, depending on how large batches are."""
    samples = odd_samples(seed, NEXT)
    whole, parts, plain = copied(READ), copied(READ), copied(READ)
    want = run(kernel.advance, whole, *samples, Settings())
    for a, b in pairwise([0, *sorted(cuts), 160]):
        run(kernel.advance, parts, *some(samples, slice(a, b)), Settings())
    by_twin = run(twin.advance, plain, *samples, Settings())
    assert int(whole.pool_spent[0]) == 100
    assert (whole.pool_table[0] != READ.pool_table[0]).any()
    assert differing(whole, want, plain, by_twin) == []
    assert differing(parts, want, whole, want) == []


@HEAVY
@given(st.permutations(range(16)), st.integers(0, 2**32 - 1))
def test_series_do_not_hear_of_each_other(order: list[int], seed: int) -> None:
    """A noisy neighbour would change what is usual of another service."""
    rows, at, value = odd_samples(seed, 10**9)
    state, found = scored((rows, at, value))
    other, mixed = scored((np.array(order, dtype=np.int32)[rows], at, value))
    assert other.hot[order].tobytes() == state.hot.tobytes()
    assert other.level[order].tobytes() == state.level.tobytes()
    assert mixed.surprise.tobytes() == found.surprise.tobytes()
