"""Series that are gone are forgotten at an hour of the data, and whoever gets their rows is new."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.signals.packs import shipped_packs
from detector.stream.anomaly import Happened, Judged
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.feedback import Feedback, still_meant, told
from detector.stream.introducing import introduced
from detector.stream.operator import step
from detector.stream.scorer import ModelScorer
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import taken
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from detector.stream.tracks import GONE
from models.anomaly.scored import Settings
from tests.detector.stream.streams import (
    MINUTE,
    T0,
    PlainScorer,
    again,
    columns_of,
    following,
    series_of,
    stream_of,
)
from tests.profiles import HEAVY

HOUR = 60 * MINUTE
OWNERS = Owners(shipped_packs())
TWO_HOURS = StreamSettings(alarms_a_week=0.003, forget_s=7200)


def state_of(count: int) -> StreamState:
    """So many series that are forgotten after two hours."""
    return stream_of(series_of(count), settings=TWO_HOURS)


def hours(state: StreamState, count: int, *series: int) -> list[Happened]:
    """A calm sample an hour of these series, for so many hours on."""
    first = state.watermark - T0 + HOUR
    samples = [(one, first + n * HOUR, 0.0) for n in range(count) for one in series]
    return list(step(state, columns_of(samples))[1])


def known(state: StreamState) -> list[int]:
    """Series that are not forgotten."""
    rows: list[int] = np.flatnonzero(state.tracks["heard"] != GONE).tolist()
    return rows


def gone(state: StreamState) -> list[int]:
    """Those that were forgotten and are not told yet."""
    rows: list[int] = np.concatenate([*state.gone, np.zeros(0, np.int32)]).astype(int).tolist()
    return rows


def bits(state: StreamState) -> dict[str, bytes]:
    """A snapshot, to be compared."""
    return {name: array.tobytes() for name, array in taken(state).items()}


def test_who_is_silent_for_as_long_as_is_set_is_forgotten() -> None:
    """Pods of last month would take memory, and places under the limit, for ever."""
    state = state_of(3)
    hours(state, 2, 0)
    assert (known(state), gone(state)) == ([0, 1, 2], [])
    hours(state, 1, 0)
    assert (known(state), gone(state)) == ([0], [1, 2])
    assert (state.absent, state.forgotten) == (2, 2)
    assert state.sizes[state.subject_of(0)] == 1


def test_an_outage_of_all_senders_forgets_nobody() -> None:
    """Monday's first sample would find that Prometheus' long weekend had cost every baseline."""
    state = state_of(3)
    step(state, columns_of([(n, 100 * HOUR, 0.0) for n in range(3)]))
    assert known(state) == [0, 1, 2]


def test_who_comes_back_before_its_row_is_given_away_begins_anew() -> None:
    """Its samples would be of nobody."""
    state = state_of(2)
    hours(state, 3, 0)
    step(state, columns_of([(1, 4 * HOUR, 0.0)]))
    assert known(state) == [0, 1]
    assert isinstance(state.scorer, PlainScorer)
    assert state.scorer.seen.tolist() == [6, 1]
    assert (state.absent, state.sizes) == (0, [2])


def test_a_series_that_takes_part_in_an_anomaly_stays_until_that_is_past() -> None:
    """The anomaly would name a series of another service."""
    state = state_of(3)
    following(state, [9.0], series=1)
    hours(state, 4, 0)
    assert known(state) == [0, 1]
    hours(state, 12, 0)
    assert known(state) == [0]


def test_what_people_gave_feedback_on_stays() -> None:
    """Who explained a weekly job would have to explain it each week."""
    state = state_of(2)
    feedback = Feedback(anomaly="an_1", judged=Judged.REAL, at=0, series=(1,), surprise=(3.0,))
    told(state, feedback)
    hours(state, 5, 0)
    assert known(state) == [0, 1]


def test_feedback_is_of_the_series_that_it_was_given_for() -> None:
    """A click on last month's anomaly would silence a new pod that has its row."""
    old, new = series_of(2), series_of(1, service="cart")
    said = Feedback(
        anomaly="an_1",
        judged=Judged.NORMAL,
        at=0,
        series=(0, 1, 2),
        surprise=(3.0, 4.0, 5.0),
        named=(*old, old[1]),
    )
    now: dict[int, SeriesInfo] = {0: old[0], 1: new[0]}
    meant = still_meant(said, now.get)
    assert (meant.series, meant.surprise, meant.named) == ((0,), (3.0,), (old[0],))
    before = Feedback(anomaly="a", judged=Judged.REAL, at=0, series=(7,), surprise=(1.0,))
    assert still_meant(before, lambda _: None) == before


