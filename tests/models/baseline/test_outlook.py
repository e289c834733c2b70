"""How a level moves by season: what is expected, and how often that holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baseline.outlook import Outlook, Season, outlook
from tests.profiles import HEAVY

A_DAY = 48
FIRST = 20_000 * A_DAY


def moved(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Movements of a path of levels from one block to the next, and the blocks they lead to."""
    return np.diff(level), FIRST + 1 + np.arange(len(level) - 1)


def path(
    rng: np.random.Generator, days: int, *, daily: float = 0.0, weekends: float = 1.0, sd: float
) -> np.ndarray:
    """Levels with a season of the day, another one on weekends, a trend, and heavy tails."""
    slots = FIRST + np.arange(days * A_DAY)
    is_weekend = (slots // A_DAY + 3) % 7 >= 5
    wave = np.sin(2 * np.pi * slots / A_DAY)
    season = daily * wave * np.where(is_weekend, weekends, 1.0)
    heavy = rng.standard_t(4, len(slots)) * sd
    return season + 0.01 * np.arange(len(slots)) / A_DAY + heavy


def expected(levels: np.ndarray, at: float | None = None) -> Outlook:
    """The outlook for the block that follows a path."""
    effect, slot = moved(levels)
    where = float(slot[-1] + 1) if at is None else at
    return outlook(effect, np.zeros(len(effect)), slot, where, a_day=A_DAY)


def test_what_the_hour_does_each_day_is_expected() -> None:
    """A ramp each morning is no fault of the release in the morning."""
    rng = np.random.default_rng(1)
    levels = path(rng, 14, daily=0.5, sd=0.003)
    for slot in (0, 12, 30):
        found = expected(levels, float(FIRST + 14 * A_DAY + slot))
        wave = np.sin(2 * np.pi * np.array([slot - 1, slot]) / A_DAY)
        assert found.season is not Season.NONE
        assert found.shift == pytest.approx(0.5 * np.diff(wave)[0], abs=0.02)


def test_weekends_that_go_another_way_are_told_from_working_days() -> None:
    """Two weeks are enough to know that a Saturday is no Tuesday."""
    levels = path(np.random.default_rng(2), 14, daily=0.5, weekends=-1.0, sd=0.005)
    found = expected(levels, float(FIRST + 14 * A_DAY))
    assert found.season is Season.DAY_KIND


def test_where_no_time_tells_anything_the_level_stands() -> None:
    """Chance is not taken for a season, which would add its own error."""
    levels = np.cumsum(np.random.default_rng(3).normal(0, 0.02, 14 * A_DAY))
    found = expected(levels)
    assert found.season is Season.NONE
    assert found.shift == 0.0


def test_a_day_of_incidents_moves_no_season() -> None:
    """One bad afternoon of fourteen is not expected to come again."""
    levels = path(np.random.default_rng(4), 14, daily=0.3, sd=0.01)
    shaken = levels.copy()
    shaken[5 * A_DAY + 20 : 5 * A_DAY + 24] += 3.0
    at = float(FIRST + 14 * A_DAY + 20)
    assert expected(shaken, at).shift == pytest.approx(expected(levels, at).shift, abs=0.02)


def rising(minutes: float) -> np.ndarray:
    """Levels of two weeks in which it rises by 1 for two hours each day, from so many minutes on.

    The rise begins within the block that begins at noon.
    """
    slots = np.arange(14 * A_DAY)
    first, last = slots % A_DAY == 24, slots % A_DAY == 28
    inside = (slots % A_DAY > 24) & (slots % A_DAY < 28)
    share = 1.0 - minutes / 30.0
    rise = inside + share * first + (1.0 - share) * last
    levels: np.ndarray = rise + np.random.default_rng(5).normal(0, 0.003, len(slots))
    return levels


@pytest.mark.parametrize("step", [0.0, 6.0, 12.0, 24.0])
@pytest.mark.parametrize("asked", [0.0, 6.0, 12.0, 24.0])
def test_a_step_between_two_blocks_is_foretold_within_its_doubt(step: float, asked: float) -> None:
    """A job that starts at twelve past, and a release at a quarter past, share no clock with us."""
    found = expected(rising(step), float(FIRST + 14 * A_DAY + 24) + asked / 30.0)
    came = 1.0 - abs(asked - step) / 30.0
    assert abs(came - found.shift) < 1.1 * np.sqrt(found.noise) + 0.02


def test_at_the_edge_of_a_block_there_is_no_doubt() -> None:
    """A job on the half hour, and a release on it."""
    found = expected(rising(0.0), float(FIRST + 14 * A_DAY + 24))
    assert found.shift == pytest.approx(1.0, abs=0.01)
    assert found.noise < 1e-4


@pytest.mark.parametrize("coverage", [0.8, 0.95, 0.99])
def test_intervals_hold_as_often_as_they_say(coverage: float) -> None:
    """Over 400 services with season, trend and heavy tails: within three sds of what is asked."""
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(400):
        levels = path(rng, 15, daily=0.3, weekends=-0.5, sd=0.02)
        end = 14 * A_DAY + int(rng.integers(A_DAY))
        low, high = expected(levels[:end]).interval(coverage)
        inside += low <= levels[end] - levels[end - 1] <= high
    sd = math.sqrt(coverage * (1 - coverage) * 400)
    assert abs(inside - coverage * 400) <= 3 * sd + 1


def test_an_interval_of_too_few_blocks_is_the_whole_line() -> None:
    """Nine past blocks say nothing of the one in a hundred."""
    found = expected(np.arange(10) * 0.01)
    assert found.interval(0.99) == (-math.inf, math.inf)
    assert math.isfinite(found.interval(0.5)[0])


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1.0])
def test_a_coverage_that_is_none_is_refused(coverage: float) -> None:
    """Always and never are no intervals."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        expected(np.arange(10.0)).interval(coverage)


def by_hand(effect: np.ndarray, slot: np.ndarray, at: int) -> tuple[float, dict[int, float]]:
    """Mean of the blocks of the same time of day, and each block less the mean of its others."""
    same: dict[int, list[int]] = {}
    for place, one in enumerate(slot.tolist()):
        same.setdefault(one % A_DAY, []).append(place)
    off = {}
    for places in same.values():
        if len(places) > 3:
            for place in places:
                others = [effect[other] for other in places if other != place]
                n = len(places)
                larger = (1 + 1 / n) / (1 + 1 / (n - 1))
                off[place] = (effect[place] - np.mean(others)) * math.sqrt(larger)
    return float(np.mean([effect[place] for place in same[at % A_DAY]])), off


@HEAVY
@given(st.integers(0, 2**32 - 1), st.integers(5, 12))
def test_means_of_a_time_are_those_that_a_loop_finds(seed: int, days: int) -> None:
    """The oracle: two nested loops over the blocks, with nothing far out."""
    rng = np.random.default_rng(seed)
    levels = path(rng, days, daily=2.0, sd=0.0) + rng.uniform(-0.01, 0.01, days * A_DAY)
    effect, slot = moved(levels)
    at = int(slot[-1]) + 1
    found = outlook(effect, np.full(len(effect), 1.0), slot, float(at), a_day=A_DAY)
    if found.season is Season.DAY:
        shift, off = by_hand(effect, slot, at)
        assert found.shift == pytest.approx(shift)
        assert found.off == pytest.approx(np.array([off[place] for place in sorted(off)]))
    assert found.times >= 0


@HEAVY
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_wider_coverage_never_makes_a_narrower_interval(
    seed: int, one: float, other: float
) -> None:
    """More certainty costs width."""
    found = expected(np.cumsum(np.random.default_rng(seed).standard_t(3, 300)))
    few, many = (found.interval(c) for c in sorted((one, other)))
    assert many[0] <= few[0] <= few[1] <= many[1]


@HEAVY
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_scaling_the_movements_scales_the_outlook(seed: int, factor: float) -> None:
    """The unit of a movement is nobody's business."""
    levels = path(np.random.default_rng(seed), 14, daily=0.5, sd=0.05)
    one, other = expected(levels), expected(factor * levels)
    assert other.season is one.season
    assert other.shift == pytest.approx(factor * one.shift)
    assert other.off == pytest.approx(factor * one.off)


def test_without_any_past_nothing_is_known() -> None:
    """An empty past is no error."""
    none = np.zeros(0)
    found = outlook(none, none, np.zeros(0, np.int64), float(FIRST), a_day=A_DAY)
    assert (found.season, found.shift, len(found.off)) == (Season.NONE, 0.0, 0)
    assert found.interval(0.5) == (-math.inf, math.inf)
