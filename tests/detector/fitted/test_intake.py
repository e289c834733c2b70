"""What of the samples of series is there at the steps of services."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.fitted.intake import LOOKBACK_MS, Intake
from detector.stream.columns import STALE, Columns
from detector.stream.state import NEVER

STEP = 300_000
END = 1_790_000_100_000


def intake(*units: int, is_delta: bool = False) -> Intake:
    """Series 0 in each of these services, whose open step ends at `END`."""
    made = Intake()
    made.ends = np.full(max(units) + 1, END, np.int64)
    for unit in units:
        made.add(unit, 0, is_delta=is_delta)
    return made


def take(made: Intake, *samples: tuple[int, float]) -> None:
    """Samples of series 0, by milliseconds from the end of the step."""
    at = np.array([END + at for at, _ in samples], np.int64)
    value = np.array([value for _, value in samples])
    made.take(Columns(series=np.zeros(len(at), np.int32), at=at, value=value))


def values(made: Intake, row: int = 0, end: int = END) -> tuple[float, float]:
    """Of a row before the step and at its end."""
    before, now = made.values(np.array([row]), end)
    return float(before[0]), float(now[0])


def test_the_newest_up_to_the_end_of_the_step_counts() -> None:
    """A sample of the next step is not this step's, though it is here already."""
    made = intake(0)
    take(made, (-20_000, 1.0), (-5_000, 2.0), (1, 9.0))
    assert values(made)[1] == 2.0
    made.close(0, np.array([0]), END, STEP)
    assert values(made, end=END + STEP) == (2.0, 9.0)


def test_what_is_late_or_comes_again_changes_nothing() -> None:
    """A sender that repeats itself would count twice."""
    made = intake(0)
    take(made, (-5_000, 2.0))
    take(made, (-20_000, 1.0), (-5_000, 7.0))
    assert values(made)[1] == 2.0


def test_a_value_stands_for_five_minutes_and_not_longer() -> None:
    """A pod that is gone would be usual for ever."""
    made = intake(0)
    take(made, (-10_000, 2.0))
    rows = np.array([0])
    made.close(0, rows, END, STEP)
    assert values(made, end=END + LOOKBACK_MS - 10_001) == (2.0, 2.0)
    assert np.isnan(values(made, end=END + LOOKBACK_MS)[1])


def test_a_marker_of_the_end_ends_it_at_once() -> None:
    """Prometheus says that a pod is gone; its last value is none of now."""
    made = intake(0)
    take(made, (-20_000, 2.0), (-10_000, float(STALE)))
    assert np.isnan(values(made)[1])


def test_increases_are_added_up() -> None:
    """A sender of deltas has the same rates as one of counters."""
    made = intake(0, is_delta=True)
    take(made, (-20_000, 2.0), (-10_000, 3.0))
    take(made, (-5_000, 4.0), (5_000, 1.0))
    assert values(made)[1] == 9.0
    made.close(0, np.array([0]), END, STEP)
    assert values(made, end=END + STEP) == (9.0, 10.0)


def test_a_series_may_be_of_several_services() -> None:
    """A service fitted with its namespace and without has the same series."""
    made = intake(0, 2)
    take(made, (-5_000, 2.0))
    assert [values(made, row)[1] for row in (0, 1)] == [2.0, 2.0]
    assert made.drop(0, [0]) == [(0, 0)]
    take(made, (-1_000, 3.0))
    assert values(made, 1)[1] == 3.0
    assert made.of(0) == [1]


def test_a_row_that_was_dropped_is_given_anew_and_knows_nothing() -> None:
    """Memory would grow with every pod, or a pod begin with the counter of another."""
    made = intake(0)
    take(made, (-5_000, 2.0))
    made.drop(0)
    assert (made.size, made.of(0)) == (0, [])
    assert made.add(0, 7, is_delta=False) == 0
    assert np.isnan(values(made)[1])
    assert int(made["now_at"][0]) == NEVER


@given(
    st.lists(
        st.tuples(st.integers(-STEP + 1, STEP), st.floats(0, 9)),
        max_size=12,
        unique_by=lambda s: s[0],
    ),
    st.integers(0, 12),
)
def test_what_is_known_does_not_depend_on_how_samples_are_cut(
    samples: list[tuple[int, float]], cut: int
) -> None:
    """Replayed in other batches, a row would be another."""
    ordered = sorted(samples)
    whole, parts = intake(0), intake(0)
    take(whole, *ordered)
    take(parts, *ordered[:cut])
    take(parts, *ordered[cut:])
    for name in ("now", "now_at", "next", "next_at"):
        np.testing.assert_array_equal(whole[name], parts[name])