def test_a_row_that_is_given_away_has_nothing_of_the_series_before() -> None:
    """A new pod of another service would be judged and named as the old one."""
    state = state_of(2)
    hours(state, 3, 0)
    [other] = series_of(1, service="cart")
    introduced(state, [other], OWNERS, [1])
    assert state.subjects[state.subject_of(1)].service == "cart"
    assert (state.absent, state.sizes, state.tracks.size) == (0, [1, 1], 2)
    assert isinstance(state.scorer, PlainScorer)
    assert state.scorer.seen[1] == 0


def test_the_name_of_a_service_without_a_row_is_given_back() -> None:
    """Services that come and go would fill the memory with their names."""
    state = state_of(1)
    for number in range(5):
        hours(state, 1, 0)
        for row, info in enumerate(series_of(2, service=f"job-{number}"), start=1):
            introduced(state, [info], OWNERS, [row])
            step(state, columns_of([(row, state.watermark - T0, 0.0)]))
        hours(state, 3, 0)
    assert len(state.subjects) == 3
    assert {one.service for one in state.numbers} == {"checkout", "job-4"}
    assert all(state.subjects[number] == one for one, number in state.numbers.items())


@pytest.mark.parametrize("ids", [[0], [3], [2, 4], [-1]], ids=["live", "beyond", "gap", "below"])
def test_an_id_that_is_nobodys_to_give_is_an_error(ids: list[int]) -> None:
    """Two series would share a row, and nobody would see it."""
    with pytest.raises(ValueError, match=r"row 0 is of a series|new series with ids"):
        introduced(state_of(2), series_of(len(ids), service="cart"), OWNERS, ids)


STEPS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 90), st.sampled_from([0.0, 0.0, 0.0, 9.0])),
    min_size=1,
    max_size=60,
)


# In the hour in which an excursion ends by silence another series comes back: which was first?
_BACK = [*[(0, 1, 0.0)] * 6, (0, 55, 9.0), (0, 59, 0.0), (0, 60, 0.0), (1, 1, 0.0)]


@given(STEPS, st.lists(st.integers(0, 60), max_size=6), st.integers(0, 60))
@example(_BACK, [], 9)
@settings(parent=HEAVY)
def test_who_is_forgotten_depends_on_the_samples_alone(
    steps: list[tuple[int, int, float]], cuts: list[int], restart: int
) -> None:
    """A replay after a death, which comes in other batches, would give another state."""
    times = list(itertools.accumulate(minutes * MINUTE for _, minutes, _ in steps))
    samples = [(one, at, value) for (one, _, value), at in zip(steps, times, strict=True)]
    whole, whole_told = step(state_of(6), columns_of(samples))
    state, cut_told = state_of(6), list[Happened]()
    for start, stop in itertools.pairwise(sorted({0, *cuts, restart, len(samples)})):
        state, happened = step(state, columns_of(samples[start:stop]))
        cut_told += happened
        state = again(state, taken(state)) if stop == restart else state
    assert cut_told == list(whole_told)
    assert bits(state) == bits(whole)


def pods_of(day: int, count: int) -> list[SeriesInfo]:
    """Series of pods that are there for one day."""
    return [
        SeriesInfo(
            labels=(("__name__", "queue"), ("pod", f"web-{day}-{n}"), ("service", "web")),
            kind=SeriesKind.GAUGE,
        )
        for n in range(count)
    ]


def test_pods_that_are_replaced_daily_take_no_more_after_six_weeks_than_after_two() -> None:
    """The state would grow by a day's pods every day."""
    known = StreamSettings(forget_s=3 * 86_400)
    state = StreamState(tenant="acme", scorer=ModelScorer(Settings()), settings=known)
    free, rows, sizes = list[int](), 0, list[int]()
    for day in range(42):
        ids = [free.pop(0) if free else rows + n for n in range(50)]
        rows = max(rows, *(id + 1 for id in ids))
        introduced(state, pods_of(day, 50), OWNERS, ids)
        at = np.repeat(T0 + (24 * day + np.arange(24)) * HOUR, 50)
        series = np.tile(np.array(ids, np.int32), 24)
        step(state, Columns(series=series, at=at, value=np.full(len(at), 5.0)))
        free = sorted([*free, *gone(state)])
        state.gone.clear()
        sizes.append(sum(array.nbytes for array in taken(state).values()))
    assert max(sizes) == sizes[10]
    assert (state.tracks.size, state.live) == (250, 50)
    assert state.forgotten == 50 * 42 - 200
