"""What the series of a fleet have in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecast.ensemble import forecast
from models.forecast.fleet import Common, Gathered
from models.forecast.history import DAY_S, History
from models.forecast.regression import Floats, Sums
from models.forecast.scale import SCALES
from tests.profiles import HEAVY

# Three steps a day, so that fleets are small.
DAY, WEEK = 3, 21
PAST, AHEAD, HELD = 2 * WEEK, WEEK, 4 * WEEK
SIZE = 10 * WEEK
MEASURED, LOGARITHMS = (scale.name for scale in SCALES)


def one(seed: int, *, size: int = SIZE) -> Floats:
    """A series with a week of its own."""
    rng = np.random.default_rng(seed)
    week: Floats = rng.normal(0, 3, WEEK)[np.arange(size) % WEEK]
    return 20 + week + rng.normal(0, 0.5, size)


def gathered(*fleet: Floats, held: int = HELD) -> Gathered:
    """What they say together."""
    all_of = Gathered(past=PAST, ahead=AHEAD, day=DAY, held=held)
    for values in fleet:
        all_of.add(values, np.arange(len(values)) % WEEK)
    return all_of


def common_of(*fleet: Floats, held: int = HELD) -> Common:
    """The same, fitted."""
    common = gathered(*fleet, held=held).common()
    assert common is not None
    return common


def test_it_says_what_it_is_of() -> None:
    """Steps back and ahead, and in a day; of few series there are no trees."""
    common = common_of(one(1), one(2))
    assert (common.past, common.ahead, common.day, common.held) == (PAST, AHEAD, DAY, HELD)
    assert {MEASURED, LOGARITHMS} == set(common.whole) == set(common.before)
    assert {pool.series for pool in common.whole.values()} == {2}
    assert common.trees is common.trees_before is None


@given(seeds=st.lists(st.integers(0, 99), min_size=2, max_size=5), cut=st.integers(0, 5))
@HEAVY
def test_parts_of_a_fleet_add_up_to_the_whole(seeds: list[int], cut: int) -> None:
    """Wherever it is cut; of all, and of what was before."""
    fleet = [one(seed) for seed in seeds]
    whole = common_of(*fleet)
    parts = gathered(*fleet[:cut]).merge([gathered(*fleet[cut:])]).common()
    assert parts is not None
    for name in (MEASURED, LOGARITHMS):
        for mine, theirs in ((whole.whole, parts.whole), (whole.before, parts.before)):
            assert mine[name].series == theirs[name].series == len(fleet)
            assert np.allclose(mine[name].weights, theirs[name].weights, rtol=1e-4, atol=1e-6)


@given(later=st.lists(st.floats(0.1, 1e6), min_size=HELD, max_size=HELD))
@HEAVY
def test_nothing_that_came_late_is_in_what_was_before(later: list[float]) -> None:
    """Whatever it is, origins in the past do not hear of it."""
    other = np.concatenate([one(1)[:-HELD], later])
    known, changed = common_of(one(1), one(2)), common_of(other, one(2))
    for name in (MEASURED, LOGARITHMS):
        assert (known.before[name].weights == changed.before[name].weights).all()
    assert not np.allclose(known.whole[MEASURED].weights, changed.whole[MEASURED].weights)


@pytest.mark.parametrize("size", [0, 5, PAST + AHEAD + HELD - 1])
def test_of_short_series_nothing_is_learned(size: int) -> None:
    """A series is tried on what is held back; one that is long enough is enough."""
    assert gathered().common() is None
    assert gathered(one(1, size=size)).common() is None
    assert gathered(one(1, size=size), one(2, size=PAST + AHEAD + HELD)).common() is not None


def test_series_with_zeros_speak_as_measured() -> None:
    """Of what has no logarithm, both are the same."""
    common = common_of(np.maximum(one(1) - 20, 0))
    assert (common.whole[MEASURED].weights == common.whole[LOGARITHMS].weights).all()
    positive = common_of(one(1))
    assert (positive.whole[MEASURED].weights != positive.whole[LOGARITHMS].weights).any()


def test_logarithms_are_learned_of_logarithms() -> None:
    """As if they were the series."""
    sums = Sums(past=PAST, ahead=AHEAD, day=DAY)
    sums.add(np.log(one(3)))
    assert np.allclose(common_of(one(3)).whole[LOGARITHMS].weights, sums.pool().weights)


@pytest.mark.parametrize(
    ("less", "serves"),
    [
        ({}, True),
        ({"day": 24}, False),
        ({"ahead": AHEAD + 1}, False),
        ({"ahead": 1}, True),
        ({"first": PAST - 1}, False),
        ({"first": PAST, "count": PAST + HELD}, True),
        ({"first": PAST, "count": PAST + HELD + 1}, False),
    ],
)
def test_it_serves_series_whose_origins_it_has_not_seen(less: dict[str, int], serves: bool) -> None:
    """Of its rhythm, and no farther ahead than it was learned."""
    asked = {"count": SIZE, "first": SIZE - HELD, "ahead": AHEAD, "day": DAY} | less
    assert common_of(one(1)).serves(**asked) is serves


def told(values: Floats, common: Common | None, ahead: int = AHEAD) -> dict[str, float]:
    """Who is heard."""
    found = forecast(History(values=values, step_s=DAY_S // DAY), ahead, common)
    assert np.isfinite(found.point).all()
    assert np.isfinite(found.errors).all()
    return dict(found.weights)


def test_a_forecast_hears_what_is_common() -> None:
    """On both scales, and where it does not serve, as if there were nothing."""
    common = common_of(*(one(seed) for seed in range(1, 9)))
    heard, alone = told(one(0), common), told(one(0), None)
    assert set(heard) - set(alone) == {"regression", "regression (log)"}
    assert heard["regression"] > 0
    assert told(one(0), common, AHEAD + 1).keys() == alone.keys()
    assert told(one(0), common_of(one(1), held=WEEK)) == alone


@pytest.mark.parametrize("value", [0.0, 5.0, 1.0, -3.0, 1e-300, 1e99])
def test_a_constant_of_a_fleet_stays(value: float) -> None:
    """It has no shape, and takes that of none."""
    common = common_of(*(one(seed) for seed in range(1, 4)))
    constant = np.full(SIZE, value)
    found = forecast(History(values=constant, step_s=DAY_S // DAY), AHEAD, common)
    assert found.point == pytest.approx(constant[:AHEAD])


def test_a_fleet_of_constants_does_no_harm() -> None:
    """Nothing is learned of it."""
    common = common_of(np.full(SIZE, 5.0), np.full(SIZE, 0.0))
    weights = told(one(0), common)
    assert weights["regression"] < 0.2
