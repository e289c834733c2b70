"""From curtain to curtain: what runs beside what, and when it was as it should be."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Coroutine

import pytest

from api.demo.children import ChildError
from api.demo.faults import Fault
from api.demo.play import BAD_WITHIN_S, HEALTHY_WITHIN_S, ONCE_WITHIN_S, Play, _to_the_end
from api.demo.prometheus import VARIABLES
from api.demo.rollout import Ending
from api.demo.scene import Scene
from api.demo.stage import Wishes, first_of
from detector.errors import ConfigError, InputError


async def forever(left: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        left.append("left")


async def after_a_turn(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def failing(words: str) -> None:
    raise ChildError(words)


async def nothing() -> None:
    return


def test_the_leader_decides_when_it_is_over() -> None:
    """What runs beside it is over as well when it returns."""
    left: list[str] = []
    assert asyncio.run(first_of(after_a_turn(7), forever(left), forever(left))) == 7
    assert left == ["left", "left"]


@pytest.mark.parametrize(
    ("beside", "words"),
    [(failing("serinus ended with -9"), "serinus ended with -9"), (nothing(), "ended early")],
    ids=["fails", "ends"],
)
def test_a_part_that_goes_ends_the_play(beside: Coroutine[None, None, None], words: str) -> None:
    """A demo whose gate has died does not go on for minutes."""
    left: list[str] = []
    with pytest.raises(ChildError, match=words):
        asyncio.run(first_of(forever(left), beside))
    assert left == ["left"]


def test_two_that_go_at_once_make_no_noise(capfd: pytest.CaptureFixture[str]) -> None:
    """One is told; the other is no `exception was never retrieved` in people's terminals."""
    with pytest.raises(ChildError):
        asyncio.run(first_of(forever([]), failing("one"), failing("two")))
    gc.collect()
    assert capfd.readouterr().err == ""


def test_an_interruption_ends_all_parts() -> None:
    """Ctrl-C reaches everything."""
    left: list[str] = []

    async def interrupted() -> None:
        task = asyncio.create_task(first_of(forever(left), forever(left)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    assert left == ["left", "left"]


def wishes(fault: str = "errors", *, prometheus: bool = False) -> Wishes:
    return Wishes.of(once=True, fault=fault, prometheus=prometheus, port=None)


def test_wishes_are_checked_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error costs no half minute."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="fault 'error' is unknown"):
        wishes("error")
    with pytest.raises(ConfigError, match="no Prometheus here"):
        wishes(prometheus=True)


@pytest.mark.parametrize(
    ("fault", "compiled", "told"),
    [
        (Fault.LOGS, True, []),
        (Fault.NONE, False, ["this rollout goes without"]),
        (Fault.LOGS, False, ["waiting for it", "this rollout goes without logs"]),
    ],
    ids=["as in every start but the first", "the good one does not wait", "too long"],
)
def test_a_first_start_waits_for_logs_as_long_as_there_is_time(
    fault: Fault, compiled: bool, told: list[str]
) -> None:
    """Three minutes are three minutes, and a line says what a rollout lacks."""
    scene = Scene(clock=iter([0.0, *[170.0] * 9]).__next__)

    async def run() -> None:
        reading = asyncio.Event()
        if compiled:
            reading.set()
        await Play(wishes("logs"), scene)._until_read(reading, fault)

    asyncio.run(run())
    assert len(scene.lines) == len(told)
    assert all(words in line.text for words, line in zip(told, scene.lines, strict=True))


def test_a_first_start_goes_on_as_soon_as_logs_are_read() -> None:
    """Nobody waits for the end of a time that is not needed."""
    scene = Scene()

    async def run() -> None:
        reading = asyncio.Event()
        asyncio.get_running_loop().call_soon(reading.set)
        await Play(wishes("logs"), scene)._until_read(reading, Fault.LOGS)

    asyncio.run(run())
    assert [line.text for line in scene.lines] == [
        "a first start compiles what reads logs and traces: waiting for it"
    ]


GOOD, BAD = (Fault.NONE, Ending.PROMOTED), (Fault.ERRORS, Ending.ABORTED)


@pytest.mark.parametrize(
    ("shown", "code", "words"),
    [
        ([GOOD, BAD], 0, "as it should be"),
        ([(Fault.NONE, Ending.ABORTED)], 1, "the healthy rollout was aborted"),
        ([(Fault.NONE, Ending.PAUSED)], 1, "the healthy rollout was paused"),
        ([GOOD, (Fault.ERRORS, Ending.PROMOTED)], 1, r"the bad \(errors\) rollout was promoted"),
        ([GOOD, (Fault.LEAK, Ending.PAUSED)], 1, r"the bad \(leak\) rollout was paused"),
    ],
    ids=["both-right", "false-abort", "false-pause", "missed", "undecided"],
)
def test_only_right_endings_are_a_success(
    shown: list[tuple[Fault, Ending]], code: int, words: str
) -> None:
    """CI trusts this exit code: it is 0 only if the good went out and the bad did not."""
    play = Play(wishes(), Scene())
    play.shown += shown
    assert play._sum_up() == code
    [line] = play.scene.lines
    assert re.search(words, line.text)


def test_a_demo_of_no_fault_speaks_of_none() -> None:
    """`--fault none` stops nothing and does not say it did."""
    play = Play(wishes("none"), Scene())
    play.shown.append(GOOD)
    assert play._sum_up() == 0
    assert play.scene.lines[-1].text == "the good went out: as it should be"


@pytest.mark.parametrize(
    ("once", "fault", "shown", "last"),
    [
        pytest.param(True, "errors", [GOOD], False, id="the bad one is still to come"),
        pytest.param(True, "errors", [GOOD, BAD], True, id="both were shown"),
        pytest.param(True, "none", [GOOD], True, id="no fault was wished for"),
        pytest.param(True, "errors", [(Fault.NONE, Ending.PAUSED)], True, id="it went wrong"),
        pytest.param(False, "errors", [GOOD, BAD], False, id="it goes on for ever"),
    ],
)
def test_no_page_is_offered_that_ends_with_the_demo(
    once: bool, fault: str, shown: list[tuple[Fault, Ending]], last: bool
) -> None:
    """An address that is dead when a person reads it looks like a broken gate."""
    play = Play(Wishes.of(once=once, fault=fault, prometheus=False, port=None), Scene())
    play.shown += shown
    assert play.is_last is last


class Slow(Play):
    """One whose processes take long to end, or whose rollouts are never decided."""

    is_decided = True

    async def run(self) -> int:
        """Show nothing."""
        if self.is_decided:
            self.on_end()
        await asyncio.sleep(0.3)
        return 0


@pytest.mark.parametrize(("decided", "code"), [(True, 0), (False, 1)], ids=["decided", "not"])
def test_what_is_decided_stays_so_however_long_the_end_takes(decided: bool, code: int) -> None:
    """On a busy machine to stop twelve processes takes seconds; that makes no good demo bad."""
    play = Slow(wishes(), Scene())
    play.is_decided = decided
    assert asyncio.run(_to_the_end(play, asyncio.Event().wait(), within_s=0.05)) == code  # type: ignore[arg-type]


def test_it_ends_within_three_minutes() -> None:
    """Whatever happens, with what it takes to stop everything; and a rollout has time to end."""
    assert ONCE_WITHIN_S + 5.0 < 180.0
    assert max(HEALTHY_WITHIN_S, BAD_WITHIN_S) < ONCE_WITHIN_S
