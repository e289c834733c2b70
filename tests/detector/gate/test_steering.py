"""Weights from a controller's own gauge: its real steps, and never one that it did not show."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.attempt import Weight
from detector.gate.share import Weights
from detector.gate.steering import read_weights, with_read, without_read, words
from detector.series import Answer, Matcher, MatchOp, Query, Series

NAN = float("nan")
Steps = list[tuple[float, float]]


def scraped(steps: Steps, every: float = 15.0, begin: float = -300.0, end: float = 900.0) -> Series:
    """A gauge with these values from these moments on, as one Prometheus scrapes it."""
    times = np.arange(begin, end, every)
    moments = np.array([at for at, _ in steps])
    values = np.array([value for _, value in steps])
    newest = moments.searchsorted(times, side="right") - 1
    shown = newest >= 0
    return Series(labels={}, times=times[shown], values=values[newest[shown]])


def of(*series: Series) -> Answer:
    return Answer(series=series)


def read(
    answer: Answer, last: float | None = None, since: float = 0.0, until: float = 900.0
) -> Steps:
    return [(w.at, w.weight) for w in read_weights(answer, last, since=since, until=until)]


ROLLOUT: Steps = [(-300.0, 0.0), (62.0, 10.0), (180.0, 20.0), (421.0, 50.0)]


def test_the_steps_of_a_rollout_are_read_at_their_scrapes() -> None:
    """The weight before the start is the first, and each change counts from where it was seen."""
    assert read(of(scraped(ROLLOUT))) == [(0.0, 0.0), (75.0, 10.0), (180.0, 20.0), (435.0, 50.0)]


def test_what_is_read_says_so() -> None:
    """Or a later question could not tell it from a weight that was sent."""
    assert all(w.is_read for w in read_weights(of(scraped(ROLLOUT)), None, since=0, until=900))


def test_the_first_weight_that_is_seen_is_no_step() -> None:
    """A controller that was scraped late tells where it stands, not that it moved there."""
    weights = Weights()
    for at, weight in read(of(scraped(ROLLOUT, begin=100.0))):
        weights.tell(at, weight)
    assert weights.told[0] == (100.0, 10.0)
    assert weights.told_steps(0.0, 15.0) == {13, 29}


@pytest.mark.parametrize("odd", [NAN, -1.0, 100.5, 1e300, float("inf"), -float("inf")])
def test_what_is_no_per_cent_is_no_weight(odd: float) -> None:
    """A counter under the same name, or a broken exporter, steers nothing."""
    broken: Steps = [(-300.0, 10.0), (100.0, odd), (200.0, 10.0), (400.0, odd), (500.0, 20.0)]
    assert read(of(scraped(broken))) == [(0.0, 10.0), (510.0, 20.0)]
    assert read(of(scraped([(-300.0, odd)]))) == []


@pytest.mark.parametrize("edge", [0.0, 100.0])
def test_all_and_nothing_are_weights(edge: float) -> None:
    """A rollback and an A/B test."""
    assert read(of(scraped([(-300.0, 50.0), (100.0, edge)])))[1:] == [(105.0, edge)]


def test_a_gauge_that_went_away_tells_nothing() -> None:
    """Neither at the start, which is long after its last sample, nor when it stops."""
    gone = scraped([(-300.0, 30.0)], end=-200.0)
    assert read(of(gone)) == []
    assert read(of()) == []
    stops = scraped(ROLLOUT, end=100.0)
    assert read(of(stops)) == [(0.0, 0.0), (75.0, 10.0)]


def test_a_gauge_that_comes_back_with_the_same_weight_made_no_step() -> None:
    """The controller was restarted in the middle of a step."""
    before, after = scraped([(-300.0, 10.0)], end=200.0), scraped([(500.0, 10.0)], begin=500.0)
    assert read(of(before, after)) == [(0.0, 10.0)]


def test_replicas_that_show_the_same_are_one() -> None:
    """Two Prometheus scrape at other moments; the step counts once, when both have seen it."""
    both = of(scraped(ROLLOUT), scraped(ROLLOUT, begin=-293.0))
    assert read(both) == [(0.0, 0.0), (75.0, 10.0), (187.0, 20.0), (435.0, 50.0)]


def test_replicas_whose_clocks_differ_never_flap() -> None:
    """One is behind by ten seconds: merged by time, 10 and 20 would take turns."""
    late = scraped([(at + 10.0, weight) for at, weight in ROLLOUT], every=5.0)
    told = read(of(scraped(ROLLOUT, every=5.0), late))
    assert [weight for _, weight in told] == [0.0, 10.0, 20.0, 50.0]


def test_gauges_that_contradict_each_other_tell_nothing() -> None:
    """Two controllers believe that they steer it: none is believed."""
    one, other = scraped([(-300.0, 10.0)]), scraped([(-300.0, 60.0)])
    assert read(of(one, other)) == []
    assert read(of(one, scraped([(-300.0, 10.0), (300.0, 60.0)]))) == [(0.0, 10.0)]


def test_a_series_that_was_left_behind_holds_for_minutes_only() -> None:
    """The pod of the controller was replaced: its last word is no contradiction for ever."""
    old = scraped([(-300.0, 10.0)], end=200.0)
    new = scraped([(200.0, 10.0), (260.0, 20.0)], begin=200.0)
    assert read(of(old, new)) == [(0.0, 10.0), (350.0, 20.0)]


def test_a_faster_clock_shortens_what_is_lately() -> None:
    """A demo of fifteen times the pace waits seconds for a series that is gone."""
    old, new = scraped([(-300.0, 10.0)], end=0.1), scraped([(0.0, 20.0)], every=1.0, begin=0.0)
    told = read_weights(of(old, new), 10.0, since=0.0, until=60.0, time_scale=1 / 15)
    assert [(w.at, w.weight) for w in told] == [(10.0, 20.0)]


CUTS = st.lists(st.floats(0, 900), max_size=8)
GAUGES = st.lists(
    st.tuples(
        st.lists(
            st.tuples(
                st.floats(-300, 900), st.sampled_from([0.0, 10.0, 20.0, 50.0, 100.0, NAN, 101.0])
            ),
            min_size=1,
            max_size=6,
            unique_by=lambda step: step[0],
        ).map(sorted),
        st.sampled_from([5.0, 15.0, 60.0]),
        st.floats(-300, 300),
    ),
    max_size=3,
).map(lambda told: of(*(scraped(steps, every, begin) for steps, every, begin in told)))


@given(GAUGES, CUTS)
def test_how_often_it_is_read_changes_no_step(answer: Answer, cuts: Sequence[float]) -> None:
    """Polling rhythm is not in the answer: read in pieces or at once, the same steps."""
    pieces: Steps = []
    last, since = None, 0.0
    for until in [*sorted(cuts), 900.0]:
        pieces += read(answer, last, since, until)
        last, since = (pieces[-1][1] if pieces else None), until
    assert pieces == read(answer)


@given(GAUGES)
def test_every_step_was_shown_and_is_a_change(answer: Answer) -> None:
    """In order of time, within what was asked, and each a per cent that some series has."""
    told = read(answer)
    shown = {float(v) for s in answer.series for v in s.values if 0 <= v <= 100}
    times = [at for at, _ in told]
    weights = [weight for _, weight in told]
    assert times == sorted(set(times))
    assert all(0.0 <= at <= 900.0 for at in times)
    assert set(weights) <= shown
    assert all(one != other for one, other in itertools.pairwise(weights))


@given(GAUGES)
def test_a_second_scraper_of_the_same_times_changes_nothing(answer: Answer) -> None:
    """The same series under the labels of another replica."""
    assert read(of(*answer.series, *answer.series)) == read(answer)


@given(GAUGES, st.randoms(use_true_random=False))
def test_the_order_of_series_is_not_in_the_answer(answer: Answer, draw: object) -> None:
    """A source may give them in any."""
    mixed = list(answer.series)
    draw.shuffle(mixed)  # type: ignore[attr-defined]
    assert read(of(*mixed)) == read(answer)


# -- the weights of an attempt

SENT = Weight(at=100.0, weight=20.0)
READ = tuple(Weight(at=at, weight=w, is_read=True) for at, w in ((50.0, 10.0), (150.0, 20.0)))


def test_what_was_read_is_kept_once() -> None:
    """Also where the stored samples were lost and all is read again."""
    once = with_read((), READ[:1])
    assert with_read(once, READ) == READ
    assert with_read(READ, READ) == READ


def test_what_was_sent_is_told_from_what_was_read() -> None:
    """A new attempt begins with what was sent: the gauge is read again."""
    assert without_read((READ[0], SENT, READ[1])) == (SENT,)


def test_the_note_names_the_series_the_weight_and_since_when() -> None:
    """So that a person can look it up."""
    match = Matcher("workload", MatchOp.EQUAL, "podinfo")
    said = words(Query("flagger_canary_weight", (match,)), Weight(at=1_790_000_000.0, weight=20.0))
    assert said == (
        "No weight was sent; the controller's own"
        ' flagger_canary_weight{workload="podinfo"} shows 20 % since 14:13:20 UTC.'
    )
