"""Following where files come, go, change and fail: what was written is heard once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.follow.file import FollowedFile, mark_of, opened
from pipelines.follow.finding import found, moved, rotated_after
from pipelines.follow.positions import Position, Positions
from pipelines.testing.log_sink import MemoryLogSink
from tests.pipelines.follow.world import World
from tests.profiles import HEAVY


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def apart(tmp_path: Path) -> World:
    """Logs in a folder of their own, that can vanish without our positions."""
    return World(tmp_path, "logs/*.log")


def test_a_file_that_cannot_be_read_is_followed_once_it_can(tmp_path: Path) -> None:
    """Rights that are lost and given back cost no line and no other file."""
    world = World(tmp_path)
    world.write("b.log", "other\n")
    (tmp_path / "a.log").symlink_to(tmp_path / "a.kept")
    assert world.quiet() == ["other"]
    world.write("a.kept", "one\n")
    assert world.quiet() == ["other", "one"]
    (tmp_path / "a.kept").rename(tmp_path / "away")
    world.write("b.log", "more\n")
    world.step()
    (tmp_path / "away").rename(tmp_path / "a.kept")
    world.write("a.kept", "two\n")
    assert sorted(world.quiet()) == ["more", "one", "other", "two"]


def test_a_folder_that_vanishes_and_comes_back_is_followed_anew(apart: World) -> None:
    """A volume is unmounted, a deployment replaces the whole folder."""
    logs = apart.folder / "logs"
    logs.mkdir()
    apart.write("logs/a.log", "one\n")
    apart.quiet()
    shutil.rmtree(logs)
    assert apart.quiet() == ["one"]
    logs.mkdir()
    apart.write("logs/a.log", "two\n")
    assert apart.quiet() == ["one", "two"]
    assert not apart.following.meters.failing


def test_what_a_deleted_file_still_gets_is_heard(world: World) -> None:
    """A process that goes on writing into a file without a name is heard to its last line."""
    world.write("a.log", "one\n")
    world.step()
    with (world.folder / "a.log").open("a") as writer:
        (world.folder / "a.log").unlink()
        world.step()
        writer.write("two\nthree")
    assert world.quiet() == ["one", "two"]
    world.step(31)
    assert world.step(1) == ["one", "two", "three"]
    assert world.following.meters.files == 0


def test_a_link_that_goes_to_another_file_is_a_rotation(tmp_path: Path) -> None:
    """`current` points at today's file: Kubernetes and cronolog rotate so."""
    world = World(tmp_path, "current")
    for day in ("monday", "tuesday"):
        world.write(day, f"{day} one\n")
    (tmp_path / "current").symlink_to("monday")
    world.step()
    world.write("monday", "monday two\n")
    (tmp_path / "next").symlink_to("tuesday")
    (tmp_path / "next").rename(tmp_path / "current")
    world.write("tuesday", "tuesday two\n")
    said = world.quiet()
    assert sorted(said) == ["monday one", "monday two", "tuesday one", "tuesday two"]


def test_two_names_of_one_file_are_one_file(tmp_path: Path) -> None:
    """/var/log/containers holds links to what is in /var/log/pods."""
    world = World(tmp_path)
    world.write("a.log", "one\n")
    (tmp_path / "b.log").symlink_to("a.log")
    os.link(tmp_path / "a.log", tmp_path / "c.log")
    assert world.quiet() == ["one"]
    assert world.following.meters.files == 1


def test_links_in_a_circle_are_no_files(tmp_path: Path) -> None:
    """A mistake in a folder neither stops nor slows what is beside it."""
    world = World(tmp_path, "**/*.log")
    (tmp_path / "a.log").symlink_to("b.log")
    (tmp_path / "b.log").symlink_to("a.log")
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "again").symlink_to(tmp_path / "loop")
    world.write("c.log", "one\n")
    assert world.quiet() == ["one"]


def test_a_new_file_with_the_number_of_an_old_one_is_read_whole(world: World) -> None:
    """Inodes are given again: only what a file begins with tells it from the one before."""
    world.write("a.log", "an old line\n" * 9)
    world.quiet()
    (kept,) = Positions(world.folder / "positions.json").load() or ()
    world.restart()
    (world.folder / "a.log").unlink()
    world.write("a.log", "a new line\n" * 20)
    status = (world.folder / "a.log").stat()
    reused = Position(path=kept.path, device=status.st_dev, inode=status.st_ino,
                      offset=kept.offset, mark=kept.mark, marked=kept.marked)  # fmt: skip
    Positions(world.folder / "positions.json").save([reused])
    assert world.quiet().count("a new line") == 20


@pytest.mark.parametrize("from_start", [True, False])
def test_a_huge_file_at_first_sight_is_read_in_pieces_or_from_its_end(
    tmp_path: Path, *, from_start: bool
) -> None:
    """What lies there takes bounded memory, and none where nobody asked for it."""
    world = World(tmp_path, from_start=from_start)
    world.write("a.log", b"".join(b"%07d %s\n" % (n, b"x" * 120) for n in range(10_000)))
    world.step()
    world.write("a.log", "last\n")
    said = world.quiet()
    assert said[-1] == "last"
    assert len(said) == (10_001 if from_start else 1)
    assert [int(one[:7]) for one in said[:-1]] == list(range(len(said) - 1))
    biggest = max(len(batch.text) for batch in world.sink.batches["default"])
    assert biggest < 2**20


def test_a_half_line_at_the_end_of_an_old_file_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    """What began before we came is not told from its middle on as a line of its own."""
    world = World(tmp_path, from_start=False)
    world.write("a.log", "old\nhalf of ")
    world.step()
    world.write("a.log", "a line\nnew\n")
    assert world.quiet()[-1] == "new"


