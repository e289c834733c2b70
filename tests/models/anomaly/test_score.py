"""One step of the stream, as whoever calls it sees it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly.score import step, threshold
from models.anomaly.scored import Flag, Scored, Settings
from models.baseline.layout import Kind
from models.baseline.state import State, empty, from_arrays, grown

STALE = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]


def run(
    values: list[float], times: list[int] | None = None, kind: Kind = Kind.GAUGE
) -> tuple[State, Scored]:
    """One series, a sample a minute unless times are given."""
    state = empty(1, np.array([kind], dtype=np.int8))
    at = np.array(times or range(len(values)), dtype=np.int64) * 60_000
    rows = np.zeros(len(values), dtype=np.int32)
    return state, step(state, rows, at, np.array(values, dtype=np.float64), Settings())


def noise(count: int, seed: int = 1) -> list[float]:
    """Normal numbers around 10."""
    return [float(x) for x in np.random.default_rng(seed).normal(10.0, 1.0, count)]


def test_what_is_out_of_order_or_no_number_is_named_and_changes_nothing() -> None:
    """A late scrape or a NaN would move the baseline, in an order that depends on luck."""
    calm, _ = run(noise(50))
    values = [*noise(50), 99.0, 99.0, float("nan"), float("inf")]
    state, scored = run(values, [*range(50), 49, 10, 50, 51])
    assert [Flag(int(f)) for f in scored.flag[50:]] == [
        Flag.DUPLICATE,
        Flag.LATE,
        Flag.INVALID,
        Flag.INVALID,
    ]
    assert state.hot.tobytes() == calm.hot.tobytes()


def test_a_counter_is_scored_as_its_rate_and_a_reset_is_named() -> None:
    """A restart of a process would look like an outage of its service."""
    _, scored = run([0.0, 60.0, 120.0, 30.0], kind=Kind.CUMULATIVE)
    assert scored.value[1:].tolist() == [1.0, 1.0, 0.5]
    assert np.isnan(scored.value[0])
    assert Flag(int(scored.flag[3])) & Flag.RESET


def test_after_a_staleness_marker_a_counter_starts_anew() -> None:
    """The gap between two lives of a series would be counted as one huge increase."""
    _, scored = run([0.0, 60.0, STALE, 6000.0, 6060.0], kind=Kind.CUMULATIVE)
    assert Flag(int(scored.flag[2])) == Flag.STALE
    assert np.isnan(scored.value[3])
    assert scored.value[4] == 1.0


def test_a_spike_far_out_is_the_most_surprising_sample() -> None:
    """Nobody would be told of the plainest anomaly."""
    values = noise(400)
    values[350] = 30.0
    _, scored = run(values)
    assert int(np.argmax(scored.surprise)) == 350
    assert scored.surprise[350] > threshold(10.0, 100) > scored.reached[350]


def test_rows_that_are_not_there_are_refused() -> None:
    """A wrong id would write into the state of another series."""
    with pytest.raises(ValueError, match="of a state of 1"):
        step(
            empty(1),
            np.array([1], dtype=np.int32),
            np.zeros(1, dtype=np.int64),
            np.zeros(1),
            Settings(),
        )


def test_a_rate_of_alarms_needs_to_be_above_zero() -> None:
    """A setting of 0 would silently become an infinite threshold."""
    with pytest.raises(ValueError, match="above 0"):
        threshold(0.0, 10)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 120), max_size=6))
def test_batches_may_be_cut_anywhere(seed: int, cuts: list[int]) -> None:
    """After a crash a worker reads other batches, and would come to other answers."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, 120).astype(np.int32)
    at = np.cumsum(rng.integers(-1, 4, 120)).astype(np.int64) * 15_000
    value = np.where(rng.random(120) < 0.05, np.nan, rng.standard_cauchy(120))
    kind = np.array([0, 1, 2, 0], dtype=np.int8)
    whole, parts = empty(4, kind), empty(4, kind)
    want = step(whole, rows, at, value, Settings())
    edges = [0, *sorted(cuts), 120]
    got = [step(parts, rows[a:b], at[a:b], value[a:b], Settings()) for a, b in pairwise(edges)]
    for name, array in whole.to_arrays().items():
        assert array.tobytes() == parts.to_arrays()[name].tobytes(), name
    for name in Scored.__slots__:
        joined = np.concatenate([getattr(each, name) for each in got])
        assert joined.tobytes() == getattr(want, name).tobytes(), name


def test_a_state_grows_and_goes_through_its_arrays_unchanged() -> None:
    """A checkpoint that loses a number would change every later score."""
    state, _ = run(noise(50))
    larger = grown(state, 3, np.array([1, 2], dtype=np.int8))
    again = from_arrays(larger.to_arrays())
    assert len(again) == 3
    assert again.kind.tolist() == [0, 1, 2]
    for name, array in larger.to_arrays().items():
        assert again.to_arrays()[name].tobytes() == array.tobytes(), name


def test_a_state_of_another_version_is_refused() -> None:
    """Bytes of an older layout would be read as other numbers."""
    arrays = empty(1).to_arrays() | {"version": np.array([99])}
    with pytest.raises(ValueError, match="version 99"):
        from_arrays(arrays)
