"""From samples to anomalies: one excursion is one anomaly, whoever cuts the batches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.signals.packs import shipped_packs
from detector.stream.anomaly import AnomalyState, Ending, Happened, Happening, Severity, Side
from detector.stream.columns import STALE, Columns
from detector.stream.introducing import introduced
from detector.stream.operator import placed, step
from detector.stream.scorer import ModelScorer
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from models.anomaly.scored import Settings
from tests.detector.stream.streams import (
    MINUTE,
    T0,
    again,
    columns_of,
    following,
    series_of,
    stream_of,
)
from tests.profiles import HEAVY

CALM = [0.0] * 5


def kinds(happened: list[Happened]) -> list[Happening]:
    """What happened, in order."""
    return [one.kind for one in happened]


def test_an_excursion_is_told_with_where_it_began_peaked_and_ended() -> None:
    """Whoever is woken needs to know since when, how far, and whether it is over."""
    happened = following(stream_of(series_of(1)), [0.5, 4.0, 6.0, 3.5, *CALM])
    opened, closed = happened[0].anomaly, happened[-1].anomaly
    assert kinds(happened) == [Happening.OPENED, Happening.GREW, Happening.CLOSED]
    assert (opened.state, opened.end) == (AnomalyState.OPEN, None)
    assert closed.start == T0 + 2 * MINUTE
    assert (closed.end, closed.ending) == (T0 + 4 * MINUTE, Ending.CALM)
    assert (closed.peak.value, closed.peak.peak_at) == (6.0, T0 + 3 * MINUTE)
    assert (closed.peak.low, closed.peak.high, closed.side) == (-1.0, 1.0, Side.ABOVE)


def test_a_value_that_flickers_at_the_threshold_is_one_anomaly() -> None:
    """Twenty alarms of one excursion would be twenty pages of one night."""
    happened = following(stream_of(series_of(1)), [4.0, 0.1, 4.0, 2.5, 0.1, 0.1, 4.0, *CALM])
    assert kinds(happened) == [Happening.OPENED, Happening.CLOSED]
    assert happened[-1].anomaly.end == T0 + 7 * MINUTE


def test_what_leaves_its_range_again_soon_opens_the_same_anomaly() -> None:
    """A budget of alarms counts it once, and the reader sees that it is back."""
    state = stream_of(series_of(1))
    first, back = following(state, [4.0, *CALM]), following(state, [-0.5, 5.0, *CALM])
    assert kinds(back)[0] is Happening.REOPENED
    assert back[-1].anomaly.id == first[0].anomaly.id
    assert back[-1].anomaly.start == first[0].anomaly.start
    assert back[-1].anomaly.members == 1
    later = step(state, columns_of([(0, 60 * 24 * MINUTE, 5.0)]))[1]
    assert later[-1].kind is Happening.OPENED
    assert later[-1].anomaly.id != first[0].anomaly.id


def test_since_when_an_anomaly_lasts_again_is_told() -> None:
    """Whoever looks for what changed before it has to know when it came back."""
    state = stream_of(series_of(1))
    first, back = following(state, [4.0, *CALM]), following(state, [-0.5, 5.0, 7.0, *CALM])
    assert [one.anomaly.again for one in first] == [None, None]
    assert [one.anomaly.again for one in back] == [T0 + 8 * MINUTE] * 3
    third = following(state, [5.0])[0].anomaly
    assert (third.start, third.again) == (T0 + MINUTE, T0 + 15 * MINUTE)


def test_a_series_that_joins_what_lasts_does_not_make_it_come_again() -> None:
    """The first pod calmed down while the second one was odd: it never ended."""
    state = stream_of(series_of(2))
    relay = [(0, MINUTE, 4.0), (1, 2 * MINUTE, 4.0)]
    calm = [(0, n * MINUTE, 0.0) for n in range(3, 8)]
    state, _ = step(state, columns_of(relay + calm + [(1, 7 * MINUTE, 9.0)]))
    _, happened = step(state, columns_of([(0, 8 * MINUTE, 12.0)]))
    assert happened[-1].anomaly.members == 2
    assert happened[-1].anomaly.again is None


PODS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 12), st.sampled_from([0.0, 4.0, -6.0])),
    max_size=60,
)


@given(PODS)
def test_what_came_again_did_so_when_its_event_says_and_after_it_had_ended(
    samples: list[tuple[int, int, float]],
) -> None:
    """Else it would be another incident for no reason, or none for a good one."""
    state = stream_of(series_of(3))
    ended: dict[str, int] = {}
    again: dict[str, int | None] = {}
    rows, at = list[tuple[int, int, float]](), 0
    for series, minutes, value in samples:
        at += (minutes + 1) * MINUTE
        rows.append((series, at, value))
    for one in step(state, columns_of(rows))[1]:
        known = again.get(one.anomaly.id)
        if one.kind is Happening.REOPENED:
            assert one.anomaly.again == one.at > ended[one.anomaly.id]
        else:
            assert one.anomaly.again == known
        again[one.anomaly.id] = one.anomaly.again
        ended[one.anomaly.id] = one.anomaly.end or 0


def test_series_of_one_service_and_metric_gather_in_one_anomaly() -> None:
    """Twelve pods that queue are one thing that happened."""
    state = stream_of([*series_of(4), *series_of(2, service="cart")])
    odd = [(n, MINUTE, 4.0 + n) for n in range(6)]
    calm = [(n, (2 + k) * MINUTE, 0.0) for k in range(5) for n in range(6)]
    _, happened = step(state, columns_of([*odd, *calm]))
    closed = {e.anomaly.subject.service: e.anomaly for e in happened if e.anomaly.ending}
    assert (closed["checkout"].members, closed["checkout"].live) == (4, 4)
    assert [one.series for one in closed["checkout"].contributions] == [3, 2, 1, 0]
    assert (closed["cart"].members, closed["cart"].peak.series) == (2, 5)


def test_most_series_of_a_service_make_it_more_severe() -> None:
    """One of many pods is a pod; most of them are the service."""
    few, many = stream_of(series_of(8)), stream_of(series_of(8))
    one = list(step(few, columns_of([(0, MINUTE, 3.5)]))[1])
    all_ = list(step(many, columns_of([(n, MINUTE, 3.5) for n in range(8)]))[1])
    assert one[-1].anomaly.severity is Severity.MEDIUM
    assert all_[-1].anomaly.severity is Severity.HIGH


def test_a_series_that_stops_reporting_does_not_stay_open_for_ever() -> None:
    """A pod that died while it was odd would be an open anomaly next year."""
    state = stream_of(series_of(2))
    opened = list(step(state, columns_of([(0, MINUTE, 4.0), (1, 2 * MINUTE, 0.0)]))[1])
    _, happened = step(state, columns_of([(1, 70 * MINUTE, 0.0)]))
    assert kinds(opened) == [Happening.OPENED]
    assert [one.anomaly.ending for one in happened] == [Ending.SILENT]
    assert happened[0].at == T0 + 61 * MINUTE


def test_a_stale_marker_ends_the_excursion_of_its_series() -> None:
    """Prometheus says so itself when a target is gone."""
    happened = following(stream_of(series_of(1)), [4.0, float(STALE)])
    assert happened[-1].anomaly.ending is Ending.SILENT


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_neither_opens_nor_closes(odd: float) -> None:
    """A division by zero in somebody's exporter is no news."""
    assert following(stream_of(series_of(1)), [odd] * 5) == []
    assert kinds(following(stream_of(series_of(1)), [4.0, *[odd] * 9])) == [Happening.OPENED]