def test_positions_that_cannot_be_kept_hold_the_lines(world: World) -> None:
    """Without them a crash would double all: it is said, tried again, and nothing is lost."""
    world.write("a.log", "one\n")
    place = world.folder / "positions.new"
    place.mkdir()
    following = world.following
    world.now += 2
    assert following._guarded(following.step) > 0
    assert "cannot be kept" in following.meters.failing
    place.rmdir()
    assert world.quiet() == ["one"]


def test_a_rotation_into_another_folder_is_left_where_it_is(tmp_path: Path) -> None:
    """What goes on under an old name elsewhere is read to its end and no further."""
    world = World(tmp_path)
    world.write("a.log", "one\n")
    world.step()
    (tmp_path / "old").mkdir()
    with (tmp_path / "a.log").open("a") as writer:
        (tmp_path / "a.log").rename(tmp_path / "old" / "a.log")
        writer.write("two\n")
    world.write("a.log", "three\n")
    assert world.quiet() == ["one", "two", "three"]


@pytest.mark.parametrize("ends", ["restart", "crash"])
def test_a_last_line_under_a_rotated_name_survives_two_ends_of_ours(
    world: World, ends: str
) -> None:
    """Held for what might follow it, it is given on by whichever process lives long enough."""
    world.write("a.log", "one\n")
    world.quiet()
    world.write("a.log", "two\n")
    world.step()
    (world.folder / "a.log").rename(world.folder / "a.log.1")
    for _ in range(3):
        getattr(world, ends)()
        world.step()
    assert world.quiet() == ["one", "two"]


def position_of(path: Path, offset: int) -> Position:
    """A file as it is kept."""
    descriptor = opened(str(path))
    assert descriptor is not None
    file = FollowedFile(str(path), descriptor, offset)
    position = file.position(offset)
    file.close()
    return position


def test_who_was_moved_is_found_by_what_it_begins_with(tmp_path: Path) -> None:
    """Not by its name, and never a file that is shorter or begins alike for a few bytes only."""
    path = tmp_path / "a.log"
    path.write_bytes(b"the first line of many, long enough to tell it from any other\n" * 4)
    kept = position_of(path, 200)
    path.rename(tmp_path / "a.log.1")
    (tmp_path / "a.log").write_bytes(b"new\n")
    (tmp_path / "a.log.2").write_bytes(b"the first line of many\n")
    (tmp_path / "a.log.0.gz").write_bytes(b"packed")
    place = moved(kept, str(path))
    assert place is not None
    assert place[0] == str(tmp_path / "a.log.1")
    os.close(place[1])
    (tmp_path / "a.log.1").unlink()
    assert moved(kept, str(path)) is None


def test_rotations_after_a_file_are_told_oldest_first(tmp_path: Path) -> None:
    """Their lines come in the order in which they were written."""
    for age, name in enumerate(("a.log", "a.log.1", "a.log.2", "a.log.3", "b.log.1")):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (1_000 - age, 1_000 - age))
    descriptor = os.open(tmp_path / "a.log.3", os.O_RDONLY)
    later = rotated_after(descriptor, str(tmp_path / "a.log"))
    os.close(descriptor)
    assert [Path(one).name for one in later] == ["a.log.2", "a.log.1"]


def test_patterns_find_each_path_once_and_only_so_many(tmp_path: Path) -> None:
    """Two patterns that overlap follow nothing twice."""
    for name in ("a.log", "b.log", "c.log", "d.log.gz", "e.txt"):
        (tmp_path / name).write_text("x")
    patterns = [f"{tmp_path}/*.log*", f"{tmp_path}/a*", f"{tmp_path}/nothing*"]
    assert [Path(one).name for one in found(patterns, 9)] == ["a.log", "b.log", "c.log"]
    assert len(found(patterns, 2)) == 2


def test_a_mark_needs_all_its_bytes(tmp_path: Path) -> None:
    """A file that is shorter than what was read is another one."""
    (tmp_path / "a").write_bytes(b"1234")
    descriptor = os.open(tmp_path / "a", os.O_RDONLY)
    assert mark_of(descriptor, 4) != mark_of(descriptor, 3) != ""
    assert mark_of(descriptor, 5) == ""
    os.close(descriptor)


DEEDS = st.lists(
    st.sampled_from(["write", "write", "rename", "truncate", "step", "restart", "crash", "delete"]),
    max_size=14,
)


@HEAVY
@given(DEEDS)
def test_whatever_happens_to_a_file_no_line_comes_twice(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[str]
) -> None:
    """What was read before something was deleted or emptied is there too, each line once."""
    world = World(tmp_path_factory.mktemp("deeds"), sink=MemoryLogSink())
    written = 1
    world.write("a.log", "line 0 of all, which was there when we came\n")
    world.step()
    for deed in deeds:
        path = world.folder / "a.log"
        match deed:
            case "write":
                world.write("a.log", f"line {written} of all that are written here\n")
                written += 1
            case "rename" if path.exists():
                # Of a name that nothing had, what comes and goes within two seconds is not seen.
                world.step()
                path.rename(world.folder / f"a.log.{written}-{len(deeds)}")
            case "truncate" | "delete" if path.exists():
                world.step()
                path.write_text("") if deed == "truncate" else path.unlink()
                world.step()
            case "restart":
                world.restart()
            case "crash":
                world.crash()
            case _:
                world.step()
    said = [int(one.split()[1]) for one in world.quiet()]
    assert len(set(said)) == len(said)
    if {"truncate", "delete"} & set(deeds):
        assert set(said) <= set(range(written))
    else:
        assert sorted(said) == list(range(written))
