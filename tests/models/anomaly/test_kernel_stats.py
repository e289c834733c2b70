"""Edges and floors: series that never move, hardly ever come, or are told in another unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.anomaly.score import threshold
from models.anomaly.scored import Flag, Scored
from models.anomaly.tuning import FLOOR, LEARN
from models.baseline.calendar import DAY_MS
from tests.models.anomaly.samples import apart, beside, calm, scored

FINITE = st.floats(-1e29, 1e29)


def highest(found: Scored) -> float:
    """The greatest surprise."""
    return float(found.surprise.max())


@given(FINITE, st.integers(LEARN + 1, 400))
def test_a_constant_series_never_surprises(level: float, count: int) -> None:
    """Rounding in the last digit of a quota would wake somebody."""
    _, found = scored(beside([level] * count))
    assert (found.p_value == 1.0).all()
    assert highest(found) == float(found.surprise[0])
    assert not (found.flag[LEARN:]).any()


@given(st.floats(-1e20, 1e20), st.floats(0.01, 1e6), st.sampled_from([-1.0, 1.0]))
def test_a_constant_series_that_moves_surprises_by_a_finite_number(
    level: float, by: float, sign: float
) -> None:
    """An infinite surprise can be compared with nothing, and nothing would be worse."""
    moved = level + sign * by * max(abs(level), 1.0)
    state, found = scored(beside([level] * 300 + [moved] * 20))
    assert np.isfinite(found.surprise).all()
    assert highest(found) > threshold(1.0, 10)
    assert np.isfinite(state.hot).all()
    assert float(found.low[300]) < float(found.high[300])


@given(st.floats(1.0, 1e12), st.floats(-0.9, 0.9))
def test_a_constant_series_may_tremble_within_its_floor(level: float, part: float) -> None:
    """A measured constant is never quite one."""
    value = np.full(300, level)
    value[280] += part * FLOOR * level
    _, found = scored(beside(value))
    assert (found.p_value == 1.0).all()


@given(st.integers(0, 2**32 - 1), st.integers(-10, 60))
def test_the_unit_of_a_series_changes_no_score(seed: int, power: int) -> None:
    """Seconds and milliseconds of one latency would alarm at different times."""
    value = np.random.default_rng(seed).standard_t(3.0, 300) + 20.0
    _, found = scored(beside(value))
    _, other = scored(beside(value * 2.0**power))
    near = np.abs(found.surprise - other.surprise)
    assert float(near.max()) < 1e-3
    assert found.flag.tolist() == other.flag.tolist()


@given(st.integers(0, 2**32 - 1))
def test_what_falls_is_as_odd_as_what_rises(seed: int) -> None:
    """Half of all outages are numbers that became too small."""
    value = np.random.default_rng(seed).standard_t(3.0, 300)
    _, up = scored(beside(value))
    _, down = scored(beside(-value))
    assert up.surprise.tobytes() == down.surprise.tobytes()
    assert np.array_equal(-up.low, down.high, equal_nan=True)
    assert (-up.side).tolist() == down.side.tolist()


def sparse(share: float, count: int = 4000, seed: int = 0) -> NDArray[np.float64]:
    """Zero, and now and then one."""
    return np.where(np.random.default_rng(seed).random(count) < share, 1.0, 0.0)


@pytest.mark.parametrize("share", [0.3, 0.05, 0.03])
def test_a_series_that_is_zero_but_now_and_then_is_used_to_it(share: float) -> None:
    """Each single retry of a quiet service would be an alarm."""
    _, found = scored(beside(sparse(share)))
    assert float(found.surprise[1000:].max()) < threshold(1.0, 100)


def test_a_burst_in_a_sparse_series_is_told_from_its_usual_ones() -> None:
    """Fifty errors a minute where there was one at a time would be missed."""
    value = sparse(0.05)
    value[3990:] = 50.0
    _, found = scored(beside(value))
    assert highest(found) == float(found.surprise[3990:].max()) > threshold(1.0, 1000)


def test_a_series_of_one_sample_a_day_is_learned_and_judged() -> None:
    """What is measured once a night would never be judged, or always be a gap."""
    value = calm(300)
    value[250] = 40.0
    _, found = scored(beside(value, every=DAY_MS))
    assert set(found.flag.tolist()) == {0, int(Flag.LEARNING)}
    assert int(np.argmax(found.surprise)) == 250
    assert highest(found) > threshold(1.0, 1000)


@given(st.integers(0, 2**32 - 1))
def test_what_is_expected_lies_within_its_range(seed: int) -> None:
    """A chart would draw the line beside its band."""
    _, found = scored(beside(np.random.default_rng(seed).standard_cauchy(300)))
    later = (found.flag & Flag.LEARNING) == 0
    assert np.isnan(found.expected[~later]).all()
    assert not later[:LEARN].any()
    assert later[2 * LEARN :].all()
    assert (found.low[later] < found.expected[later]).all()
    assert (found.expected[later] < found.high[later]).all()


@given(st.integers(0, 2**32 - 1), st.floats(2.0, 50.0))
def test_the_farther_out_a_spike_the_more_surprising(seed: int, far: float) -> None:
    """The worst of two outages would be listed below the other."""
    value = calm(300, seed=seed % 1000)
    found = []
    for spike in (far, 2 * far):
        value[280] = 10.0 + spike
        found.append(float(scored(beside(value))[1].surprise[280]))
    assert found[0] <= found[1]


def test_steps_up_from_nothing_are_the_same_to_the_bit() -> None:
    """Floors are where the compiled and the plain step divide by the least numbers."""
    rows = [[level] * 130 + [level + by] * 30 for level in (0.0, 7.0, -3e9) for by in (1e-9, 1.0)]
    differs, _ = apart(beside(*rows))
    assert differs == []
