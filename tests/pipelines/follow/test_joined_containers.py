"""Containers' lines put together again: parts, streams between each other, traces in records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level
from pipelines.follow.containers import unwrap
from pipelines.follow.multiline import Joined, Joiner
from pipelines.ingest.records.cleaned import LONGEST
from tests.pipelines.follow.world import World
from tests.profiles import HEAVY

TRACE = ["Traceback (most recent call last):", '  File "a.py", line 1, in f', "KeyError: 7"]
JAVA = ["ERROR [main] shop.Cart - no stock", "a.BException: bad", "\tat a.B.c(B.java:1)",
        "\tat a.B.d(B.java:2)"]  # fmt: skip
DOTNET = ["fail: Shop.Cart[7]", "      no stock", "      System.Exception: bad",
          "         at Shop.Cart.Sum() in /app/cart.cs:line 3"]  # fmt: skip
HEAD = "2024-05-01T10:00:00.{:09d}Z"


def cri(nth: int, stream: str, text: str, tag: str = "F") -> str:
    """A line as containerd and CRI-O write it."""
    return f"{HEAD.format(nth)} {stream} {tag} {text}\n"


def docker(nth: int, stream: str, text: str, tag: str = "F") -> str:
    """A line as Docker's json-file writes it."""
    log = text + ("\n" if tag == "F" else "")
    return json.dumps({"log": log, "stream": stream, "time": HEAD.format(nth)},
                      separators=(",", ":")) + "\n"  # fmt: skip


