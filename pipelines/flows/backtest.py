"""Past rollouts asked again: every poll goes through the gate, on a clock that is moved by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detector.backtest.course import Course, PastRollout, Poll, closest
from detector.errors import InputError
from detector.gate.aa import AaResult
from detector.gate.attempt import weights_until
from detector.gate.policy import Policy
from detector.gate.promotion import on_trial
from detector.gate.request import Stage, VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.ports import MetricCatalog, MetricSource
from detector.signals.plan import Plan
from pipelines.flows.backtest_frames import AheadFrames
from pipelines.flows.backtest_tape import HeldSource
from pipelines.flows.gate import Gate, GateSettings
from pipelines.flows.locate import Discover, Locator
from pipelines.flows.turns import Budget
from pipelines.flows.watch import SessionFactory
from pipelines.stores.memory import memory_stores

__all__ = ["Past", "find_start", "play", "play_each"]

# Time limits are by the real clock; a busy machine must not change an answer.
_BOUND_S = 300.0
# Read before the history: where the canary is looked for when no start was told.
_MARGIN_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The world as it is remembered by a source; `aa` is the service's self-check, if any."""

    source: MetricSource
    catalog: MetricCatalog
    discover: Discover
    aa: AaResult | None = None


@dataclass(slots=True)
class _Moved:
    """A clock that is moved by hand; unix seconds."""

    at: float

    def __call__(self) -> float:
        return self.at


def play(
    rollout: PastRollout,
    past: Past,
    *,
    policy: Policy,
    every_s: float,
    as_placebo: bool = False,
) -> Course:
    """Ask the gate each `every_s` seconds from the rollout's start to its end.

    The source is read once per question, up to the end; the gate sees of it what lay before each
    poll. A fail is latched, so nothing is asked after it; but a placebo is asked to its end, with
    evidence of all signals that may yet be promoted.
    """
    held = _held(rollout, past, (policy,))
    return _played(rollout, past, held, policy, every_s, as_placebo)


def play_each(
    rollout: PastRollout,
    past: Past,
    *,
    policies: Sequence[Policy],
    every_s: float,
    as_placebo: bool = False,
) -> tuple[Course, ...]:
    """The same for several policies, from the same samples."""
    held = _held(rollout, past, policies)
    return tuple(_played(rollout, past, held, p, every_s, as_placebo) for p in policies)


def find_start(request: VerdictRequest, past: Past, *, policy: Policy, end: float) -> float | None:
    """The canary's first sample of the run that it was in at `end`; None where there is none.

    `SourceError` where the source does not tell.
    """
    locator = Locator(past.source, past.catalog, past.discover)
    asked = replace(request, as_of=None, policy=policy)
    left_s = Budget(_BOUND_S).left_s
    return locator.locate(asked, policy.time_scale, now=end, not_before=0.0, left_s=left_s).start


def _held(rollout: PastRollout, past: Past, policies: Sequence[Policy]) -> HeldSource:
    before = max((p.history_s + _MARGIN_S) * p.time_scale for p in policies)
    return HeldSource(past.source, rollout.start - before, rollout.end)


def _played(
    rollout: PastRollout,
    past: Past,
    held: HeldSource,
    policy: Policy,
    every_s: float,
    as_placebo: bool,
) -> Course:
    clock = _Moved(rollout.start)
    gate = _gate(past, held, clock, _Sessions(held, rollout.end, as_placebo))
    begun = time.thread_time()
    polls: list[Poll] = []
    latch = None
    for at in _moments(rollout, every_s):
        clock.at = at
        try:
            verdict = gate.judge(_request(rollout, policy, at))
        except InputError as error:
            return _unread(rollout, f"{error.field}: {error}")
        if held.problem is not None:
            return _unread(rollout, str(held.problem))
        polls.append(_poll(verdict, at))
        if verdict.outcome is Outcome.FAIL and latch is None:
            latch = gate.stores.attempts.get(verdict.attempt).latch
            if not as_placebo:
                break
    return Course(
        rollout=rollout,
        polls=tuple(polls),
        failed_at=None if latch is None else latch.at,
        signal=None if latch is None else latch.signal,
        cpu_s=time.thread_time() - begun,
    )


def _gate(past: Past, held: HeldSource, clock: _Moved, sessions: SessionFactory) -> Gate:
    stores = memory_stores()
    if past.aa is not None:
        stores.aa.save(past.aa)
    return Gate(
        source=held,
        catalog=past.catalog,
        stores=stores,
        clock=clock,
        discover=past.discover,
        session_factory=sessions,
        settings=GateSettings(bound_s=_BOUND_S, warm_attempts=2),
    )


@dataclass(frozen=True, slots=True)
class _Sessions:
    """Judges whose bins are made once for all polls."""

    held: HeldSource
    end: float
    as_placebo: bool

    def __call__(self, plan: Plan, policy: Policy, *, start: float, interval: float) -> Session:
        judged = on_trial(plan) if self.as_placebo else plan
        session = Session(judged, policy, start=start, interval=interval)
        session.foresight = session.builder = AheadFrames(session, self.held, self.end)
        return session


def _moments(rollout: PastRollout, every_s: float) -> Iterator[float]:
    """The polls, the last one at the end."""
    count = 1
    while rollout.start + count * every_s < rollout.end - 1e-6:
        yield rollout.start + count * every_s
        count += 1
    yield rollout.end


def _request(rollout: PastRollout, policy: Policy, at: float) -> VerdictRequest:
    """What a controller would have asked then; at the end whether it may become stable."""
    asked = rollout.request
    told = weights_until(rollout.weights, at) if rollout.weights else asked.weight
    return replace(
        asked,
        as_of=None,
        started_at=asked.started_at or datetime.fromtimestamp(rollout.start, UTC),
        stage=Stage.FINAL if at >= rollout.end else asked.stage,
        weight=told,
        policy=policy,
    )


def _poll(verdict: Verdict, at: float) -> Poll:
    return Poll(
        at=at,
        outcome=verdict.outcome,
        answer=verdict.answer,
        reason=verdict.reason,
        final=verdict.final,
        evidence=closest(verdict),
        load=_load(verdict),
    )


def _load(verdict: Verdict) -> float | None:
    """Requests of a canary pod over those of a control pod, as the signals tell it."""
    found = (signal.details.get("load_ratio") for signal in verdict.signals)
    return next((ratio for ratio in found if isinstance(ratio, float)), None)


def _unread(rollout: PastRollout, why: str) -> Course:
    return Course(rollout=rollout, polls=(), problem=why)
