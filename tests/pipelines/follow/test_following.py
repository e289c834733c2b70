from __future__ import annotations

import threading
from pathlib import Path

import pytest

from detector.logs.lines import Level, LogLines, Origin
from pipelines.follow.following import Following, Pace
from pipelines.follow.positions import Positions
from pipelines.follow.roll import Group
from pipelines.testing.log_sink import MemoryLogSink
from tests.pipelines.follow.world import SHOP, START, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_lines_of_a_file_come_in_order(world: World) -> None:
    """What an application wrote is heard as it wrote it."""
    world.write("a.log", "one\ntwo\n")
    world.step()
    world.write("a.log", "three\n")
    assert world.quiet() == ["one", "two", "three"]


def test_header_of_a_line_is_read(world: World) -> None:
    """Time and level go into their columns, and the message stands alone."""
    world.write("a.log", "2024-05-01 10:00:01,250 ERROR [main] shop.Cart - no stock\n")
    world.quiet()
    (line,) = world.sink.lines()
    assert (line.at, line.level, line.message) == (1714557601250, Level.ERROR, b"no stock")
    assert line.origin == SHOP


def test_a_file_that_appears_later_is_followed(world: World) -> None:
    """A service that starts tomorrow needs no restart of ours."""
    world.step()
    world.write("late.log", "here\n")
    assert world.quiet() == ["here"]


def test_half_a_line_waits_for_its_end(world: World) -> None:
    """A line that is written in two pieces is one line."""
    world.write("a.log", "half a ")
    assert world.quiet() == []
    world.write("a.log", "line\n")
    assert world.quiet() == ["half a line"]


def test_packed_files_are_left_alone(tmp_path: Path) -> None:
    """What logrotate packed was read before, and is no text."""
    world = World(tmp_path, "*")
    world.write("a.log.1.gz", b"\x1f\x8b\x08\n\n")
    assert world.quiet() == []


def test_old_files_are_read_from_their_end_on(tmp_path: Path) -> None:
    """A first start does not tell of a month of old lines as if they came now."""
    world = World(tmp_path, from_start=False)
    world.write("a.log", "old\n")
    world.step()
    world.write("a.log", "new\n")
    world.write("b.log", "new file\n")
    assert world.quiet() == ["new", "new file"]


def test_rename_rotation_loses_and_doubles_nothing(world: World) -> None:
    """The last lines go into the renamed file after the new one is there."""
    world.write("a.log", "one\n")
    world.step()
    with (world.folder / "a.log").open("a") as writer:
        (world.folder / "a.log").rename(world.folder / "a.log.1")
        world.write("a.log", "three\n")
        writer.write("two\n")
    assert world.quiet() == ["one", "two", "three"]


def test_two_rotations_between_two_looks_lose_nothing(world: World) -> None:
    """A busy machine may keep us from looking for longer than a file lives under its name."""
    world.write("a.log", "one\n")
    world.step()
    (world.folder / "a.log").rename(world.folder / "a.log.2")
    world.write("a.log", "two\n")
    (world.folder / "a.log").rename(world.folder / "a.log.1")
    world.write("a.log", "three\n")
    assert sorted(world.quiet()) == ["one", "three", "two"]


def test_truncation_begins_the_file_anew(world: World) -> None:
    """A log that is emptied in place goes on being heard."""
    world.write("a.log", "one is a long line\n")
    world.step()
    (world.folder / "a.log").write_text("two\n")
    assert world.quiet() == ["one is a long line", "two"]


def test_file_written_anew_to_more_than_before_is_seen_by_its_beginning(world: World) -> None:
    """Its size alone would not tell that it was truncated."""
    world.write("a.log", "one\n")
    world.step()
    (world.folder / "a.log").write_text("another, and longer\nand more\n")
    assert world.quiet() == ["one", "another, and longer", "and more"]


def test_lines_between_the_last_look_and_a_copytruncate_are_read_from_the_copy(
    world: World,
) -> None:
    """Copytruncate loses nothing that made it into the copy."""
    first = "".join(f"a line to begin with {n}\n" for n in range(9))
    world.write("a.log", first)
    world.step()
    world.write("a.log", "just before\n")
    (world.folder / "a.log.1").write_bytes((world.folder / "a.log").read_bytes())
    (world.folder / "a.log").write_text("after\n")
    assert world.quiet()[9:] == ["just before", "after"]


def test_a_copy_under_a_followed_name_is_not_read_twice(tmp_path: Path) -> None:
    """A pattern like `*.log*` fits rotated copies as well."""
    world = World(tmp_path, "a.log*")
    world.write("a.log", "".join(f"a line to begin with {n}\n" for n in range(9)))
    world.step()
    (world.folder / "a.log.1").write_bytes((world.folder / "a.log").read_bytes())
    world.step()
    (world.folder / "a.log").write_text("after\n")
    assert len(world.quiet()) == 10


def test_a_restart_goes_on_where_it_was(world: World) -> None:
    """Nothing that was written meanwhile is lost, nothing comes twice."""
    world.write("a.log", "one\n")
    world.quiet()
    world.restart()
    world.write("a.log", "two\n")
    assert world.quiet() == ["one", "two"]


