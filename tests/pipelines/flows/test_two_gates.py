"""Two gates on the same stores, as replicas have them: what each says, reads and leaves behind."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from detector.errors import ConflictError
from detector.gate.record import Kept
from detector.gate.verdict import Outcome, Verdict
from detector.ports import AnswerStore, Stores
from pipelines.flows.gate import Gate
from pipelines.testing import FakeSource
from tests.pipelines.flows.scripted import T0, World, ask

SECONDS = tuple(range(60, 900, 60))


def twin(of: World) -> World:
    """A second gate on the stores, source and clock of the first."""
    return World(source=of.source, stores=of.stores, clock=of.clock, factory=of.factory)


def shop(**changes: Any) -> World:  # noqa: ANN401 - fields of a world
    """A shop of which there is one."""
    world = World(**changes)
    world.shop()
    return world


def at(world: World, second: float) -> Verdict:
    """The answer at a moment after T0."""
    world.clock.at = T0 + second
    return world.gate.judge(ask())


def told(verdict: Verdict) -> str:
    """All but where it is stored, to the bit; as text, since no NaN is another."""
    return repr(replace(verdict, id="", attempt=""))


def test_gates_asked_in_turns_say_what_one_says() -> None:
    """A load balancer would change verdicts."""
    alone, one = shop(), shop()
    two = twin(one)
    expected = [told(at(alone, second)) for second in SECONDS]
    found = [told(at((one, two)[n % 2], second)) for n, second in enumerate(SECONDS)]
    assert found == expected


def test_what_the_other_read_is_not_asked_of_the_source_again() -> None:
    """Two replicas would cost the source twice the history, and more with every poll."""
    one = shop()
    two = twin(one)
    for second in SECONDS[:4]:
        at(one, second)
    at(two, SECONDS[3])
    one.source.reads.clear()
    at(two, SECONDS[4])
    assert one.source.reads
    assert all(read.start >= T0 + SECONDS[3] - 600 for read in one.source.reads)


class Racing:
    """An answer store in which another writes first, so often."""

    def __init__(self, answers: AnswerStore, other: World, times: int) -> None:
        self.answers, self.other, self.left = answers, other, times

    def keep(self, kept: Kept) -> None:
        """The other answers the same question just before."""
        if self.left:
            self.left -= 1
            self.other.gate.judge(ask())
        self.answers.keep(kept)


def raced(of: World, times: int) -> tuple[World, Racing]:
    """A gate that loses so many races against the one of the first world."""
    racing = Racing(of.stores.answers, of, times)
    stores: Stores = replace(of.stores, answers=racing)
    return World(source=of.source, stores=stores, clock=of.clock, factory=of.factory), racing


@pytest.mark.parametrize("times", [1, 2, 4])
def test_whoever_loses_a_race_answers_from_what_the_other_wrote(times: int) -> None:
    """An error where there is an answer, or a tape that forks."""
    alone, one = shop(), shop()
    loser, racing = raced(one, times)
    expected = [told(at(alone, second)) for second in SECONDS[:3]]
    found = [told(at(world, s)) for world, s in zip((one, loser, one), SECONDS[:3], strict=True)]
    assert (found, racing.left) == (expected, 0)
    stored = one.stores.attempts.newest(
        one.gate.stores.attempts.get(_id(one)).identity, asked_until=1e12
    )
    assert stored is not None
    chain = one.stores.points.chain(stored.head)
    assert len({chunk.prev for chunk in chain}) == len(chain)


def _id(world: World) -> str:
    return at(world, SECONDS[2]).attempt


def test_whoever_loses_every_race_says_so() -> None:
    """A question would go round for ever."""
    one = shop()
    at(one, SECONDS[0])
    loser, _ = raced(one, 99)
    with pytest.raises(ConflictError, match="meanwhile"):
        at(loser, SECONDS[1])


def test_first_questions_at_once_begin_one_attempt() -> None:
    """Each replica would judge its own half of a rollout."""
    one = shop()
    gates = [one, *[twin(one) for _ in range(3)]]
    one.clock.at = T0 + 300
    answers: list[Verdict] = []
    ready = threading.Barrier(len(gates))

    def question(gate: Gate) -> None:
        ready.wait(10)
        answers.append(gate.judge(ask()))

    threads = [threading.Thread(target=question, args=(world.gate,)) for world in gates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len({answer.attempt for answer in answers}) == 1


def test_a_clock_behind_that_of_the_other_begins_no_endless_race() -> None:
    """A new attempt dated before the newest would never be the newest."""
    one = shop()
    at(one, 300)
    behind = twin(one)
    behind.clock = type(one.clock)(T0 + 297)
    again = behind.gate.judge(replace(ask(), attempt="2"))
    assert behind.gate.judge(replace(ask(), attempt="2")).attempt == again.attempt
    assert one.gate.judge(replace(ask(), attempt="2")).attempt == again.attempt


def test_the_first_step_is_given_once_by_all_together() -> None:
    """Flagger would raise the weight twice with nothing judged."""
    one = World(source=FakeSource())
    two = twin(one)
    one.clock.at = T0
    first = one.gate.first_step(ask())
    one.clock.at = T0 + 30
    assert first.outcome is Outcome.PASS
    assert two.gate.first_step(ask()).outcome is Outcome.INCONCLUSIVE
