"""Attempts over time: which poll belongs to which, and that polling changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import StoreError
from detector.gate.record import Kept
from detector.gate.request import Stage
from detector.gate.verdict import Outcome, Verdict
from detector.ports import AnswerStore
from pipelines.flows.gate import GateSettings
from pipelines.stores.sqlite import open_sqlite
from tests.pipelines.flows.scripted import T0, World, ask, at

FAULT = {T0 + 200.0: 4.0, T0 + 260.0: 4.0, T0 + 330.0: 4.0}


def poll(world: World, second: float, **changes: object) -> Verdict:
    """Ask at a moment after T0."""
    world.clock.at = T0 + second
    return world.gate.judge(ask(**changes))


def broken() -> World:
    """Two canary pods, of which one fails ten requests by T0 + 330."""
    world = World()
    world.shop()
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors=FAULT)
    return world


POLLS = st.lists(st.floats(1, 1000), min_size=0, max_size=12)


@settings(max_examples=40, deadline=None)
@given(POLLS, st.lists(st.booleans(), min_size=13, max_size=13))
def test_polling_never_changes_the_first_fail(polls: list[float], restarts: list[bool]) -> None:
    """More polls, other times and restarts between them: the same boundary, the same words."""
    world = broken()
    for second, restart in zip(sorted(polls), restarts, strict=False):
        poll(world, second)
        if restart:
            world.restart()
    last = poll(world, 1001)
    latch = world.stores.attempts.get(last.attempt).latch
    assert latch is not None
    assert (latch.at, last.reason.text) == (T0 + 330, "10 errors by boundary 22")
    assert last.started_at == at(0)


@settings(max_examples=25, deadline=None)
@given(POLLS, st.floats(1, 1000))
def test_the_answer_at_a_moment_is_the_same_after_any_polls(
    polls: list[float], second: float
) -> None:
    """Who polled when is not in the answer."""
    world, quiet = broken(), broken()
    for moment in sorted(polls):
        if moment < second:
            poll(world, moment)
    one, other = poll(world, second), poll(quiet, second)
    assert (one.outcome, one.reason, one.waiting) == (other.outcome, other.reason, other.waiting)


@pytest.mark.parametrize(
    ("changes", "is_new"),
    [
        ({}, False),
        ({"canary": '{ track = "canary" }'}, False),
        ({"started_at": at(30)}, False),
        ({"stage": Stage.FINAL, "weight": 50, "deadline": at(9000)}, False),
        ({"started_at": at(90)}, True),
        ({"attempt": "2"}, True),
        ({"canary": '{pod="web-bbbbb-fghjk"}'}, True),
        ({"rollout": "other"}, True),
        ({"tenant": "other"}, True),
    ],
    ids=str,
)
def test_which_question_begins_a_new_attempt(changes: dict[str, object], is_new: bool) -> None:
    """Everything else belongs to the one under way."""
    world = broken()
    first = poll(world, 500)
    again = poll(world, 520, **changes)
    assert (again.attempt != first.attempt) is is_new


def test_another_revision_is_another_attempt() -> None:
    """Where the selector stays the same at each release."""
    world = broken()
    first = poll(world, 500, revision="v1")
    assert poll(world, 520).attempt == first.attempt
    assert poll(world, 540, revision="v1").attempt == first.attempt
    assert poll(world, 560, revision="v2").attempt != first.attempt


def test_restarted_pods_never_clear_a_latch() -> None:
    """A crash loop is no new canary."""
    world = World()
    world.shop(until=T0 + 3600)
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 400, errors=FAULT)
    failed = poll(world, 400)
    world.pod("web-bbbbb-zzzzz", "canary", born=T0 + 405, until=T0 + 3600)
    later = [poll(world, second) for second in (500, 900, 3000)]
    assert failed.outcome is Outcome.FAIL
    assert {v.outcome for v in later} == {Outcome.FAIL}
    assert {v.attempt for v in later} == {failed.attempt}


def test_a_new_canary_under_the_same_selector_is_a_new_attempt() -> None:
    """The failed one is gone, nothing was served for a minute, then others serve."""
    world = World()
    world.shop(until=T0 + 400)
    for name in ("web-zzzzz-ccccc", "web-zzzzz-ddddd"):
        world.pod(name, "stable", born=T0 - 7200, until=T0 + 3600)
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 400, errors=FAULT)
    failed = poll(world, 395)
    gone = poll(world, 500)
    world.pod("web-ddddd-zzzzz", "canary", born=T0 + 600, until=T0 + 3600)
    begun = [poll(world, second) for second in (640, 700, 900)]
    assert (failed.outcome, gone.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert gone.attempt == failed.attempt
    assert len({v.attempt for v in begun} | {failed.attempt}) == 2
    assert begun[-1].outcome is Outcome.PASS
    assert begun[-1].started_at == at(600)
    assert world.gate.judge(ask(as_of=at(450))).attempt == failed.attempt


def test_a_canary_nobody_asked_about_for_an_hour_ends() -> None:
    """The next release under the same selector is not judged with the last one's samples."""
    world = World()
    world.shop(until=T0 + 600)
    first = poll(world, 500)
    world.pod("web-zzzzz-ccccc", "stable", born=T0 - 7200, until=T0 + 9999)
    world.pod("web-ddddd-zzzzz", "canary", born=T0 + 7000, until=T0 + 9999)
    second = poll(world, 7300)
    assert second.attempt != first.attempt
    assert second.started_at == at(7000)