def test_a_process_that_dies_reads_on_after_what_was_taken(world: World) -> None:
    """Positions are kept with every batch, not at the end alone."""
    world.write("a.log", "one\ntwo\n")
    world.quiet()
    world.crash()
    world.write("a.log", "three\n")
    assert world.quiet() == ["one", "two", "three"]


class Dying(MemoryLogSink):
    """A sink in a process that dies, before it took the next lines or right after."""

    dies = ""

    def put_read(self, tenant: str, lines: LogLines, *, source: str, read_to: int) -> bool:
        if self.dies == "before":
            raise SystemExit
        taken = super().put_read(tenant, lines, source=source, read_to=read_to)
        if self.dies == "after":
            raise SystemExit
        return taken


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_process_that_dies_as_lines_are_given_doubles_none(tmp_path: Path, dies: str) -> None:
    """Whether they were taken is asked of the sink, which knows."""
    sink = Dying()
    world = World(tmp_path, sink=sink)
    world.write("a.log", "one\n")
    world.quiet()
    world.write("a.log", "two\n")
    sink.dies = dies
    with pytest.raises(SystemExit):
        world.quiet()
    sink.dies = ""
    world.crash()
    world.write("a.log", "three\n")
    assert world.quiet() == ["one", "two", "three"]


def test_a_sink_that_keeps_no_positions_will_do(tmp_path: Path) -> None:
    """Then ours are noted once the lines are taken."""
    taken: list[int] = []

    class Plain:
        def put(self, tenant: str, lines: LogLines) -> bool:
            taken.append(len(lines))
            return True

    (tmp_path / "a.log").write_text("one\ntwo\n")
    group = Group(patterns=(f"{tmp_path}/*.log",), origin=SHOP)
    positions = Positions(tmp_path / "positions.json")
    for now in (START, START + 9):
        following = Following(
            (group,),
            Plain(),
            positions,
            pace=Pace(from_start=True),
            clock=iter([now] * 99).__next__,
        )
        while following.step() == 0:
            pass
        following.settle()
    kept = positions.load()
    assert kept is not None
    assert (sum(taken), kept[0].offset) == (1, 4)


def test_two_tenants_of_which_one_has_no_room(tmp_path: Path) -> None:
    """What one took is not given to it again while the other waits."""

    class Choosy(MemoryLogSink):
        refuses = "b"

        def put(self, tenant: str, lines: LogLines) -> bool:
            return tenant != self.refuses and super().put(tenant, lines)

    sink = Choosy()
    clock = [START]
    groups = tuple(
        Group(patterns=(f"{tmp_path}/{name}.log",), origin=SHOP, tenant=name) for name in "ab"
    )
    positions = Positions(tmp_path / "positions.json")

    def follower() -> Following:
        return Following(
            groups, sink, positions, pace=Pace(from_start=True), clock=lambda: clock[0]
        )

    for name in "ab":
        (tmp_path / f"{name}.log").write_text("one\ntwo\n")
    first = follower()
    for _ in range(3):
        first.step()
        clock[0] += 2
    sink.refuses = ""
    second = follower()
    for _ in range(4):
        clock[0] += 2
        second.step()
    assert (sink.messages("a"), sink.messages("b")) == (["one", "two"], ["one", "two"])


def test_a_restart_does_not_tear_a_trace(world: World) -> None:
    """A trace that is half written as we end is whole after we began again."""
    world.write("a.log", 'INFO before\nTraceback (most recent call last):\n  File "a.py", line 1\n')
    world.step()
    world.restart()
    world.write("a.log", "KeyError: 7\n")
    before, trace = world.quiet()
    assert (before, trace.count("\n")) == ("before", 2)


def test_streams_of_a_container_are_told_apart(tmp_path: Path) -> None:
    """Output that comes between the lines of a trace is no part of it; long lines are whole."""
    pod = tmp_path / "pods/shop_cart-6d9f7c8b5d-x2b4z_8f0a/app"
    pod.mkdir(parents=True)
    world = World(pod, "*.log")
    stamp = "2024-05-01T10:00:00.{}Z {} {} {}\n".format
    lines = [
        stamp(100000000, "stderr", "F", "Traceback (most recent call last):"),
        stamp(200000000, "stdout", "F", "INFO all is well"),
        stamp(300000000, "stderr", "F", '  File "a.py", line 1'),
        stamp(400000000, "stdout", "P", "a long "),
        stamp(500000000, "stderr", "F", "KeyError: 7"),
        stamp(600000000, "stdout", "F", "line"),
    ]
    world.write("0.log", "".join(lines))
    world.quiet()
    read = {line.message.decode(): line for line in world.sink.lines()}
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: 7'
    assert set(read) == {"all is well", "a long line", trace}
    assert (read[trace].level, read[trace].at) == (Level.ERROR, 1714557600100)
    assert read[trace].origin == Origin(
        service="shop", namespace="shop", pod="cart-6d9f7c8b5d-x2b4z"
    )


