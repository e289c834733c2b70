from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import StoreError
from pipelines.follow.file import FollowedFile, RawLine, opened
from pipelines.follow.positions import Position, Positions, Underway
from tests.pipelines.follow.world import World

HERE = Position(path="/a.log", device=1, inode=2, offset=3, mark="m", marked=3)
THERE = Position(path="/b.log", device=1, inode=4, offset=5)


def read(content: bytes, pieces: list[int], offset: int = 0) -> list[RawLine]:
    with tempfile.NamedTemporaryFile() as written:
        written.write(content)
        written.flush()
        descriptor = opened(written.name)
        assert descriptor is not None
        file = FollowedFile(written.name, descriptor, offset)
        lines = [line for most in pieces for line in file.read(most)]
        while file.unread:
            lines += file.read(7)
        last = file.last()
        file.close()
    return [*lines, last] if last is not None else lines


LINES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"?").strip(b"\0")))


@given(LINES, st.lists(st.integers(1, 50), max_size=8))
def test_lines_are_the_same_however_much_is_read_at_once(
    lines: list[bytes], pieces: list[int]
) -> None:
    """A line that lies across two readings is whole, and knows where it lies."""
    content = b"".join(line + b"\n" for line in lines)
    found = read(content, pieces)
    assert [line.text for line in found] == lines
    assert all(content[line.start : line.end] == line.text + b"\n" for line in found)


@given(LINES, st.data())
def test_reading_on_after_any_line_gives_the_others(
    lines: list[bytes], data: st.DataObject
) -> None:
    """A position is where a restart goes on."""
    content = b"".join(line + b"\n" for line in lines)
    every = read(content, [])
    done = data.draw(st.integers(0, len(every)))
    offset = every[done - 1].end if done else 0
    assert read(content, [], offset) == every[done:]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    """Folders, pipes and what is not there."""
    os.mkfifo(tmp_path / "pipe")
    places = (tmp_path, tmp_path / "pipe", tmp_path / "none")
    assert [opened(str(place)) for place in places] == [None] * 3


def test_positions_come_back(tmp_path: Path) -> None:
    """… and nothing is kept where nothing ever was."""
    positions = Positions(tmp_path / "positions.json")
    assert positions.load() is None
    positions.save([HERE, THERE])
    assert positions.load() == (HERE, THERE)


@pytest.mark.parametrize(("taken", "offset"), [(True, 9), (False, 3)])
def test_what_was_under_way_counts_where_it_was_taken(
    tmp_path: Path, taken: bool, offset: int
) -> None:
    """The sink knows whether its lines arrived before the crash."""
    positions = Positions(tmp_path / "positions.json")
    later = Position(path="/a.log", device=1, inode=2, offset=9)
    positions.save([HERE], [Underway(tenant="t", number=7, files=(later,))])
    kept = positions.load(lambda underway: taken and underway.number == 7)
    assert kept is not None
    assert [one.offset for one in kept] == [offset]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "delete it to begin anew"),
        (b'{"version": 9, "files": []}', "of a newer serinus"),
        (b'{"version": 1, "files": [{"path": 7}]}', "delete it to begin anew"),
    ],
)
def test_broken_positions_are_told(tmp_path: Path, content: bytes, words: str) -> None:
    """A damaged file is not taken for none: that would bring lines again, or lose them."""
    (tmp_path / "positions.json").write_bytes(content)
    with pytest.raises(StoreError, match=words):
        Positions(tmp_path / "positions.json").load()


def test_positions_that_cannot_be_kept_are_told(tmp_path: Path) -> None:
    """A folder that is gone is said, not passed over."""
    with pytest.raises(StoreError, match="cannot be kept"):
        Positions(tmp_path / "gone" / "positions.json").save([HERE])


def test_files_beyond_the_bound_are_counted(tmp_path: Path) -> None:
    """A pattern that fits everything does not open everything, and people hear of it."""
    world = World(tmp_path, most=2)
    for name in "abc":
        world.write(f"{name}.log", f"{name}\n")
    assert world.quiet() == ["a", "b"]
    assert world.following.meters.unfollowed > 0


def test_a_file_has_its_turn_once_others_are_silent(tmp_path: Path) -> None:
    """The bound is on what is open at once, not on what is followed."""
    world = World(tmp_path, most=2)
    for name in "abc":
        world.write(f"{name}.log", f"{name}\n")
    world.quiet()
    world.step(400)
    world.step(3)
    assert world.quiet() == ["a", "b", "c"]


def test_files_that_are_silent_are_closed_and_opened_again(tmp_path: Path) -> None:
    """A thousand logs of last week do not hold a thousand files open."""
    world = World(tmp_path)
    world.write("a.log", "one\n")
    world.quiet()
    world.step(400)
    assert world.following.meters.files == 1
    world.step(1)
    assert world.following.meters.files == 0
    world.write("a.log", "two\n")
    assert world.quiet() == ["one", "two"]