@pytest.mark.parametrize("age", [50.0, 3000.0, 5000.0, 20_000.0, 80_000.0])
def test_the_start_is_the_first_sample_of_the_canary(age: float) -> None:
    """However long ago, up to a day; and it never moves."""
    world = World()
    world.pod("stable-0", "stable", born=T0 - 90_000, until=T0 + 900)
    world.pod("canary-0", "canary", born=T0 - age, until=T0 + 900)
    got = [poll(world, second).started_at for second in (1, 400, 800)]
    assert got == [at(-age)] * 3


def test_a_start_that_is_given_is_kept() -> None:
    """And what is sent later, within a minute, does not move it."""
    world = broken()
    got = [poll(world, 400 + n, started_at=at(100 + n)).started_at for n in (0, 20, 50)]
    assert got == [at(100)] * 3


def test_a_weight_is_told_once_each_time_it_changes() -> None:
    """Also over a restart."""
    world = broken()
    last = poll(world, 20)
    for second, weight in ((50, 5), (80, 5), (110, 20), (140, None), (170, 20), (200, 50)):
        last = poll(world, second, weight=weight)
        world.restart()
    stored = world.stores.attempts.get(last.attempt)
    assert [(w.at - T0, w.weight) for w in stored.weights] == [(50, 5), (110, 20), (200, 50)]
    assert last.signals[0].details["weights"] == 3


def test_few_attempts_are_kept_warm() -> None:
    """Those that were dropped go on from the store."""
    world = World(settings=GateSettings(warm_attempts=2))
    world.shop()
    got = [poll(world, second, rollout=f"r{n}") for second in (100, 200, 400) for n in range(5)]
    assert {v.outcome for v in got[-5:]} == {Outcome.PASS}
    assert len({v.attempt for v in got}) == 5


@dataclass(slots=True)
class Disk:
    """A store of answers, whose disk has no room for a while."""

    inner: AnswerStore
    is_full: bool = False

    def keep(self, kept: Kept) -> None:
        """Keep, or fail."""
        if self.is_full:
            raise StoreError(f"the disk is full: {kept.attempt.id}")
        self.inner.keep(kept)


def test_an_answer_that_could_not_be_stored_was_never_given() -> None:
    """After a full disk the next poll would go on from samples that no store has."""
    world, quiet = broken(), broken()
    disk = Disk(world.stores.answers)
    world.stores = replace(world.stores, answers=disk)
    for one in (world, quiet):
        poll(one, 100)
    disk.is_full = True
    for second in (200, 300, 340):
        with pytest.raises(StoreError):
            poll(world, second)
    disk.is_full = False
    later, wanted = poll(world, 400), poll(quiet, 400)
    assert (later.outcome, later.reason) == (wanted.outcome, wanted.reason)
    assert world.gate.records.replay(later.id).reason == later.reason


def test_the_answer_of_the_deadline_is_made_of_the_samples_it_came_with() -> None:
    """They are not stored yet when it is given: without them it would be of nothing."""
    world = World()
    world.shop()
    final = poll(world, 400, deadline=at(390))
    assert (final.outcome, final.final) == (Outcome.PASS, True)
    assert poll(world, 500, deadline=at(390)).reason == final.reason
    assert world.gate.records.replay(final.id).reason == final.reason


def test_kill_9_between_polls_loses_nothing(tmp_path: Path) -> None:
    """The process dies without a word after its third poll; another goes on where it was."""
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.pipelines.flows.test_attempts import broken, on, poll\n"
        "world = on(Path(sys.argv[1]))\n"
        "for second in (60, 300, 400):\n"
        "    verdict = poll(world, second, weight=second / 10)\n"
        "    print(verdict.attempt, verdict.outcome.value, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    assert [outcome for _, outcome in told] == ["inconclusive", "pass", "fail"]
    world = on(tmp_path)
    after = poll(world, 500)
    assert [after.attempt, after.outcome.value] == told[-1]
    assert after.started_at == at(0)
    assert world.gate.records.replay(after.id).reason == after.reason
    assert len(world.stores.attempts.get(after.attempt).weights) == 3


def on(directory: Path, polls: Sequence[float] = ()) -> World:
    """The broken canary on a store in a directory."""
    world = broken()
    world.stores = open_sqlite(directory / "serinus.db")
    for second in polls:
        poll(world, second)
    return world
