"""The bench of the stream's past: what it stages, and the gate end to end beside a stream."""

from __future__ import annotations

import pytest

from bench.gate.designs import Design, staged
from bench.gate.kinds import asked_of
from bench.gate.pushed import Forgetful, Heard
from bench.gate.rollout import Fault
from bench.gate.streamed import Past, Task, judged, run
from detector.gate.course import Streamed

pytestmark = pytest.mark.slow

SEED = 5


def test_each_past_is_asked_of_one_rollout() -> None:
    """The same samples, known for six hours, with the stream, and for four weeks."""
    records = run(Task(seed=SEED, design=Design.RECREATE, fault=Fault.ERRORS_TWO))
    assert [record.past for record in records] == list(Past)
    streamed = records[1]
    assert streamed.asked
    assert streamed.used
    assert streamed.found


def test_without_users_nothing_passes_whatever_the_stream_knows() -> None:
    """Two weeks of health are no evidence of a release that nobody uses."""
    task = Task(seed=SEED, design=Design.BLUE_GREEN, silent=True)
    stage = staged(SEED, task.design, None, silent=True)
    assert not judged(task, stage, Past.STREAM).passed


def test_a_rush_is_drawn_on_days_like_that_of_the_start() -> None:
    """The stage is the same each time, and with a rush another one."""
    calm, rush = (staged(SEED, Design.RECREATE, None, rush=r).drift for r in (False, True))
    more = rush.errors - calm.errors
    assert 0.4 <= more.max() <= 0.9
    assert (more > 0).mean() == pytest.approx(5 / 7 * 90 / 1440, rel=0.2)


def test_what_the_stream_told_replays() -> None:
    """It lies on the tape: another day gives the same answer, with no stream beside."""
    stage = staged(SEED, Design.RECREATE, None)
    drawn = stage.world()
    world = Forgetful(drawn.source, drawn.counters, drawn.now, 6 * 3600.0)
    heard = Heard(world)
    verdicts, gate = asked_of(stage, world, heard)
    assert any("of the stream" in note for note in verdicts[-1].notes)
    heard.tallies.ring[:] = 0.0
    for verdict in verdicts:
        again = gate.records.replay(verdict.id)
        assert (again.outcome, again.reason) == (verdict.outcome, verdict.reason)
        assert again.notes == verdict.notes
        assert again.signals == verdict.signals


class Behind:
    """A stream that tells nothing, for a reason."""

    def told(self, tenant: str, plan: object, *, until: float) -> Streamed:
        """Nothing."""
        return Streamed(why={"error_rate": "it is 90 minutes behind"})


def test_a_stream_that_is_behind_answers_as_none_would() -> None:
    """Outcome for outcome, signal for signal; only a note is more."""
    stage = staged(SEED, Design.RECREATE, None)
    told = [asked_of(stage, stage.world(), one)[0] for one in (None, Behind())]
    for alone, beside in zip(*told, strict=True):
        assert (alone.outcome, alone.reason, alone.signals) == (
            beside.outcome,
            beside.reason,
            beside.signals,
        )
    assert any("90 minutes behind" in note for note in told[1][-1].notes)
