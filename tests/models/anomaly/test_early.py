"""What comes first: absurd values, other levels, a counter's other life do not blind a series."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.anomaly.scored import Flag
from models.anomaly.tuning import LEARN, SHIFT
from models.baseline.layout import Kind
from tests.models.anomaly.samples import apart, beside, calm, scored

Values = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)
# A far value, in standard deviations of the series.
FAR = st.floats(20.0, 1e12) | st.floats(-1e12, -20.0)
# A misleading start is forgotten after so many samples of the level that holds, at the latest.
FORGOTTEN = SHIFT + 2 * LEARN


def widths(*series: Values, kind: Kind = Kind.GAUGE) -> list[float]:
    """How wide the range is that is expected of each series at its end."""
    _, found = scored(beside(*series), [kind] * len(series))
    return [float(width) for width in (found.high - found.low)[-len(series) :]]


@given(SEEDS, st.integers(0, LEARN - 1), FAR)
def test_one_absurd_value_among_the_first_does_not_widen_what_is_expected(
    seed: int, place: int, far: float
) -> None:
    """A single glitch at the start would blind a series for weeks."""
    clean = calm(3 * LEARN, seed=seed)
    absurd = clean.copy()
    absurd[place] += far
    wide, usual = widths(absurd, clean)
    assert usual / 1.5 < wide < 1.5 * usual


@given(SEEDS, st.permutations(range(LEARN)), FAR, FAR)
def test_nor_do_two_of_them(seed: int, places: list[int], one: float, two: float) -> None:
    """A restart is often a glitch on either side of it."""
    clean = calm(3 * LEARN, seed=seed)
    absurd = clean.copy()
    absurd[places[:2]] += (one, two)
    wide, usual = widths(absurd, clean)
    assert usual / 2 < wide < 2 * usual


@given(SEEDS, st.integers(1, 4 * LEARN), st.floats(1.0, 1e6))
def test_a_start_that_is_stuck_at_zero_is_forgotten(seed: int, stuck: int, level: float) -> None:
    """An exporter that says 0 until its first reading would make every later one odd for good."""
    clean = calm(stuck + FORGOTTEN, seed=seed, level=10.0) * level
    value = clean.copy()
    value[:stuck] = 0.0
    wide, usual = widths(value, clean)
    assert usual / 2 < wide < 2 * usual


@given(SEEDS, st.integers(1, 240), st.floats(100.0, 3e3), st.sampled_from([-1.0, 1.0]))
def test_a_step_in_the_first_hour_is_forgotten(
    seed: int, place: int, by: float, sign: float
) -> None:
    """A series that begins with its process' warm-up would be expected to be as wild for days."""
    clean = calm(place + FORGOTTEN, seed=seed)
    value = clean.copy()
    value[place:] += sign * by
    wide, usual = widths(value, clean)
    assert usual / 2 < wide < 2 * usual


@given(SEEDS, st.integers(1, LEARN - 1), st.floats(0.0, 1e12))
def test_a_counter_that_begins_anew_does_not_widen_what_is_expected(
    seed: int, place: int, first: float
) -> None:
    """A restart in the first minutes, with whatever the new process has counted, would blind it."""
    steps = np.abs(calm(3 * LEARN, seed=seed, level=600.0))
    value = np.cumsum(steps) + 1e12
    reset = value.copy()
    reset[place:] -= value[place] - first
    wide, usual = widths(reset, value, kind=Kind.CUMULATIVE)
    assert usual / 1.5 < wide < 1.5 * usual


def test_a_glitch_after_such_a_start_is_still_odd() -> None:
    """A range that is right is worth something only if what leaves it is told."""
    value = calm(3 * LEARN)
    value[7] = 1e9
    value[-1] += 30.0
    _, found = scored(beside(value))
    assert found.surprise[-1] > 1.0
    assert found.surprise[:-1].max() < found.surprise[-1]


@pytest.mark.parametrize("spikes", [6, 10])
def test_spikes_that_come_again_and_again_are_believed(spikes: int) -> None:
    """A batch job that runs now and then would alarm with each run."""
    value = np.zeros(3 * LEARN)
    value[:: LEARN // spikes] = 50.0
    value[:LEARN] += calm(LEARN, level=0.0) * 0.01
    _, found = scored(beside(value))
    later = slice(2 * LEARN, None)
    assert found.surprise[later].max() < 0.5


@given(SEEDS)
def test_learning_takes_no_more_than_twice_as_long(seed: int) -> None:
    """A series that wanders from the start would never be judged."""
    value = np.cumsum(np.random.default_rng(seed).normal(size=3 * LEARN))
    _, found = scored(beside(value))
    assert not (found.flag[2 * LEARN :] & Flag.LEARNING).any()


@settings(max_examples=12)  # each walks four hundred samples in plain numpy: nearly a second
@given(SEEDS, st.lists(st.tuples(st.integers(0, 399), FAR), max_size=6), st.integers(0, 300))
def test_what_begins_anew_does_so_alike_in_kernel_and_twin(
    seed: int, wrong: list[tuple[int, float]], stuck: int
) -> None:
    """What is fast would forget otherwise than what can be read and checked."""
    value, other = calm(400, seed=seed), calm(400, seed=seed + 1)
    for place, far in wrong:
        value[place] = far
    other[:stuck] = 0.0
    differs, _ = apart(beside(value, other, np.cumsum(value)))
    assert differs == []


def test_a_constant_that_begins_to_move_late_is_learned_anew() -> None:
    """A queue that is empty for a day and then used would be odd for a month."""
    value = np.fromiter(chain([0.0] * 3000, calm(FORGOTTEN, level=500.0)), np.float64)
    wide, usual = widths(value, calm(3000 + FORGOTTEN, level=500.0))
    assert usual / 2 < wide < 2 * usual
