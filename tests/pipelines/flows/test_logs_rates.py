"""Rates of lines as samples: all that came is told, once, whatever the batches and restarts."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipelines.flows.logs_rates import QUIET_MS, Rates
from pipelines.flows.logs_record import STEP_MS, Counted, gains

T0 = 1_790_000_000_000 // STEP_MS * STEP_MS
steps = st.lists(
    st.tuples(
        st.integers(0, 50_000),
        st.dictionaries(st.integers(0, 3), st.integers(1, 9).map(float), max_size=3),
        st.booleans(),
    ),
    max_size=40,
)


def counted(at: int, rose: dict[int, float] | None = None) -> Counted:
    """What came in at a time after T0."""
    return Counted(tenant="t", taken=T0 + at, rates=gains(rose or {}))


def told(rates: Rates, at: int, rose: dict[int, float] | None = None) -> Counter[tuple[int, int]]:
    """Samples by series and time after T0."""
    columns = rates.take(counted(at, rose))
    if columns is None:
        return Counter()
    rows = zip(columns.series.tolist(), columns.at.tolist(), columns.value.tolist(), strict=True)
    found: Counter[tuple[int, int]] = Counter()
    for series, time, value in rows:
        assert (series, time - T0) not in found
        found[series, time - T0] = value
    return found


@given(steps=steps)
def test_all_that_came_is_told_in_its_step(steps: list[tuple[int, dict[int, float], bool]]) -> None:
    """A restart in between, at any place, changes nothing."""
    rates, at = Rates(), 0
    wanted: Counter[tuple[int, int]] = Counter()
    found: Counter[tuple[int, int]] = Counter()
    for pause, rose, dies in steps:
        at += pause
        if dies:
            rates = Rates(rates.to_arrays())
        found.update(told(rates, at, rose))
        for series, by in rose.items():
            wanted[series, (at // STEP_MS + 1) * STEP_MS] += by  # type: ignore[assignment]
    found.update(told(rates, at + STEP_MS))
    assert +found == wanted


def test_where_nothing_came_a_zero_is_told() -> None:
    """That a service fell silent is news, too."""
    rates = Rates()
    told(rates, 1_000, {0: 4.0})
    assert told(rates, 46_000) == {(0, 15_000): 4, (0, 30_000): 0, (0, 45_000): 0}


def test_what_does_not_come_any_more_is_told_no_more() -> None:
    """A template of last week costs nothing."""
    rates = Rates()
    told(rates, 1_000, {0: 4.0})
    told(rates, QUIET_MS + 40_000, {1: 1.0})
    assert len(rates) == 1
    assert told(rates, QUIET_MS + 60_000) == {(1, QUIET_MS + 45_000): 1, (1, QUIET_MS + 60_000): 0}


def test_a_long_pause_is_told_as_ten_minutes_of_zeros() -> None:
    """A process that was away for a week does not begin with forty thousand samples of each."""
    rates = Rates()
    told(rates, 1_000, {0: 4.0})
    found = told(rates, 3_600_000)
    assert len(found) <= 2 + 600_000 // STEP_MS
    assert found[0, 15_000] == 4
