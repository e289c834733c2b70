"""What people read of a burn: how fast, what is left, until when."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.slo.budget import Exhaustion
from detector.slo.burn import PAIRS, Burning
from detector.slo.counts import Flaw
from detector.slo.following import Alert
from detector.slo.standing import standing_of
from detector.slo.words import burn_words, flaw_words, left_words, pace_of, span_words
from tests.detector.slo.test_standing import OBJECTIVE, WEEK, counts

PAGE = Alert(begun=600.0, onset=0.0, level=Burning.PAGE)
OUTAGE = standing_of(OBJECTIVE, counts(lately=0.05), 0.0)


def test_a_page_in_a_sentence() -> None:
    """All that somebody needs who is woken by it."""
    assert burn_words(OUTAGE, PAGE) == (
        "availability burns its error budget 50 times too fast over 1 h (50 over 5 min): 5 % fail"
        " where 0.1 % may. 50.4 % of the budget of 7d is left, gone in 10 h (7 h to 17 h) if it"
        " goes on as lately."
    )


def test_what_is_over_says_how_long_it_lasted() -> None:
    """And what it cost."""
    over = replace(PAGE, ended=3 * 3600.0)
    assert burn_words(OUTAGE, over).startswith(
        "availability burnt its error budget too fast for 3 h; that is over. 50.4 %"
    )


def test_a_ticket_speaks_of_days() -> None:
    """Of the window that saw it."""
    ticket = replace(PAGE, level=Burning.TICKET)
    leak = standing_of(OBJECTIVE, counts(share=0.002), 0.0)
    assert "2 times too fast over 3 days (2 over 6 h): 0.2 % fail" in burn_words(leak, ticket)
    assert "The budget of 7d is gone: 12,096 bad of 6,048 allowed." in burn_words(leak, ticket)


def test_the_pair_that_is_furthest_beyond() -> None:
    """Of those of the alert's level."""
    assert (pace_of(OUTAGE, Burning.PAGE) or OUTAGE.paces[2]).pair is PAIRS[0]
    assert (pace_of(OUTAGE, Burning.TICKET) or OUTAGE.paces[0]).pair is PAIRS[2]
    assert pace_of(standing_of(OBJECTIVE, Flaw.NO_DATA, 0.0), Burning.PAGE) is None


def test_what_is_not_known_is_said() -> None:
    """Never that all is left."""
    unknown = standing_of(OBJECTIVE, Flaw.NO_DATA, 0.0)
    words = "What is left of the budget of 7d is not known: the source has no such counters."
    assert left_words(unknown) == words
    assert burn_words(unknown, PAGE) == f"availability burns its error budget too fast. {words}"


@pytest.mark.parametrize("flaw", list(Flaw))
def test_each_flaw_has_words(flaw: Flaw) -> None:
    """Of its own."""
    assert flaw_words(flaw)
    assert len({flaw_words(one) for one in Flaw}) == len(Flaw)


def test_a_budget_that_lasts() -> None:
    """No date is told."""
    lasts = Exhaustion(low_s=math.inf, middle_s=math.inf, high_s=math.inf)
    calm = replace(standing_of(OBJECTIVE, counts(), 0.0), gone=lasts)
    assert left_words(calm) == (
        "80 % of the budget of 7d is left, enough for as long as it lasts at this rate."
    )
    some = Exhaustion(low_s=86_400.0, middle_s=200_000.0, high_s=math.inf)
    assert "gone in 2 days (24 h to never)" in left_words(replace(calm, gone=some))


@settings(max_examples=25)
@given(st.floats(0.0, 1.0), st.integers(0, WEEK), st.sampled_from([Burning.PAGE, Burning.TICKET]))
def test_there_are_always_words(lately: float, silent: int, level: Burning) -> None:
    """Without numbers that are none."""
    words = burn_words(
        standing_of(OBJECTIVE, counts(lately=lately, silent=silent), 0.0),
        replace(PAGE, level=level),
    )
    assert words.startswith("availability burns")
    assert "nan" not in words
    assert "inf" not in words


@settings(max_examples=25)
@given(st.floats(0.0, 1e7))
def test_a_span_is_never_nothing(seconds: float) -> None:
    """Nor longer than it is by more than its unit."""
    number, unit = span_words(seconds).split(" ")
    worth = {"min": 60.0, "h": 3600.0, "days": 86_400.0}[unit]
    assert int(number) >= 1
    assert abs(int(number) * worth - max(seconds, 60.0)) <= worth / 2 + 1e-6
