"""What is kept beside a series' model: its part of the alarms, when it came last, whose it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.tracks import FIELDS, GONE, Tracks


def tracks_of(count: int) -> Tracks:
    """So many series of one subject, heard of in hour 1."""
    tracks = Tracks()
    tracks.add(np.zeros(count, np.int32), 1)
    return tracks


def test_before_anything_is_shared_nothing_can_alarm() -> None:
    """The first sample of a stream would be an alarm."""
    assert tracks_of(3).needed(np.arange(3, dtype=np.int32)).tolist() == [np.inf] * 3


@given(st.integers(1, 10**6), st.floats(0.01, 1000))
def test_all_live_series_together_have_the_alarms_that_are_accepted(
    live: int, alarms: float
) -> None:
    """A hundred a week would come where ten were asked for."""
    tracks = tracks_of(1)
    tracks.share(live, alarms)
    assert live * 10.0 ** -float(tracks.needed(0)) == pytest.approx(alarms, rel=1e-4)


def test_with_no_live_series_nothing_can_alarm() -> None:
    """The whole budget would be of a series that is not there."""
    tracks = tracks_of(1)
    tracks.share(5, 1.0)
    tracks.share(0, 1.0)
    assert float(tracks.needed(0)) == np.inf


@given(st.lists(st.floats(-1, 6, width=32), min_size=1, max_size=9), st.integers(1, 1000))
def test_feedback_shifts_its_own_series_alone(shifts: list[float], live: int) -> None:
    """A click on one chart would silence another."""
    tracks = tracks_of(len(shifts))
    tracks["shift"][:] = shifts
    tracks.share(live, 1.0)
    wanted = np.float32(tracks.level) + np.array(shifts, np.float32)
    assert tracks.needed(np.arange(len(shifts), dtype=np.int32)).tolist() == wanted.tolist()


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=4))
def test_rows_stay_as_they_were_however_many_are_added(counts: list[int]) -> None:
    """Making room would give a series to another service."""
    tracks, subjects, hours = Tracks(), [], []
    for number, count in enumerate(counts):
        subjects += [number] * count
        hours += [7 * number] * count
        tracks.add(np.full(count, number, np.int32), 7 * number)
    assert tracks["subject"].tolist() == subjects
    assert tracks["heard"].tolist() == hours
    assert tracks.size == len(subjects)
    assert not any(tracks[name].any() for name in FIELDS if name not in {"subject", "heard"})


def test_a_new_series_needs_what_the_others_need_at_once() -> None:
    """A pod that starts between two counts could not alarm, or at everything."""
    tracks = tracks_of(2)
    tracks.share(100, 1.0)
    tracks.add(np.zeros(1, np.int32), 1)
    assert float(tracks.needed(2)) == pytest.approx(2.0)


@given(st.sets(st.integers(0, 8)), st.sets(st.integers(0, 8)))
def test_series_are_counted_once_and_only_since_the_last_count(
    first: set[int], then: set[int]
) -> None:
    """Series that went away would keep their part of the alarms."""
    tracks = tracks_of(9)
    counts = []
    for hour, seen in ((2, first), (3, then)):
        tracks.counted(np.array([*seen, *seen], np.int32), hour)
        counts.append(tracks.live(hour))
    assert counts == [len(first), len(then)]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.integers(0, 9))
def test_silent_are_those_that_last_came_before_an_hour(hours: list[int], before: int) -> None:
    """Series that live would be forgotten, or those that are gone stay for ever."""
    tracks = tracks_of(len(hours))
    tracks["heard"][:] = hours
    wanted = [row for row, hour in enumerate(hours) if hour < before]
    assert tracks.silent(before).tolist() == wanted
    tracks["heard"][:] = GONE
    assert tracks.silent(before).tolist() == []


@pytest.mark.parametrize("said", ["normal", "real"])
def test_what_people_gave_feedback_on_is_never_silent(said: str) -> None:
    """A nightly job that somebody explained would have to be explained each time."""
    tracks = tracks_of(2)
    tracks[said][1] = 1
    assert tracks.silent(100).tolist() == [0]


def test_a_row_that_begins_anew_has_nothing_of_the_one_before() -> None:
    """A new pod would need as much to alarm as one that people were tired of."""
    tracks = tracks_of(3)
    tracks["shift"][1], tracks["normal"][1], tracks["is_out"][1] = 6.0, 3, True
    tracks.begin(np.array([1], np.int32), np.array([4], np.int32), 9)
    row = {name: tracks[name][1].item() for name in (*FIELDS, "is_out")}
    assert row == {
        "subject": 4, "heard": 9, "shift": 0.0, "normal": 0, "real": 0, "is_out": False
    }  # fmt: skip
