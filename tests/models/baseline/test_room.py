"""Rows in memory that grows: nobody's numbers change, and a row that is cleared knows nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baseline.room import Column, Room, pages

COLUMNS = {
    "at": Column(dtype=np.int64, fill=-1),
    "sum": Column(dtype=np.float32, shape=(3,)),
    "level": Column(dtype=np.float64, fill=np.nan),
}


def room_of(count: int) -> Room:
    """So many rows, each with its number in it."""
    room = Room(COLUMNS)
    room.grow(count)
    room["at"][:] = np.arange(count)
    room["sum"][:] = np.arange(count)[:, None]
    room["level"][:] = np.arange(count)
    return room


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=5))
def test_rows_keep_their_numbers_and_new_ones_know_nothing(counts: list[int]) -> None:
    """A new pod would begin with the usual of another, or change it."""
    room = room_of(counts[0])
    for more in counts[1:]:
        room.grow(more)
    first, size = counts[0], sum(counts)
    assert room.size == len(room["at"]) == len(room["sum"]) == size
    assert room["at"].tolist() == [*range(first), *[-1] * (size - first)]
    assert room["sum"][:, 2].tolist() == [*range(first), *[0] * (size - first)]
    assert np.isnan(room["level"][first:]).all()
    assert room["level"][:first].tolist() == list(range(first))


def test_cleared_rows_know_nothing_but_what_is_to_stay() -> None:
    """Who gets the row of a series that is gone would get its past, too."""
    room = room_of(5)
    room.clear(np.array([1, 3]), but=frozenset({"sum"}))
    assert room["at"].tolist() == [0, -1, 2, -1, 4]
    assert np.isnan(room["level"][[1, 3]]).all()
    assert room["sum"][:, 0].tolist() == [0, 1, 2, 3, 4]


def test_arrays_that_are_given_are_not_copied() -> None:
    """After a restart a gigabyte of state would be in memory twice."""
    own = room_of(4).views()
    room = Room(COLUMNS, own)
    assert room.size == 4
    assert all(np.shares_memory(room[name], array) for name, array in own.items())


def test_a_room_that_was_given_arrays_grows_too() -> None:
    """The first new series after a restart would fail."""
    room = Room(COLUMNS, room_of(4).views())
    room.grow(2)
    assert room["at"].tolist() == [0, 1, 2, 3, -1, -1]


@pytest.mark.parametrize("wrong", [{"at": np.zeros(3)}, {"other": np.zeros(4)}])
def test_arrays_that_do_not_belong_together_are_refused(wrong: dict[str, np.ndarray]) -> None:
    """Rows would be of different series."""
    with pytest.raises(ValueError, match="columns of"):
        Room(COLUMNS, room_of(4).views() | wrong)


def test_large_arrays_are_zeros_in_memory_of_their_own() -> None:
    """What grows by copies would leave holes, which nobody gives back before the process ends."""
    for shape in ((3,), (100_000, 3), (0, 4)):
        made = pages(shape, np.float32)
        assert (made.shape, made.dtype.name, made.flags.writeable) == (shape, "float32", True)
        assert made.flags.c_contiguous
        assert not made.any()
    large, other = pages((100_000,), np.int64), pages((100_000,), np.int64)
    large[:] = 7
    assert not other.any()


def resident() -> int:
    """Bytes of this process that are in use."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_zeros_that_nobody_wrote_take_no_memory_though_they_are_read() -> None:
    """What people say of series would take 8 MB at a million, though they say nothing of most."""
    before = resident()
    room = Room({"shift": Column(dtype=np.float32)})
    for _ in range(20):
        room.grow(1_000_000)
        assert not room["shift"].any()
    assert resident() - before < 40_000_000


def test_what_somebody_said_is_there_after_it_grows() -> None:
    """Zeros are not copied, all else is."""
    room = Room({"shift": Column(dtype=np.float32)})
    room.grow(5_000)
    room["shift"][4_321] = 2.5
    room.grow(500_000)
    assert np.flatnonzero(room["shift"]).tolist() == [4_321]
