"""One simulated rollout through the gate itself, asked as a controller would ask.

Raw samples lie in the embedded source; discovery, packs, stores, tape and engine are those of
`serinus serve`. Only the clock is moved by hand: the source never shows what lies after it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from bench.gate.frames import polls
from bench.gate.peers import minutes_of_source, peers
from bench.gate.rates import Rates
from bench.gate.rollout import Rollout
from bench.gate.samples import NAMESPACE, ORIGIN, SERVICE, fill
from bench.gate.trials import Asked, Poll, closest
from detector.gate.request import Stage, VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, Verdict
from detector.series import Answer, Query
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate, GateSettings
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores

__all__ = ["through_gate"]

_packs = cache(load_packs)
# The clock of time limits is the real one: a busy machine must not change an answer.
_PATIENT = GateSettings(bound_s=600.0)


@dataclass(slots=True)
class _World:
    """The source as it stands at `now` (unix seconds), which is also the gate's clock."""

    source: MemorySource
    now: float = ORIGIN

    def __call__(self) -> float:
        return self.now

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Samples up to now; see `MetricSource`."""
        return self.source.read(queries, start, min(end, self.now), timeout_s=timeout_s)

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """See `MetricCatalog`."""
        return self.source.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """See `MetricCatalog`."""
        return self.source.series(queries, start, min(end, self.now), timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """See `MetricCatalog`."""
        return self.source.label_values(
            label, queries, start, min(end, self.now), timeout_s=timeout_s
        )


def through_gate(rollout: Rollout, rates: Rates, every_s: float) -> Asked:
    """Ask each `every_s` seconds until the rollout ends or is told to roll back."""
    source = fill(rollout, rates)
    begun = time.process_time()
    answers = _asked(rollout, _World(source), every_s)
    spent = time.process_time() - begun
    arms = [minutes_of_source(rollout, source, version) for version in ("v2", "v1")]
    return Asked(polls=answers, peers=peers(rollout, *arms), cpu_s=spent)


def _asked(rollout: Rollout, world: _World, every_s: float) -> list[Poll]:
    gate = Gate(
        source=world,
        catalog=world,
        stores=memory_stores(),
        clock=world,
        discover=Discovery(_packs(), world),
        session_factory=Session,
        settings=_PATIENT,
    )
    answers = []
    for at in polls(rollout, every_s):
        world.now = ORIGIN + at
        verdict = gate.judge(_request(rollout, at))
        answers.append(_poll(gate, verdict, at))
        if verdict.outcome is Outcome.FAIL:
            break
    return answers


def _request(rollout: Rollout, at: float) -> VerdictRequest:
    """What a controller asks at `at` seconds: the weight only where it tells it."""
    weight = [w for since, w in rollout.steps if since <= at][-1] if rollout.told else None
    return VerdictRequest(
        service=SERVICE,
        namespace=NAMESPACE,
        canary='version="v2"',
        deadline=datetime.fromtimestamp(ORIGIN + rollout.length, UTC),
        weight=None if weight is None else 100 * weight,
        stage=Stage.FINAL if at >= rollout.length else Stage.STEP,
    )


def _poll(gate: Gate, verdict: Verdict, at: float) -> Poll:
    latch = gate.stores.attempts.get(verdict.attempt).latch
    return Poll(
        at=at,
        outcome=verdict.outcome,
        reason=verdict.reason.code,
        needs=verdict.needs,
        fail_at=None if latch is None else latch.at - ORIGIN,
        fail_signal=None if latch is None else latch.signal,
        closest=closest(verdict.signals),
    )
