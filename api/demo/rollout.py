"""The rollout loop: raises the canary's weight step by step, as far as the gate lets it.

It does what Argo Rollouts does with `deploy/argo/wait-until-pass.yaml`: at each weight it asks
until the answer is `pass`, aborts at the first `fail`, pauses when the deadline brought
neither, and bears a gate that is away for a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from api.demo.gate import Answer, GateError

__all__ = ["PLAN", "Ask", "Cluster", "Ending", "Loop", "Narrator", "Step"]


class Ending(StrEnum):
    """How a rollout ended; `paused` waits for a person, `broken` had no gate to ask."""

    PROMOTED = "promoted"
    ABORTED = "aborted"
    PAUSED = "paused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A weight in per cent and the canary pods that carry it."""

    weight: int
    pods: int
    stage: str = "step"


# Beside six stable pods these give a canary pod the load of a stable one, within 5 %. Under three
# times the load a pod is slower for no fault of its version; the gate would refuse to compare. It
# begins with two pods: one alone took up to 42 s to prove its slow requests safe, two take 20.
PLAN = (
    Step(weight=25, pods=2),
    Step(weight=40, pods=4),
    Step(weight=55, pods=7, stage="final"),
)


class Cluster(Protocol):
    """What carries a rollout out."""

    async def go_to(self, step: Step) -> None:
        """Have the step's pods ready, then send them its share of the traffic."""
        ...

    async def promote(self) -> None:
        """Make the canary the new stable version."""
        ...

    async def abort(self) -> None:
        """Send all traffic back to the stable version and end the canary."""
        ...


class Narrator(Protocol):
    """Who is told what happens."""

    def stepped(self, step: Step) -> None:
        """A weight was reached."""
        ...

    def answered(self, step: Step, answer: Answer) -> None:
        """The gate answered."""
        ...

    def failed(self, step: Step, error: GateError, since_s: float) -> None:
        """The gate has not answered for `since_s` seconds."""
        ...

    def ended(self, ending: Ending, why: str) -> None:
        """The rollout is over."""
        ...


Ask = Callable[[Step], Awaitable[Answer]]


@dataclass(kw_only=True)
class Loop:
    """One rollout. `poll_s` between questions; errors are borne for `bear_s` seconds in a row."""

    cluster: Cluster
    ask: Ask
    narrator: Narrator
    poll_s: float = 1.0
    bear_s: float = 60.0
    clock: Callable[[], float] = time.monotonic

    async def run(self, plan: Sequence[Step] = PLAN) -> Ending:
        """Go through the plan; the cluster is promoted or brought back when it returns."""
        why = "there was no step to take"
        for step in plan:
            await self.cluster.go_to(step)
            self.narrator.stepped(step)
            ending, why = await self._wait_until_pass(step)
            if ending is not None:
                return await self._end(ending, why)
        return await self._end(Ending.PROMOTED, why)

    async def _wait_until_pass(self, step: Step) -> tuple[Ending | None, str]:
        """None once the step passed, else how the rollout ends, and why."""
        heard = self.clock()
        while True:
            try:
                answer = await self.ask(step)
            except GateError as error:
                away = self.clock() - heard
                self.narrator.failed(step, error, away)
                if away > self.bear_s:
                    return Ending.BROKEN, f"the gate has not answered for {away:.0f} s: {error}"
            else:
                heard = self.clock()
                self.narrator.answered(step, answer)
                if answer.answer == "pass":
                    return None, answer.reason.text
                ending = _ending(answer)
                if ending is not None:
                    return ending, answer.reason.text
            await asyncio.sleep(self.poll_s)

    async def _end(self, ending: Ending, why: str) -> Ending:
        if ending is Ending.PROMOTED:
            await self.cluster.promote()
        else:
            await self.cluster.abort()
        self.narrator.ended(ending, why)
        return ending


def _ending(answer: Answer) -> Ending | None:
    """How a rollout ends by an answer that is not `pass`."""
    if answer.answer == "fail":
        return Ending.ABORTED
    return Ending.PAUSED if answer.final else None
