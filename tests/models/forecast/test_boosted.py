"""Trees over a fleet: they see what was before the origin, and say the same of the same."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecast.boosted import Boosted, Examples
from models.forecast.past import Past

DAY, WEEK, AHEAD = 24, 168, 24
HOURS = 6 * WEEK


def values_of(number: int) -> np.ndarray:
    """A day in its own size at its own level, and noise."""
    rng, at = np.random.default_rng(number), np.arange(HOURS + AHEAD)
    day = rng.uniform(1, 3) * np.sin(2 * np.pi * at / DAY)
    return 10 + number + day + rng.normal(0, 0.2, len(at))


def slots(hours: int) -> np.ndarray:
    """From a Monday on."""
    return np.arange(hours) % WEEK


def examples(series: int) -> Examples:
    """Of so many series."""
    made = Examples(ahead=AHEAD, day=DAY)
    for number in range(series):
        made.add(values_of(number)[:HOURS], slots(HOURS))
    return made


@pytest.fixture(scope="module")
def trees() -> Boosted:
    """Fitted on thirty series."""
    fitted = examples(30).fitted()
    assert fitted is not None
    return fitted


def past(values: np.ndarray, scale: float = 1.0, level: float = 0.0) -> Past:
    """At an origin after six weeks."""
    return Past(values=level + scale * values[:HOURS], slots=slots(HOURS + AHEAD), day=DAY)


def test_they_tell_a_series_of_the_kind(trees: Boosted) -> None:
    """One that they have not seen, better than its mean does."""
    values = values_of(77)
    told = trees.told(past(values))
    came = values[HOURS:]
    assert told.shape == (AHEAD,)
    assert np.abs(told - came).mean() < 0.3 * np.abs(values[:HOURS].mean() - came).mean()


def test_level_and_scale_go_through(trees: Boosted) -> None:
    """A series in other units is told in these."""
    values = values_of(78)
    expected = trees.told(past(values))
    assert trees.told(past(values, 4.0)) == pytest.approx(4.0 * expected, rel=1e-6)
    assert trees.told(past(values, 1.0, 64.0)) == pytest.approx(64.0 + expected, rel=1e-6)


def test_the_same_examples_give_the_same_trees(trees: Boosted) -> None:
    """Parts that are put together, too."""
    first, second = examples(30), Examples(ahead=AHEAD, day=DAY)
    second.merge(first)
    again = second.fitted()
    assert again is not None
    assert again.examples == trees.examples
    assert np.array_equal(again.told(past(values_of(5))), trees.told(past(values_of(5))))


def test_few_examples_teach_nothing() -> None:
    """Nor do series that are too short."""
    assert examples(2).fitted() is None
    short = Examples(ahead=AHEAD, day=DAY)
    short.add(values_of(1)[: 2 * WEEK], slots(2 * WEEK))
    assert short.count == 0


def test_examples_are_bounded() -> None:
    """Of a fleet as large as may be, no more than so many are held."""
    made = examples(1)
    for _ in range(650):
        made.add(values_of(1)[:HOURS], slots(HOURS))
    assert made.count < 61_000
