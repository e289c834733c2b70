"""What is kept beside a series' model: its part of the alarms, whether it lives, room for more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.stream.tracks import FIELDS, Tracks


def tracks_of(count: int) -> Tracks:
    """So many series of one subject."""
    tracks = Tracks()
    tracks.add(np.zeros(count, np.int32))
    return tracks


def test_before_anything_is_shared_nothing_can_alarm() -> None:
    """The first sample of a stream would be an alarm."""
    assert tracks_of(3).needed[:3].tolist() == [np.inf] * 3


@given(st.integers(1, 10**6), st.floats(0.01, 1000))
def test_all_live_series_together_have_the_alarms_that_are_accepted(
    live: int, alarms: float
) -> None:
    """A hundred a week would come where ten were asked for."""
    tracks = tracks_of(1)
    tracks.share(live, alarms)
    assert live * 10.0 ** -float(tracks.needed[0]) == pytest.approx(alarms, rel=1e-4)


def test_with_no_live_series_nothing_can_alarm() -> None:
    """The whole budget would be of a series that is not there."""
    tracks = tracks_of(1)
    tracks.share(5, 1.0)
    tracks.share(0, 1.0)
    assert float(tracks.needed[0]) == np.inf


@given(st.lists(st.floats(-1, 6, width=32), min_size=1, max_size=9), st.integers(1, 1000))
def test_feedback_shifts_its_own_series_alone(shifts: list[float], live: int) -> None:
    """A click on one chart would silence another."""
    tracks = tracks_of(len(shifts))
    tracks["shift"][:] = shifts
    tracks.share(live, 1.0)
    wanted = np.float32(tracks.level) + np.array(shifts, np.float32)
    assert tracks.needed[: tracks.size].tolist() == wanted.tolist()


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=4))
def test_rows_stay_as_they_were_however_many_are_added(counts: list[int]) -> None:
    """Making room would give a series to another service."""
    tracks, subjects = Tracks(), []
    for number, count in enumerate(counts):
        subjects += [number] * count
        tracks.add(np.full(count, number, np.int32))
    assert tracks["subject"].tolist() == subjects
    assert not any(tracks[name].any() for name in FIELDS if name != "subject")
    assert len(tracks.needed) == len(tracks.is_out) >= tracks.size


def test_a_new_series_needs_what_the_others_need_at_once() -> None:
    """A pod that starts between two counts could not alarm, or at everything."""
    tracks = tracks_of(2)
    tracks.share(100, 1.0)
    tracks.add(np.zeros(1, np.int32))
    assert float(tracks.needed[2]) == pytest.approx(2.0)


@given(st.sets(st.integers(0, 8)), st.sets(st.integers(0, 8)))
def test_series_are_counted_once_and_only_since_the_last_count(
    first: set[int], then: set[int]
) -> None:
    """Series that went away would keep their part of the alarms."""
    tracks = tracks_of(9)
    counts = []
    for seen in (first, then):
        tracks.counted(np.array([*seen, *seen], np.int32))
        counts.append(tracks.tick())
    assert counts == [len(first), len(then)]
