from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.follow.multiline import Joined, Joiner

GOLDEN = Path(__file__).parent / "golden"
LANGUAGES = ("python", "java", "go", "node")
WORDS = st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=60)
ORDINARY = st.builds(
    "2024-05-01 10:00:{:02d},{:03d} {} [main] shop.Cart - {}".format,
    st.integers(0, 59),
    st.integers(0, 999),
    st.sampled_from(["DEBUG", "INFO", "WARN", "ERROR"]),
    WORDS,
).map(str.encode)
# What comes near to being part of a trace.
TEMPTING = st.sampled_from(
    b"""
panic: no stock
Traceback (most recent call last):
\tat shop.Cart.sum(Cart.java:3)
    at sum (/app/cart.js:2:5) {
  code: 7
}
goroutine 7 [running]:
main.sum(0x1)
\t/app/main.go:8 +0x1d
shop.NoPriceException: no price
Caused by: java.lang.Error
   ^
  File "/app/cart.py", line 3, in sum
KeyError: 'cup'
/app/cart.js:7
created by main.run
The above exception was the direct cause of the following exception:
Node.js v20.1.0
  + Exception Group Traceback (most recent call last):
  | x
INFO: fine
ERROR broken""".split(b"\n")
)


def joined(*lines: bytes) -> list[Joined]:
    joiner = Joiner()
    return [*(one for line in lines for one in joiner.add(line, now=0)), *joiner.end()]


def messages(text: str) -> list[list[str]]:
    """The lines of a text as they are joined, blank ones left out."""
    found = joined(*text.encode().splitlines())
    return [one.text.decode().split("\n") for one in found if one.text.strip()]


def golden(name: str) -> list[list[str]]:
    return messages((GOLDEN / f"{name}.log").read_text())


def test_python_traces_are_one_message_each() -> None:
    """Chains, groups, notes of repetition and syntax errors belong to what failed."""
    assert [
        (one[0].partition(" - ")[2] or one[0], one[-1]) for one in golden("python") if len(one) > 1
    ] == [
        ("cannot sum order 17", "KeyError: 'while handling'"),
        (
            "too deep",
            "RecursionError: maximum recursion depth exceeded",
        ),
        ("a group of errors", "    +------------------------------------"),
        ("Traceback (most recent call last):", "ValueError: no price"),
        ('  File "/app/bad.py", line 1', "SyntaxError: '(' was never closed"),
    ]


def test_java_traces_are_one_message_each() -> None:
    """The line that was logged, the exception, its causes and the suppressed ones are one."""
    traces = [one for one in golden("java") if len(one) > 1]
    assert [one[0].split(" - ")[-1] for one in traces] == [
        "cannot sum order 17",
        "with a suppressed one",
        'Exception in thread "main" java.lang.IllegalArgumentException: unknown item cup',
    ]
    assert "Caused by: java.lang.IllegalArgumentException: unknown item cup" in traces[0]
    assert "\tSuppressed: java.lang.IllegalStateException: cannot close" in traces[1]


def test_go_panics_are_one_message_each() -> None:
    """All goroutines that a panic shows belong to it, also behind the line of a web server."""
    traces = [one for one in golden("go") if len(one) > 1]
    assert [one[0][:30] for one in traces] == [
        "2026/11/27 03:33:23 http: pani",
        "panic: first [recovered]",
        "panic: runtime error: invalid ",
    ]
    assert [sum("goroutine " in line[:10] for line in one) for one in traces] == [1, 1, 3]


def test_node_errors_are_one_message_each() -> None:
    """Causes, properties, the place in the source and the version belong to the error."""
    traces = [one for one in golden("node") if len(one) > 1]
    assert [(one[0][:21], one[-1]) for one in traces[2:4]] == [
        ("Error: ENOENT: no suc", "}"),
        ("/app/app.js:2", "Node.js v20.20.2"),
    ]
    assert len(traces) == 9


@pytest.mark.parametrize("name", LANGUAGES)
def test_ordinary_lines_between_real_traces_stand_alone(name: str) -> None:
    """What was going well is not hidden in what failed."""
    alone = [one[0] for one in golden(name) if len(one) == 1]
    assert alone
    assert all(line.endswith(("starting", "goes on", "last ordinary line")) for line in alone)