def test_nothing_alarms_before_series_were_counted() -> None:
    """What an alarm needs follows from how many series share the budget."""
    state = StreamState(tenant="acme", scorer=ModelScorer(Settings()), settings=StreamSettings())
    state = introduced(state, series_of(1), Owners(shipped_packs()))
    assert step(state, columns_of([(0, 0, 1e9), (0, MINUTE, -1e9)]))[1] == ()


def test_more_series_need_more_surprise_each() -> None:
    """The budget is for all of them together: a thousand share what one had alone."""
    settings = StreamSettings(alarms_a_week=1.0)
    few, many = (stream_of(series_of(n), settings=settings) for n in (10, 1000))
    assert float(few.tracks.needed(0)) == pytest.approx(1.0)
    assert float(many.tracks.needed(0)) == pytest.approx(3.0)


def test_a_batch_of_nothing_changes_nothing() -> None:
    """A door may have dropped all that came."""
    state = stream_of(series_of(1))
    before = {name: array.copy() for name, array in taken(state).items()}
    assert step(state, columns_of([]))[1] == ()
    assert same(before, taken(state))


def same(one: object, other: object) -> bool:
    """Whether two snapshots are the same to the bit."""
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert set(one) == set(other)
    return all(one[name].tobytes() == other[name].tobytes() for name in one)


