"""One rollout judged from its first poll to its last, and what came of it.

`through_gate` asks the very function that answers HTTP, on raw samples in the embedded source;
`through_frames` asks the engine on bins (see `frames.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.gate.frames import ask, binned, polls, session_of
from bench.gate.oracle import harm_of, power
from bench.gate.peers import minutes_of_frame, peers
from bench.gate.rates import Rates, expected
from bench.gate.rollout import Fault, Rollout, draw
from bench.gate.samples import ORIGIN
from detector.gate.policy import Policy
from detector.gate.verdict import Needs, Outcome, SignalVerdict

__all__ = ["Asked", "Poll", "Record", "Task", "closest", "run"]

_COMPARABLE = math.log(1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One rollout to run."""

    seed: int
    fault: Fault | None
    bake: bool = False
    direct: bool = False
    every_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One answer, `at` seconds from the start; `closest`: largest log evidence over needed."""

    at: float
    outcome: Outcome
    reason: str
    needs: Needs
    fail_at: float | None
    fail_signal: str | None
    closest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All answers of one rollout and the peers' roll-backs in minutes from the start."""

    polls: Sequence[Poll]
    peers: dict[str, float | None]
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of one rollout. Times are seconds from the start, minutes from the fault.

    `minutes`: to the boundary at which the fail is certain; `answered`: to the poll that told it.
    """

    seed: int
    fault: Fault | None
    bake: bool
    nuisance: str
    active: str
    differ: bool
    proportional: bool
    in_scope: bool
    rps: float
    canary_rps: float
    canaries: int
    stables: int
    load: float
    interval: float
    error_rate: float
    length: float
    fault_at: float
    fail_at: float | None
    fail_signal: str | None
    minutes: float | None
    answered: float | None
    outcomes: str
    last_reason: str
    passed_last: bool
    passed_any: bool
    first_pass: float | None
    harm_counts: bool
    passed_above: bool
    needs_ratio: float | None
    oracle: float | None
    closest: float
    peers: dict[str, float | None]
    cpu_s: float

    @property
    def failed(self) -> bool:
        """A fail at any time."""
        return self.fail_at is not None

    @property
    def found(self) -> bool:
        """A fail not before the fault began."""
        return self.minutes is not None

    @property
    def comparable(self) -> bool:
        """A canary pod's load within 1.5 times of a stable pod's at the last step."""
        return abs(math.log(self.load)) <= _COMPARABLE


def run(task: Task) -> Record:
    """Draw, simulate, ask, and record one rollout."""
    rollout = draw(task.seed, task.fault, bake=task.bake)
    rates = expected(rollout)
    through: Callable[[Rollout, Rates, float], Asked]
    if task.direct:
        through = _through_frames
    else:
        from bench.gate.asking import through_gate as through
    return _record(task, rollout, rates, through(rollout, rates, task.every_s))


def _through_frames(rollout: Rollout, rates: Rates, every_s: float) -> Asked:
    frame = binned(rollout, rates)
    begun = time.process_time()
    session = session_of(rollout, frame, Policy())
    answers = []
    for now in polls(rollout, every_s):
        judgement = ask(session, rollout, now)
        first = judgement.first_fail
        answers.append(
            Poll(
                at=now,
                outcome=judgement.outcome,
                reason=judgement.reason.code,
                needs=judgement.needs,
                fail_at=first.at - ORIGIN if first else None,
                fail_signal=first.signal if first else None,
                closest=closest(judgement.signals),
            )
        )
    spent = time.process_time() - begun
    arms = [minutes_of_frame(rollout, arm, frame) for arm in (frame.canary, frame.control)]
    return Asked(polls=answers, peers=peers(rollout, *arms), cpu_s=spent)


def closest(signals: Sequence[SignalVerdict]) -> float:
    """Largest log of evidence over needed among judged signals."""
    shares = [(s.evidence or 0.0) / s.needed for s in signals if s.judged and s.needed]
    return math.log(max([*shares, 1e-40]))


def _record(task: Task, rollout: Rollout, rates: Rates, asked: Asked) -> Record:
    answers = asked.polls
    fail = next((p for p in answers if p.fail_at is not None), None)
    at = fail.fail_at if fail else None
    faulty = rollout.fault is not None
    late = at is not None and faulty and at >= rollout.fault_at
    passes = [p.at for p in answers if p.outcome is Outcome.PASS]
    harm = harm_of(rollout) if faulty else None
    counts = harm is not None and harm.size >= 1.1 * harm.limit
    counts = counts and abs(math.log(rollout.load)) <= _COMPARABLE
    return Record(
        seed=task.seed,
        fault=rollout.fault,
        bake=task.bake,
        nuisance=rollout.nuisance.value,
        active=" ".join(sorted(n.value for n in rollout.active)),
        differ=rollout.differ,
        proportional=rollout.proportional,
        in_scope=rollout.in_scope,
        rps=rollout.rps,
        canary_rps=rollout.canary_rps,
        canaries=rollout.canaries,
        stables=rollout.stables,
        load=rollout.load,
        interval=rollout.interval,
        error_rate=rollout.error_rate,
        length=rollout.length,
        fault_at=rollout.fault_at,
        fail_at=at,
        fail_signal=fail.fail_signal if fail else None,
        minutes=(at - rollout.fault_at) / 60 if late and at is not None else None,
        answered=(fail.at - rollout.fault_at) / 60 if late and fail is not None else None,
        outcomes="".join(p.outcome.value[0] for p in answers),
        last_reason=answers[-1].reason,
        passed_last=answers[-1].outcome is Outcome.PASS,
        passed_any=bool(passes),
        first_pass=passes[0] if passes else None,
        harm_counts=counts,
        passed_above=counts and bool(passes),
        needs_ratio=None if faulty else _needs_ratio(rollout, rates, answers),
        oracle=power(rollout, rates),
        closest=max(p.closest for p in answers),
        peers=asked.peers,
        cpu_s=asked.cpu_s,
    )


def _needs_ratio(rollout: Rollout, rates: Rates, answers: Sequence[Poll]) -> float | None:
    """Requests said to be needed over those it took, asked when half of them had been seen.

    None where no answer was asked (no pass, or traffic never was what a pass waited for); 0 where
    the answer was that no traffic could help, though a pass came.
    """
    first = next((p for p in answers if p.outcome is Outcome.PASS), None)
    if first is None:
        return None
    canary = np.array([p.canary for p in rollout.pods])
    served = np.concatenate(
        [[0.0], np.cumsum(rates.requests[canary].sum(axis=0) * np.diff(rates.times))]
    )
    before = [p for p in answers if p.at < first.at]
    seen = {p.at: float(np.interp(p.at, rates.times, served)) for p in [*before, first]}
    waiting = [p for p in before if p.reason in _WAITING and p.needs.requests != 0]
    half = [p for p in waiting if seen[p.at] >= 0.5 * seen[first.at]]
    if not half or waiting[-1] is not before[-1]:
        return None
    asked = half[0]
    if asked.needs.requests is None:
        return 0.0
    return (seen[asked.at] + asked.needs.requests) / seen[first.at]


_WAITING = ("low_traffic", "needs_pods", "load_not_comparable")
