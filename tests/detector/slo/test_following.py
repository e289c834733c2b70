"""Alerts that are followed are those of the whole course, each told once, whoever stops between."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.series import FloatArray
from detector.slo.alerting import alerts
from detector.slo.burn import Burning, Course
from detector.slo.following import Alert, Following, followed

STEP, DAY, BUDGET = 300.0, 288, 0.001
QUIET = list(Burning).index(Burning.QUIET)


def counted(bad: FloatArray, total: FloatArray) -> Course:
    return Course(bad=bad, total=total, usual=10.0, step_s=STEP, budget=BUDGET)


def calm(bins: int = 4 * DAY) -> tuple[FloatArray, FloatArray]:
    """Ten requests a second, of which a fifth of what may fails."""
    total = np.full(bins, 10 * STEP)
    return 0.2 * BUDGET * total, total


def in_pieces(
    bad: FloatArray, total: FloatArray, *cuts: int
) -> tuple[Following | None, list[Alert]]:
    """What is told where somebody looks at some bins, and only then."""
    state: Following | None = Following(at=0.0)
    told: list[Alert] = []
    for cut in (*cuts, len(total)):
        state, news = followed(state, counted(bad[:cut], total[:cut]), cut * STEP)
        told += news
    return state, told


def spans(level: list[int]) -> list[tuple[float, float | None, int]]:
    """Begin, end and gravest of each alert of a course; times as alerts have them."""
    on = [*(place > QUIET for place in level), None]
    edges = [at for at, (one, other) in enumerate(pairwise([False, *on])) if one != other]
    return [
        ((begin + 1) * STEP, None if end == len(level) else end * STEP, max(level[begin:end]))
        for begin, end in zip(edges[::2], edges[1::2], strict=False)
    ]


def test_an_outage_begins_gets_graver_and_ends() -> None:
    """It is told since when it burns, not since when that was sure."""
    bad, total = calm()
    begin = 3 * DAY
    bad[begin : begin + 24] = 0.05 * total[begin : begin + 24]
    state, told = in_pieces(bad, total, *range(begin - 5, begin + 60))
    assert [one.is_on for one in told] == [True, False]
    assert {one.onset for one in told} == {begin * STEP}
    assert begin * STEP < told[0].begun <= (begin + 6) * STEP
    assert told[-1].level is Burning.PAGE
    assert state is not None
    assert state.alert == told[-1]
    assert told[-1].ended is not None
    assert 24 * STEP <= told[-1].ended - begin * STEP <= 27 * STEP + 6 * 3600


def test_a_ticket_becomes_a_page() -> None:
    """The same alert, told again as it is graver."""
    bad, total = calm(6 * DAY)
    bad[2 * DAY :] = 0.002 * total[2 * DAY :]
    bad[5 * DAY : 5 * DAY + 6] = 0.5 * total[5 * DAY : 5 * DAY + 6]
    _, told = in_pieces(bad, total, *range(4 * DAY, 5 * DAY + 5))
    assert [one.level for one in told] == [Burning.TICKET, Burning.PAGE]
    assert len({one.begun for one in told}) == 1


def test_silence_ends_nothing() -> None:
    """A source that went away in the middle of an outage does not say that it is over."""
    bad, total = calm()
    bad[3 * DAY : 3 * DAY + 12] = 0.1 * total[3 * DAY : 3 * DAY + 12]
    bad[3 * DAY + 12 :] = total[3 * DAY + 12 :] = np.nan
    state, told = in_pieces(bad, total, 3 * DAY + 12, 3 * DAY + 100)
    assert state is not None
    assert state.alert is not None
    assert state.alert.is_on
    assert state.at == (3 * DAY + 12) * STEP
    assert len(told) == 1


def test_what_was_over_before_anybody_followed_is_not_told() -> None:
    """On the first day of serinus nobody hears of yesterday."""
    bad, total = calm()
    bad[2 * DAY : 2 * DAY + 12] = 0.1 * total[2 * DAY : 2 * DAY + 12]
    state, told = followed(None, counted(bad, total), len(total) * STEP)
    assert told == ()
    assert state.alert is not None
    assert not state.alert.is_on


def test_what_lasts_when_somebody_begins_to_follow_is_told() -> None:
    """It burns now."""
    bad, total = calm()
    bad[-12:] = 0.1 * total[-12:]
    _, told = followed(None, counted(bad, total), len(total) * STEP)
    assert [(one.level, one.is_on) for one in told] == [(Burning.PAGE, True)]


def test_what_came_and_went_while_nobody_looked_is_told_as_over() -> None:
    """A restart that took an hour loses no alert."""
    bad, total = calm()
    begin = 3 * DAY
    bad[begin : begin + 6] = 0.3 * total[begin : begin + 6]
    _, told = in_pieces(bad, total, begin)
    assert [one.is_on for one in told] == [False]


@settings(max_examples=25)
@given(
    st.integers(0, 2**31),
    st.floats(0.0, 0.3),
    st.lists(st.integers(1, 4 * DAY - 1), max_size=8, unique=True),
)
def test_alerts_are_those_of_the_whole_course(seed: int, share: float, cuts: list[int]) -> None:
    """However often somebody looks, and whenever it was stopped in between."""
    rng = np.random.default_rng(seed)
    total = rng.poisson(300.0, 4 * DAY).astype(float)
    chance = np.full(len(total), 0.0004)
    for begin in rng.integers(len(total) - 30, size=2):
        chance[begin : begin + 20] = share
    bad = rng.binomial(total.astype(int), chance).astype(float)
    _, told = in_pieces(bad, total, *sorted(cuts))
    last = {one.begun: one for one in told}.values()
    found = [(one.begun, one.ended, list(Burning).index(one.level)) for one in last]
    assert found == spans(alerts(counted(bad, total)).tolist())


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(0.001, 0.3), st.integers(0, 200))
def test_a_burn_begins_before_it_is_told_and_ends_after(seed: int, share: float, gap: int) -> None:
    """Times are in order, also where samples are missing."""
    rng = np.random.default_rng(seed)
    bad, total = calm()
    bad[-150:-100] = share * total[-150:-100]
    hole = int(rng.integers(len(total) - gap + 1))
    bad[hole : hole + gap] = total[hole : hole + gap] = np.nan
    _, told = in_pieces(bad, total, len(total) - 120)
    for one in told:
        assert one.onset < one.begun
        assert one.ended is None or one.ended >= one.begun
