"""The picture fits the terminal, and what is no terminal gets lines."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from api.demo.gate import Answer, Needs, Why
from api.demo.scene import Scene
from api.demo.screen import LiveScreen, Picture, PlainScreen, open_screen
from api.demo.shop import Pod, Version
from api.demo.traffic import Second, Tally

TEXT = "Errors on checkout-scbx8tsd-jnhlf: 25 % against 0.12 % (+25 points); tolerated +0.1 points."
PAGE = "http://127.0.0.1:41771/rollouts/01a217a5780c58314c48bfa32af3"
SIZES = pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 30)])


def version(name: str, pods: int) -> Version:
    made = Version(name=name, hash=name)
    made.pods += [Pod(name=f"{name}-{n}", index=n, created=0.0, ready=True) for n in range(pods)]
    return made


def scene(lines: int = 60) -> Scene:
    """In the middle of an abort, after a long story."""
    made = Scene(title="rollout of v3, bad (one-pod)", base="http://127.0.0.1:41771", page=PAGE)
    made.stable, made.canary, made.weight = version("v1", 6), version("v3", 4), 40
    arms = {"v1": Tally(requests=240, seconds=10.0), "v3": Tally(requests=160, errors=16)}
    made.saw(Second(at=0.0, arms=arms))
    made.answer = Answer(
        answer="fail",
        outcome="fail",
        final=True,
        reason=Why("error_rate_up", TEXT),
        needs=Needs(),
    )
    for number in range(lines):
        made.tell(f"line {number}: {TEXT}")
    return made


def drawn(shown: Scene, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(Picture(shown), height=None)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip("\n").split("\n")


@SIZES
def test_the_picture_fits_the_terminal(width: int, height: int) -> None:
    """A row too many, and the terminal scrolls at each drawing."""
    rows = drawn(scene(), width, height)
    assert len(rows) < height
    assert max(map(len, rows)) == width


@SIZES
def test_nothing_that_matters_is_cut_off(width: int, height: int) -> None:
    """Verdict, reason, address and the newest line are whole; the oldest lines go."""
    rows = drawn(scene(), width, height)
    words = " ".join(" ".join(row.strip("│ ").split()) for row in rows)
    assert f"FAIL error_rate_up {TEXT}" in words
    assert f"line 59: {TEXT}" in words
    assert PAGE in words.replace(" ", "") or PAGE in words
    assert "line 0:" not in words
    assert "…" not in words


@SIZES
def test_both_arms_are_shown(width: int, height: int) -> None:
    """What customers see of each version, side by side."""
    stable, canary = (
        next(row for row in drawn(scene(), width, height) if f"│ {arm}" in row).split()
        for arm in ("stable", "canary")
    )
    assert stable[2:] == ["v1", "60", "%", "6/6", "240", "0.00%", "42", "ms", "0", "│"]
    assert canary[2:] == ["v3", "40", "%", "4/4", "160", "10.00%", "0", "ms", "0", "│"]


@settings(max_examples=20)
@given(st.integers(60, 200), st.integers(20, 80), st.integers(0, 100))
def test_the_picture_fits_any_terminal(width: int, height: int, lines: int) -> None:
    """Whatever the window is and however far the story has gone."""
    assert len(drawn(scene(lines), width, height)) < height


def test_before_anything_is_known_there_is_a_picture() -> None:
    """The first second has no versions, no verdict and no address."""
    rows = drawn(Scene(), 80, 24)
    assert any("no verdict yet" in row for row in rows)
    assert "serinus demo · starting" in rows[0]


def test_trouble_takes_the_place_of_the_verdict() -> None:
    """An old verdict beside a silent gate would mislead."""
    shown = scene()
    shown.trouble = "the gate has not answered for 12 s: refused"
    words = " ".join(drawn(shown, 120, 40))
    assert shown.trouble in words
    assert "FAIL" not in words


def test_brackets_in_a_title_are_no_markup() -> None:
    """What people name is shown as they named it."""
    shown = Scene(title="rollout of [red]v3[/red]")
    assert "rollout of [red]v3[/red]" in drawn(shown, 80, 24)[0]


def test_a_pipe_gets_a_line_per_event() -> None:
    """A log has no pictures: time, text, end of line, at once."""
    sink, shown = io.StringIO(), Scene(clock=lambda: 5.0)
    with open_screen(shown, sink) as screen:
        shown.tell("v2 promoted")
        assert sink.getvalue() == "   0.0 s  v2 promoted\n"
    assert isinstance(screen, PlainScreen)


class Terminal(io.StringIO):
    """Says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_picture_and_keeps_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the picture goes, every line of the story stays behind, in order."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    sink, shown = Terminal(), Scene()
    with open_screen(shown, sink) as screen:
        for number in range(50):
            shown.tell(f"line {number}.")
    assert isinstance(screen, LiveScreen)
    places = [sink.getvalue().rindex(f"line {number}.") for number in range(50)]
    assert places == sorted(places)


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor's shell cannot move the cursor."""
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_screen(Scene(), Terminal()), PlainScreen)