def test_exception_with_a_message_of_several_lines_is_whole() -> None:
    """Database drivers tell where in the statement it went wrong, in lines of their own."""
    text = (
        "java.sql.SQLException: bad statement\n  select x\n  from\n\tat a.B.c(B.java:1)\nINFO next"
    )
    assert [len(one) for one in messages(text)] == [4, 1]


def test_exception_without_frames_takes_no_line_with_it() -> None:
    """What was only perhaps a trace is let go as it was."""
    assert [len(one) for one in messages("a.B.CException: bad\none\ntwo\n2024-05-01 three")] == [
        1
    ] * 4


def test_frames_go_with_the_line_that_logged_them() -> None:
    """Where the exception stands in the line that was logged, frames follow it at once."""
    text = "2024-05-01 INFO bad: a.B\n\tat a.B.c(B.java:1)\n\t... 3 more\n2024-05-01 INFO ok"
    assert [len(one) for one in messages(text)] == [3, 1]


@pytest.mark.parametrize(
    "frame", ["\tat a.B.c(B.java:1) ~[b.jar!/:1.0]", "   at A.B.C() in /app/b.cs:line 3"]
)
def test_frames_of_other_writers_are_frames(frame: str) -> None:
    """Logback names the archive, .NET the place behind the call."""
    assert len(messages(f"java.lang.Error: bad\n{frame}")) == 1


def test_silence_completes_what_is_held() -> None:
    """The last error of a process is heard though no line follows it."""
    joiner = Joiner(silence_s=1)
    joiner.add(b"ERROR last", now=10)
    assert joiner.flush(now=10.9) == []
    assert joiner.flush(now=11) == [Joined(b"ERROR last", 1)]


def test_a_clock_that_goes_back_holds_nothing_for_ever() -> None:
    """A machine that set its clock back an hour does not lose that hour's lines."""
    joiner = Joiner(silence_s=1)
    joiner.add(b"one", now=5000)
    assert joiner.flush(now=1400) == [Joined(b"one", 1)]


def test_a_trace_without_end_is_bounded() -> None:
    """A program that prints frames for ever costs a line's memory, not the machine's."""
    found = joined(b"java.lang.Error", *([b"\tat a.B.c(B.java:1)" + b" " * 80] * 10_000))
    assert max(len(one.text) for one in found) < 33 * 1024
    assert max(one.lines for one in found) == 2048
    assert sum(one.lines for one in found) == 10_001


@given(st.lists(ORDINARY, max_size=12))
def test_ordinary_lines_are_never_joined(lines: list[bytes]) -> None:
    """Two events that were logged stay two."""
    assert [one.text for one in joined(*lines)] == lines


@given(st.lists(st.one_of(TEMPTING, ORDINARY, WORDS.map(str.encode)), max_size=30))
def test_joined_lines_are_the_lines_in_order(lines: list[bytes]) -> None:
    """Nothing is lost, doubled or moved, whatever comes after whatever."""
    found = joined(*lines)
    assert b"\n".join(one.text for one in found) == b"\n".join(lines)
    assert sum(one.lines for one in found) == len(lines)


@given(st.lists(st.one_of(TEMPTING, ORDINARY), max_size=30), st.integers(0, 29))
def test_a_line_with_a_header_begins_something_new(lines: list[bytes], place: int) -> None:
    """However a trace was cut off, the next event is no part of it."""
    header = b"2024-05-01 10:00:00,000 INFO [main] shop.Cart - all is well"
    found = joined(*lines[:place], header, *lines[place:])
    # Where the source is shown after its place, any line may be source.
    if b"/app/cart.js:7" not in lines:
        assert any(one.text.startswith(header) for one in found)


@given(st.lists(st.tuples(st.sampled_from(LANGUAGES), st.integers(0, 20)), min_size=1, max_size=6))
def test_traces_among_other_lines_stay_whole(picked: list[tuple[str, int]]) -> None:
    """A trace is the same message, whatever failed before and after it."""
    every = {name: [one for one in golden(name) if len(one) > 1] for name in LANGUAGES}
    traces = [every[name][nth % len(every[name])] for name, nth in picked]
    quiet = "2024-05-01 10:00:00,000 INFO ok"
    lines = [line.encode() for trace in traces for line in (quiet, *trace)]
    found = [one.text.decode().split("\n") for one in joined(*lines) if one.lines > 1]
    assert found == traces