Way = Callable[..., str]
WAYS = pytest.mark.parametrize("way", [cri, docker], ids=["cri", "docker"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("lines", [TRACE, JAVA, DOTNET], ids=["python", "java", "dotnet"])
@pytest.mark.parametrize("way", [cri, docker, None], ids=["cri", "docker", "plain"])
def test_a_trace_is_one_message_in_every_wrapping(
    world: World, lines: list[str], way: Way | None
) -> None:
    """The same failure is the same fingerprint on a laptop and in a cluster."""
    for nth, line in enumerate([*lines, "INFO next"]):
        world.write("a.log", f"{line}\n" if way is None else way(nth, "stderr", line))
    trace, after = world.quiet()
    assert trace.split("\n")[-1].strip() == lines[-1].strip()
    assert trace.count("\n") >= len(lines) - 2
    assert after == "next"
    assert [line.level for line in world.sink.lines()] == [Level.ERROR, Level.INFO]


def test_a_message_of_dotnets_console_is_its_second_line(world: World) -> None:
    """The first line has the category only: all messages of a class would be one template."""
    world.write("a.log", "info: Shop.Cart[0]\n      order 7 placed\ninfo: Shop.Cart[0]\n")
    world.write("a.log", "      order 8 placed\ncrit: Shop.Cart[9]\n      disk is full\n")
    assert world.quiet() == ["order 7 placed", "order 8 placed", "disk is full"]
    levels = [line.level for line in world.sink.lines()]
    assert levels == [Level.INFO, Level.INFO, Level.FATAL]


@WAYS
def test_two_traces_between_each_other_come_apart(world: World, way: Way) -> None:
    """Output and errors of one container fail at once."""
    for nth, (one, other) in enumerate(zip(TRACE, JAVA, strict=False)):
        world.write("a.log", way(nth, "stderr", one) + way(nth, "stdout", other))
    said = world.quiet()
    assert sorted(text.count("\n") for text in said) == [2, 2]
    assert "\n".join(TRACE) in said


@WAYS
def test_a_line_in_parts_is_whole_and_has_the_time_of_its_end(world: World, way: Way) -> None:
    """Runtimes cut at 16 KB; people's lines do not end there."""
    parts = ["x" * 16_384, "y" * 16_000, " end"]
    for nth, part in enumerate(parts):
        tag = "F" if nth == 2 else "P"
        world.write("a.log", way(nth * 10**6, "stdout", part, tag))
        assert world.step() == []
    (text,) = world.quiet()
    assert text == "".join(parts)
    assert world.sink.lines()[0].at % 1000 == 2


@WAYS
def test_parts_without_end_are_bounded(world: World, way: Way) -> None:
    """A program that never ends its line costs no more than a line, and the next is whole."""
    for nth in range(80):
        world.write("a.log", way(nth, "stdout", "x" * 1_000, "P"))
    world.write("a.log", way(80, "stdout", "end") + way(81, "stdout", "INFO next"))
    long, after = world.quiet()
    assert (len(long), after) == (LONGEST, "next")
    assert world.following.meters.flaws.told() == {"too_long": 1}


@WAYS
def test_a_part_that_is_cut_off_waits_over_a_restart(world: World, way: Way) -> None:
    """What began before an end of ours is whole after it."""
    world.write("a.log", way(1, "stdout", "half ", "P"))
    world.quiet()
    world.restart()
    world.write("a.log", way(2, "stdout", "a line"))
    assert world.quiet() == ["half a line"]


def test_a_file_of_both_kinds_of_lines_is_read(world: World) -> None:
    """A note of the runtime's own between its records is a line, too."""
    world.write("a.log", cri(1, "stdout", "one") + "rotated by hand\n" + cri(2, "stdout", "two"))
    assert sorted(world.quiet()) == ["one", "rotated by hand", "two"]


@pytest.mark.parametrize(
    ("line", "text", "is_whole"),
    [
        (b"2024-05-01T10:00:00Z stdout F", b"", True),
        (b"2024-05-01T10:00:00Z stdout F ", b"", True),
        (b"2024-05-01T10:00:00.1+02:00 stderr F  x", b" x", True),
        (b"2024-05-01T10:00:00Z stdout P:tag x", b"x", False),
        (b'{"log":"x\\n","stream":"stdout","time":"2024-05-01T10:00:00Z"}', b"x", True),
        (b'{"log":"x","stream":"stdout","time":"2024-05-01T10:00:00Z"}', b"x", False),
        (b'{"log":"x\\n\\n","stream":"a","attrs":{"tag":"b"},"time":"2024-05-01T10:00:00Z"}',
         b"x\n", True),
    ],
)  # fmt: skip
def test_lines_of_runtimes_are_unwrapped(line: bytes, text: bytes, is_whole: bool) -> None:
    """Empty lines, tags, and offsets that are not UTC are all written by some runtime."""
    found = unwrap(line)
    assert found is not None
    assert (found.text, found.is_whole) == (text, is_whole)
    assert found.at is not None


def joined(lines: list[str], gaps: dict[int, float] | None = None) -> list[Joined]:
    """Lines one by one; before some of them time passes."""
    joiner, now, done = Joiner(silence_s=1.0), 0.0, []
    for nth, line in enumerate(lines):
        now += (gaps or {}).get(nth, 0.01)
        done += joiner.flush(now=now) + joiner.add(line.encode(), now=now)
    return done + joiner.end()


@pytest.mark.parametrize("lines", [TRACE, JAVA, DOTNET], ids=["python", "java", "dotnet"])
def test_a_trace_that_is_cut_off_goes_out_as_far_as_it_came(lines: list[str]) -> None:
    """A process that is killed in its last words is heard, and no later line is drawn in."""
    for cut in range(1, len(lines)):
        first, *rest = joined([*lines[:cut], "2024-05-01 INFO next"], gaps={cut: 5.0})
        held = b"\n".join([first.text, *(one.text for one in rest[:-1])])
        assert held == "\n".join(lines[:cut]).encode()
        assert rest[-1] == Joined(b"2024-05-01 INFO next", 1)


def test_indented_lines_go_with_nothing_but_what_they_belong_to() -> None:
    """Tables and lists that people log stay lines, also after a line of .NET that is whole."""
    every = joined(
        ["INFO usage:", "      one  1", "      two  2", "info: Shop[0] ready", "      x"]
    )
    assert [one.lines for one in every] == [1] * 5


STREAMS = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.sampled_from("FP"),
              st.text("abc \\é", max_size=6)), max_size=12)  # fmt: skip


@HEAVY
@given(STREAMS)
def test_parts_of_streams_make_their_lines(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str, str]]
) -> None:
    """However output and errors lie between each other, in both wrappings."""
    wanted = []
    for stream in ("stdout", "stderr"):
        text = ""
        for name, tag, part in parts:
            if name == stream:
                text += part
                if tag == "F":
                    wanted.append(text)
                    text = ""
    for way in (cri, docker):
        world = World(tmp_path_factory.mktemp("streams"))
        for nth, (stream, tag, text) in enumerate(parts):
            world.write("a.log", way(nth, stream, text, tag))
        said = sorted(one for one in world.quiet() if one.strip())
        assert said == sorted(one for one in wanted if one.strip())