def test_a_restart_between_the_streams_of_a_container_doubles_nothing(tmp_path: Path) -> None:
    """What one stream said is not said again because the other had begun something before."""
    world = World(tmp_path)
    stamp = "2024-05-01T10:00:00.000000000Z {} F {}\n".format
    world.write("a.log", stamp("stderr", "ERROR begun") + stamp("stdout", "one") * 3)
    world.step()
    world.restart()
    world.write("a.log", stamp("stdout", "two"))
    assert sorted(world.quiet()) == ["begun", "one", "one", "one", "two"]


def test_files_of_docker_are_unwrapped(world: World) -> None:
    """Its daemon writes each line as a record."""
    record = '{{"log":"ERROR {}","stream":"stderr","time":"2024-05-01T10:00:00.25Z"}}\n'.format
    world.write("a.log", record("no ") + record("stock\\n"))
    world.quiet()
    (line,) = world.sink.lines()
    assert (line.message, line.level, line.at) == (b"no ERROR stock", Level.ERROR, 1714557600250)


@pytest.mark.parametrize("how", ["renamed", "copied"])
def test_a_rotation_while_we_were_away_loses_nothing(world: World, how: str) -> None:
    """The rest of what was followed is found under the name that the rotation gave it."""
    world.write("a.log", "".join(f"a line to begin with {n}\n" for n in range(9)))
    world.quiet()
    world.restart()
    world.write("a.log", "while away\n")
    if how == "renamed":
        (world.folder / "a.log").rename(world.folder / "a.log.1")
    else:
        (world.folder / "a.log.1").write_bytes((world.folder / "a.log").read_bytes())
        (world.folder / "a.log").write_text("")
    world.write("a.log", "after\n")
    assert sorted(world.quiet()[9:]) == ["after", "while away"]


def test_no_room_holds_the_file_where_it_is(world: World) -> None:
    """While the sink is full nothing is read, and then all of it comes once."""
    world.write("a.log", "one\n")
    world.sink.is_full = True
    world.step()
    world.step()
    world.write("a.log", "two\n")
    assert world.step() == []
    assert world.following.meters.fulls > 0
    world.sink.is_full = False
    assert world.quiet() == ["one", "two"]


def test_what_was_not_taken_is_read_again_after_a_restart(world: World) -> None:
    """A line that found no room is not noted as read."""
    world.write("a.log", "one\n")
    world.sink.is_full = True
    assert world.following.step() > 0
    world.restart()
    world.sink.is_full = False
    assert world.quiet() == ["one"]


def test_a_line_of_ten_megabytes_is_cut(world: World) -> None:
    """One line neither fills the memory nor hides the ones after it."""
    world.write("a.log", b"x" * 10_000_000 + b"\nshort\n")
    long, short = world.quiet()
    assert (len(long), short) == (32 * 1024, "short")
    assert world.following.meters.flaws.told() == {"too_long": 1}


def test_bytes_of_no_text_do_no_harm(world: World) -> None:
    """Binary output, colours and other encodings become text, counted by name."""
    world.write("a.log", b"\x00\x01bin\x02ary\n\x1b[31mred\x1b[0m\ngr\xfc\xdf\n")
    assert world.quiet() == ["binary", "red", "gr\ufffd\ufffd"]
    assert world.following.meters.flaws.told() == {"binary": 1, "terminal": 1, "not_utf8": 1}


def test_a_time_far_ahead_is_not_believed(world: World) -> None:
    """A broken clock of an application does not fill bins of next year."""
    world.write("a.log", "2031-01-01T00:00:00Z INFO hello\n")
    world.quiet()
    (line,) = world.sink.lines()
    assert START * 1000 <= line.at <= START * 1000 + 20_000
    assert world.following.meters.flaws.told() == {"in_the_future": 1}


def test_hole_before_the_next_line_is_no_part_of_it(world: World) -> None:
    """A writer that does not know of the truncation leaves zeros before its next line."""
    world.write("a.log", "one\n")
    world.step()
    (world.folder / "a.log").write_bytes(b"\0" * 300_000 + b"two\n")
    assert world.quiet() == ["one", "two"]


def test_a_pipe_is_no_file(world: World) -> None:
    """Opening a named pipe would wait for its writer for ever."""
    import os

    os.mkfifo(world.folder / "p.log")
    world.write("a.log", "one\n")
    assert world.quiet() == ["one"]


def test_thread_follows_until_it_is_closed(tmp_path: Path) -> None:
    """What the server starts beside itself reads by itself, and ends when it is told."""
    (tmp_path / "a.log").write_text("one\n")
    heard = threading.Event()

    class Hearing:
        def put(self, tenant: str, lines: LogLines) -> bool:
            heard.set()
            return True

    group = Group(patterns=(f"{tmp_path}/*.log",), origin=SHOP)
    positions = Positions(tmp_path / "positions.json")
    following = Following((group,), Hearing(), positions, pace=Pace(from_start=True, silence_s=0.1))
    following.start()
    assert heard.wait(10)
    following.close()
    kept = positions.load()
    assert kept is not None
    assert [one.offset for one in kept] == [4]
