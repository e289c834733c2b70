"""Which model is used, over all that two models can show."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.fitted.promotion import MARGIN, TOLERATED, Promotion, Shown, Why, promotion

SHARES = st.floats(0, 1)
FOUND = SHARES | st.just(math.nan)
SHOWN = st.builds(Shown, found=FOUND, false_share=SHARES)
GOOD = Shown(found=0.5, false_share=0.001)


def tried(found: float, false_share: float, before: Shown = GOOD) -> Promotion:
    """The trial of a model against version 3."""
    model = Shown(found=found, false_share=false_share)
    return promotion(model, rows=600, predecessor=3, before=before)


@pytest.mark.parametrize(
    ("found", "false_share", "why"),
    [
        (0.6, 0.001, Why.FINDS_MORE),
        (0.4, 0.001, Why.FINDS_LESS),
        (0.505, 0.0, Why.NO_BETTER),
        (0.9, 0.5, Why.TOO_MANY_FALSE),
        (math.nan, 0.001, Why.FINDS_LESS),
    ],
)
def test_against_a_good_model(found: float, false_share: float, why: Why) -> None:
    """A new model has to earn its place."""
    assert tried(found, false_share).why is why


def test_a_stale_model_is_replaced_by_one_that_finds_a_little_less() -> None:
    """A model that calls a third of all rows odd is of no use, whatever it would find."""
    stale = Shown(found=0.55, false_share=0.3)
    assert tried(0.5, 0.002, stale).why is Why.FEWER_FALSE
    assert tried(0.1, 0.002, stale).why is Why.FINDS_LESS


@given(model=SHOWN, before=SHOWN)
def test_no_model_is_replaced_by_one_that_is_worse_in_both(model: Shown, before: Shown) -> None:
    """Less found and more false is never an improvement."""
    made = promotion(model, rows=100, predecessor=1, before=before)
    worse = not model.found >= before.found and model.false_share >= before.false_share
    if worse and not math.isnan(before.found):
        assert not made.is_promoted


@given(shown=SHOWN)
def test_no_model_replaces_its_equal(shown: Shown) -> None:
    """Each change of model changes what is odd: not without a reason."""
    assert not promotion(shown, rows=100, predecessor=1, before=shown).is_promoted


@given(model=SHOWN, before=SHOWN)
def test_a_calm_model_is_never_replaced_by_one_that_cries(model: Shown, before: Shown) -> None:
    """Nobody is woken by a promotion."""
    made = promotion(model, rows=100, predecessor=1, before=before)
    if made.is_promoted and before.false_share <= TOLERATED:
        assert model.false_share <= TOLERATED


@given(model=SHOWN)
def test_the_first_is_used(model: Shown) -> None:
    """There is nothing better."""
    made = promotion(model, rows=100)
    assert (made.why, made.is_promoted) == (Why.FIRST, True)


@given(model=SHOWN, before=SHOWN)
def test_every_reason_is_told_with_its_numbers(model: Shown, before: Shown) -> None:
    """People see on what it was decided."""
    made = promotion(model, rows=345, predecessor=7, before=before)
    assert "345 rows" in made.text
    assert "version 7" in made.text
    assert made.text.startswith("Not used") is not made.is_promoted


@pytest.mark.parametrize("why", list(Why))
def test_a_reason_without_numbers_is_a_sentence(why: Why) -> None:
    """Also where nothing could be compared."""
    text = Promotion(why=why, rows=10).text
    assert text[0].isupper()
    assert text.endswith(".")


def test_a_sentence_as_people_read_it() -> None:
    """Both numbers of both models."""
    assert tried(0.5 + 2 * MARGIN, 0.001).text == (
        "It finds more of the faults put into the newest rows: found 0.54, false 0.1 %,"
        " against 0.50 and 0.1 % of version 3, on 600 rows."
    )
