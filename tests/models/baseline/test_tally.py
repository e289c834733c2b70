"""Increases of counters added up: as a loop over dictionaries adds them, however they are cut."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baseline.state import NEVER
from models.baseline.tally import GAP_MS, tally

SERIES, CELLS = 6, 3
STALE = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]


@dataclass
class Sums:
    """Six series: the last is none of the members, two share each cell, the fifth tells deltas."""

    place: np.ndarray = field(default_factory=lambda: np.array([0, 1, 2, 3, 4, -1], np.int32))
    cell: np.ndarray = field(default_factory=lambda: np.array([0, 0, 1, 1, 2], np.int32))
    is_delta: np.ndarray = field(default_factory=lambda: np.array([0, 0, 0, 0, 1], np.bool_))
    last: np.ndarray = field(default_factory=lambda: np.full(5, np.nan))
    seen: np.ndarray = field(default_factory=lambda: np.full(5, NEVER, np.int64))
    most: np.ndarray = field(default_factory=lambda: np.array([-1.0, 50.0, -1.0]))
    sums: np.ndarray = field(default_factory=lambda: np.zeros(CELLS))

    def take(self, *samples: tuple[int, int, float]) -> list[float]:
        """Samples (series, unix ms, value); the sums after them."""
        series, at, value = zip(*samples, strict=True) if samples else ((), (), ())
        values = np.array(value, np.float64)
        tally(
            self.place, self.cell, self.is_delta, self.last, self.seen, self.most, self.sums,
            np.array(series, np.int32), np.array(at, np.int64), values, values.view(np.uint64),
        )  # fmt: skip
        found: list[float] = self.sums.tolist()
        return found


def by_hand(samples: list[tuple[int, int, float]]) -> list[float]:
    """The oracle: what a person would add up, series by series."""
    most, sums = {0: -1.0, 1: 50.0, 2: -1.0}, [0.0] * CELLS
    cells = {0: 0, 1: 0, 2: 1, 3: 1, 4: 2}
    held: dict[int, tuple[int, float | None]] = {}
    for series, at, value in samples:
        if series not in cells:
            continue
        if math.isnan(value):
            if np.float64(value).view(np.uint64) == np.float64(STALE).view(np.uint64):
                held[series] = (held[series][0], None) if series in held else (NEVER, None)
            continue
        before = held.get(series)
        if math.isinf(value) or (before is not None and before[0] != NEVER and at <= before[0]):
            continue
        if series == 4:
            sums[2] += max(value, 0.0)
        elif before is None or before[0] == NEVER:
            sums[cells[series]] += value if value <= most[cells[series]] else 0.0
        elif before[1] is not None and at - before[0] <= GAP_MS:
            grown = value - before[1] if value >= before[1] else max(value, 0.0)
            sums[cells[series]] += grown
        held[series] = (at, value)
    return sums


VALUES = st.one_of(
    st.integers(0, 100).map(float), st.sampled_from([math.nan, STALE, math.inf, -math.inf])
)
SAMPLES = st.lists(
    st.tuples(st.integers(0, SERIES - 1), st.integers(0, 40).map(lambda n: 60_000 * n), VALUES),
    max_size=60,
)


@given(SAMPLES, st.integers(0, 60))
def test_sums_are_those_that_a_person_adds_up_however_they_are_cut(
    samples: list[tuple[int, int, float]], cut: int
) -> None:
    """Late, repeated, missing, stale, reset and new ones: in one batch or in two."""
    whole, parts = Sums(), Sums()
    parts.take(*samples[:cut])
    assert whole.take(*samples) == parts.take(*samples[cut:]) == by_hand(samples)


def test_what_was_counted_before_we_looked_is_not_counted() -> None:
    """A counter of a year is no request of this half hour."""
    assert Sums().take((0, 0, 1e9), (0, 15_000, 1e9 + 30.0)) == [30.0, 0.0, 0.0]


def test_a_counter_that_is_born_beside_others_counts_from_zero() -> None:
    """The first error of a quiet service is an error."""
    assert Sums().take((2, 0, 3.0)) == [0.0, 3.0, 0.0]


def test_one_that_is_larger_than_all_of_them_was_not_born_just_now() -> None:
    """A target that was lost and came back brings its whole life."""
    assert Sums().take((2, 0, 51.0)) == [0.0, 0.0, 0.0]


def test_a_reset_counts_from_zero() -> None:
    """A container that restarted has served what it shows."""
    assert Sums().take((0, 0, 100.0), (0, 15_000, 7.0)) == [7.0, 0.0, 0.0]


def test_increases_that_are_sent_as_such_are_added() -> None:
    """Delta temporality."""
    assert Sums().take((4, 0, 5.0), (4, 60_000, 6.0), (4, 120_000, -1.0)) == [0.0, 0.0, 11.0]


@pytest.mark.parametrize(("gap", "grown"), [(GAP_MS, 9.0), (GAP_MS + 1, 0.0)])
def test_what_grew_over_a_long_gap_is_of_no_half_hour(gap: int, grown: float) -> None:
    """Three hours of requests do not fall into the minute in which the sender is back."""
    assert Sums().take((0, 0, 1.0), (0, gap, 10.0))[0] == grown
