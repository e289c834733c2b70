"""How rare rows are: by the model's word at first, by what was counted since."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.anomaly.multivariate.rarity import BINS, Rarity, bin_of, score_of

ROWS = 2016.0
SCORES = st.floats(0.0, 39.0)


def counted(scores: list[float], weeks: float = 0.0) -> Rarity:
    """After excursions that got as far."""
    made = Rarity(weeks=weeks)
    for score in scores:
        made.rose(-1, bin_of(score))
    return made


def test_without_counts_a_model_is_believed() -> None:
    """One in a thousand of 2,016 rows a week is twice a week, before anything else is known."""
    assert round(-Rarity().surprise(3.0, ROWS), 3) == round(float(np.log10(2.016)), 3)


def test_a_model_that_promised_too_much_is_believed_less() -> None:
    """A hundred times one in ten million within a few weeks is no chance of one in ten million."""
    honest, proud = Rarity(weeks=20.0), counted([7.0] * 100, weeks=20.0)
    assert proud.surprise(7.0, ROWS) < honest.surprise(7.0, ROWS) - 3
    assert proud.surprise(7.0, ROWS) < 0


def test_beyond_what_was_counted_the_tail_goes_on() -> None:
    """The furthest of many excursions is followed by one that is a little further: by chance."""
    scores = np.random.default_rng(1).exponential(1.5, 500).tolist()
    made = counted(scores, weeks=100.0)
    furthest = max(scores)
    assert made.surprise(furthest + 0.2, ROWS) < 3.5
    assert made.surprise(furthest + 6.0, ROWS) > made.surprise(furthest, ROWS) + 0.8


def test_an_excursion_is_counted_once_however_far_it_gets() -> None:
    """An hour of odd rows would make the next hour usual."""
    made = Rarity()
    made.rose(-1, bin_of(2.5))
    made.rose(bin_of(2.5), bin_of(6.0))
    assert made.counts.sum() == 1
    assert made.counts[bin_of(6.0)] == 1


def test_old_counts_are_forgotten_by_and_by() -> None:
    """After a year, what services did in their first month would still be what is usual."""
    made = counted([5.0] * 64)
    for _ in range(100):
        made.watched(1.0, services=2)
    assert made.counts.sum() <= 16
    assert made.weeks <= 32.0


@given(scores=st.lists(SCORES, max_size=40), weeks=st.floats(0, 1e4), one=SCORES, more=SCORES)
def test_what_is_further_out_is_never_less_rare(
    scores: list[float], weeks: float, one: float, more: float
) -> None:
    """A worse hour would alarm less."""
    made = counted(scores, weeks)
    low, high = sorted((one, more))
    assert made.surprise(low, ROWS) <= made.surprise(high, ROWS) + 1e-9


@given(st.lists(SCORES, max_size=40), st.floats(0, 1e4))
def test_what_is_kept_is_the_same_again(scores: list[float], weeks: float) -> None:
    """With every restart alarms would be rarer or not."""
    made = counted(scores, weeks)
    again = Rarity(made.counts, made.weeks)
    assert again.surprise(4.0, ROWS) == made.surprise(4.0, ROWS)


@given(st.floats(1e-300, 1.0))
def test_every_chance_has_a_place(chance: float) -> None:
    """The least of them is beyond what numbers can say."""
    assert 0 <= bin_of(score_of(chance)) < BINS