VALUES = st.sampled_from([0.0, 0.4, 2.2, 2.9, 3.5, -4.0, 9.0, float(STALE), float("nan")])
SAMPLES = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 1, 2, 9, 45, 700]), VALUES),
    min_size=1,
    max_size=60,
)


@settings(deadline=None)
@given(SAMPLES, st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=12))
def test_cutting_and_resuming_changes_neither_state_nor_events(
    steps: list[tuple[int, int, float]], cuts: list[tuple[int, bool]]
) -> None:
    """A crash, another sender or another queue must not change what people are told."""
    at, samples = 0, []
    for series, minutes, value in steps:
        at += minutes * MINUTE
        samples.append((series, at, value))
    whole, parts = _stream(), _stream()
    whole, expected = step(whole, columns_of(samples))
    found: list[Happened] = []
    edges = sorted({0, len(samples), *(c for c, _ in cuts if c < len(samples))})
    resumed = {cut for cut, restart in cuts if restart}
    for start, end in itertools.pairwise(edges):
        if start in resumed:
            parts = again(parts, taken(parts))
        parts, more = step(parts, columns_of(samples[start:end]))
        found += more
    assert tuple(found) == expected
    assert same(dict(taken(whole)), dict(taken(parts)))


LATE_TOO = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2, -3, 9, 45, -70, 700]), VALUES),
    min_size=1,
    max_size=60,
)


@settings(deadline=None)
@given(LATE_TOO, st.sets(st.integers(1, 59), max_size=12))
def test_what_happened_is_known_with_the_same_sample_however_the_samples_are_cut(
    steps: list[tuple[int, int, float]], cuts: set[int]
) -> None:
    """Messages that are judged together would be told under other offsets when they come again."""
    times = np.cumsum([minutes for _, minutes, _ in steps]) * MINUTE
    samples = [
        (series, int(at), value) for (series, _, value), at in zip(steps, times, strict=True)
    ]
    _, whole = placed(_stream(), columns_of(samples))
    edges = sorted({0, len(samples), *(cut for cut in cuts if cut < len(samples))})
    parts = _stream()

    for start, end in itertools.pairwise(edges):
        parts, found = placed(parts, columns_of(samples[start:end]))
        assert [one for place, one in whole if start <= place < end] == [one for _, one in found]


def _stream() -> StreamState:
    return stream_of([*series_of(3), *series_of(2, service="cart")])


@HEAVY
@given(st.integers(0, 2**32), st.lists(st.integers(1, 2399), max_size=9))
def test_the_real_models_are_cut_as_freely(seed: int, cuts: list[int]) -> None:
    """The law holds for what runs, not for its stand-in alone."""
    rng = np.random.default_rng(seed)
    value = 10 + rng.normal(size=(300, 8))
    value[200:220, :3] += 30
    series = np.tile(np.arange(8, dtype=np.int32), 300)
    at = np.repeat(T0 + np.arange(300, dtype=np.int64) * MINUTE, 8)
    whole, expected = step(_real(), Columns(series=series, at=at, value=value.ravel()))
    found: list[Happened] = []
    parts = _real()
    for part in np.split(np.arange(2400), sorted(set(cuts))):
        parts, more = step(
            parts, Columns(series=series[part], at=at[part], value=value.ravel()[part])
        )
        found += more
    assert tuple(found) == expected
    assert same(dict(taken(whole)), dict(taken(parts)))


def _real() -> StreamState:
    state = StreamState(tenant="acme", scorer=ModelScorer(Settings()), settings=StreamSettings())
    return introduced(state, series_of(8), Owners(shipped_packs()))
