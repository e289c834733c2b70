"""One rollout with logs, judged by the engine on raw samples, and by what people do today."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from bench.gate.rollout import HISTORY_S
from bench.gate.samples import ORIGIN, SERVICE
from bench.logs.worlds import STEP_S, World, drawn, filled
from detector.gate.judgement import Judgement
from detector.gate.policy import Policy
from detector.gate.request import Stage
from detector.gate.session import Session
from detector.series import FloatArray, Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family, Plan, Reading
from detector.signals.signal import Absent, Kind, Shape, Signal, Unit
from pipelines.sources.memory import MemorySource

__all__ = ["PEERS", "Record", "Task", "run"]

PEERS = ("any_new", "ten_new", "poisson_5")
_TEN = 10.0
_LEVEL = 0.05
_POLL_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One rollout to run; `polled` asks each minute as a controller does, else once at the end."""

    seed: int
    faulty: bool
    polled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What came of it: seconds from the start, None where it did not fail.

    `template` is what the verdict names; `peers` are minutes. `told`: lines of it on both sides.
    """

    seed: int
    faulty: bool
    drifts: tuple[str, ...]
    nuisance: str
    rps: float
    canary_rps: float
    canaries: int
    stables: int
    templates: int
    fail_at: float | None
    signal: str
    template: str
    text: str
    closest: float
    heard: int
    cpu_s: float
    peers: dict[str, float | None]

    @property
    def rolled_back(self) -> bool:
        """Whether it failed at any time, whichever signal did it."""
        return self.fail_at is not None

    def within(self, seconds: float) -> bool:
        """Whether its logs failed it in time."""
        is_log = self.signal == "log_templates"
        return is_log and self.fail_at is not None and self.fail_at <= seconds


def run(task: Task) -> Record:
    """Draw, tell, judge."""
    world = drawn(task.seed, faulty=task.faulty)
    source = filled(world)
    session = Session(_plan(), Policy(), start=ORIGIN, interval=world.rollout.interval)
    begun = time.thread_time()
    judgement = _judged(session, world, source, polled=task.polled)
    spent = time.thread_time() - begun
    first, rollout = judgement.first_fail, world.rollout
    told = next((s for s in judgement.signals if s.name == "log_templates"), None)
    named = told.templates[0].id if told is not None and told.templates else ""
    return Record(
        seed=task.seed,
        faulty=task.faulty,
        drifts=tuple(sorted(one.value for one in world.drifts)),
        nuisance=rollout.nuisance.value,
        rps=rollout.rps,
        canary_rps=rollout.rps * rollout.steps[0][1],
        canaries=rollout.canaries,
        stables=rollout.stables,
        templates=len(world.names),
        fail_at=None if first is None else first.at - ORIGIN,
        signal="" if first is None else first.signal,
        template=named if first is not None and named in judgement.reason.text else "",
        text="" if first is None else judgement.reason.text,
        closest=0.0 if told is None or not told.needed else (told.evidence or 0.0) / told.needed,
        heard=len(session.hearing.ensembles),
        cpu_s=spent,
        peers=_peers(world),
    )


def _judged(session: Session, world: World, source: MemorySource, *, polled: bool) -> Judgement:
    rollout = world.rollout
    for at, weight in rollout.steps if rollout.told else ():
        session.set_weight(ORIGIN + at, 100 * weight)
    ends = [*np.arange(_POLL_S, rollout.length, _POLL_S).tolist()] if polled else []
    for at in (*ends, rollout.length):
        _read(session, source, ORIGIN + at)
    end = ORIGIN + rollout.length
    return session.judge(as_of=end, stage=Stage.FINAL, deadline=end)


def _read(session: Session, source: MemorySource, now: float) -> None:
    """All that is there by `now`; pods that come to light are read by name."""
    asked: tuple[Reading, ...] = ()
    while (todo := session.readings()) != asked:
        queries = [reading.query for reading in todo]
        answers = source.read(queries, ORIGIN - HISTORY_S, now, timeout_s=60.0)
        session.feed(todo, answers, now=now)
        asked = todo


def _plan() -> Plan:
    """Errors and log lines; the other signals have no data here, and keep their shares of alpha."""
    requests = Family(metric="http_requests_total", shape=Shape.COUNTER)
    buckets = Family(metric="http_request_duration_seconds_bucket", shape=Shape.BUCKETS)
    restarts = Family(metric="kube_pod_container_status_restarts_total", shape=Shape.COUNTER)
    lines = Family(metric="serinus_log_lines_total", shape=Shape.COUNTER)
    bad = (Matcher("code", MatchOp.MATCHES, "5.."),)
    return Plan(
        service=SERVICE,
        canary=(Matcher("version", MatchOp.EQUAL, "v2"),),
        control=((Matcher("version", MatchOp.EQUAL, "v1"),),),
        requests=requests,
        signals=(
            _bound("error_rate", Kind.RATIO, requests, bad=bad),
            _bound("latency", Kind.LATENCY, buckets),
            _bound("tail95", Kind.LATENCY, buckets),
            _bound("restarts", Kind.EVENTS, restarts),
            _bound("log_templates", Kind.EVENTS, lines, apart="template"),
        ),
    )


def _bound(
    name: str, kind: Kind, family: Family, *, bad: tuple[Matcher, ...] = (), apart: str = ""
) -> BoundSignal:
    signal = Signal(name=name, kind=kind, absent=Absent.ZERO)
    return BoundSignal(
        signal=signal, pack="bench", unit=Unit.POD, total=family, bad=bad, apart=apart
    )


# -- what people do today, each minute, on exact counts


def _peers(world: World) -> dict[str, float | None]:
    """The minute at which each would roll back.

    `any_new`: an error template that the control never wrote; `ten_new`: ten lines of such a one.
    `poisson_5`: a test of each template at 5 %, canary against control, on all lines so far.
    """
    ours, n = _minutes(world, canary=True)
    theirs, m = _minutes(world, canary=False)
    past = world.edges[1:] <= 0
    known = world.lines[~world.canary][:, :, past].sum(axis=(0, 2)) > 0
    new = np.where((known[:, None]) | (theirs > 0), 0.0, ours)
    share = n / np.maximum(n + m, 1e-9)
    chance = binom.sf(ours - 1, ours + theirs, share)
    return {
        "any_new": _first(new >= 1),
        "ten_new": _first(new >= _TEN),
        "poisson_5": _first((chance < _LEVEL) & (ours > 0)),
    }


def _minutes(world: World, *, canary: bool) -> tuple[FloatArray, FloatArray]:
    """Lines by template (M, minutes) and requests (minutes,) of an arm, up to each minute."""
    mine, each = world.canary == canary, round(60 / STEP_S)
    begin = int(HISTORY_S // STEP_S)
    count = (len(world.edges) - 1 - begin) // each
    ends = begin + each * np.arange(1, count + 1) - 1
    lines = world.lines[mine][:, :, begin:].sum(axis=0).cumsum(axis=1)[:, ends - begin]
    requests = world.requests[mine][:, begin:].sum(axis=0).cumsum()[ends - begin]
    return lines, requests


def _first(hits: NDArray[np.bool_]) -> float | None:
    at = np.flatnonzero(hits.any(axis=0))
    return float(at[0] + 1) if len(at) else None
