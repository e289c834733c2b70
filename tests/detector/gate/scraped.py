"""Traffic that happens on its own clock, and scrapes that look at it: raw samples for the judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.gate.judgement import Judgement
from detector.gate.memory import Memory
from detector.gate.policy import Policy
from detector.gate.request import Stage
from detector.gate.session import Session
from detector.gate.verdict import SignalVerdict
from detector.series import FloatArray
from detector.signals.plan import Plan, Reading
from detector.signals.signal import Kind
from tests.detector.gate.traffic import BUCKETS, EDGES, ERRORS, LATENCY, Store, bound, plan

__all__ = ["PLAN", "Life", "Town", "Watching", "lives", "log_e", "scraped", "signal_of"]

# Traffic is drawn second by second, so that scrapes of any rhythm see the same requests.
T0 = 1_790_000_000.0
PLAN = plan(ERRORS, LATENCY, bound("tail95", Kind.LATENCY, BUCKETS))
POLICY = Policy(history_s=2400.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Pods of both arms, requests per second of each, error rate; harm of the canary.

    `slower` is a log factor, `more_errors` is added. `surge` multiplies the errors and `drag` (log)
    slows both arms in the seconds of `span`.
    """

    seed: int = 1
    canary: int = 3
    control: int = 6
    per_pod: float = 15.0
    errors: float = 0.01
    more_errors: float = 0.0
    slower: float = 0.0
    length: int = 900
    history: int = 2400
    span: tuple[int, int] | None = None
    surge: float = 1.0
    drag: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What one pod's counters show at the end of each second from `begin` (from the start) on."""

    name: str
    track: str
    begin: int
    good: FloatArray
    bad: FloatArray
    buckets: FloatArray


def lives(town: Town) -> list[Life]:
    """Draw every pod."""
    rng = np.random.default_rng(town.seed)
    canary = [_life(town, rng, f"c-{n}", "canary") for n in range(town.canary)]
    return canary + [_life(town, rng, f"s-{n}", "stable") for n in range(town.control)]


def _life(town: Town, rng: np.random.Generator, name: str, track: str) -> Life:
    is_canary = track == "canary"
    begin = 0 if is_canary else -town.history
    seconds = np.arange(begin, town.length)
    inside = np.zeros(len(seconds))
    if town.span is not None:
        inside = ((seconds >= town.span[0]) & (seconds < town.span[1])).astype(float)
    rate = town.errors * np.where(inside > 0, town.surge, 1.0)
    rate = rate + (town.more_errors if is_canary else 0.0)
    slow = inside * town.drag + (town.slower if is_canary else 0.0)
    # Uniform numbers first: what a surge or a harm changes leaves all other requests as they were.
    n = rng.poisson(town.per_pod, len(seconds))
    bad = np.zeros(len(seconds))
    buckets = np.zeros((len(seconds), len(EDGES) + 1))
    owner = np.repeat(np.arange(len(seconds)), n)
    luck, size = rng.random(len(owner)), rng.normal(0, 0.8, len(owner))
    np.add.at(bad, owner, luck < rate[owner])
    took = 0.06 * np.exp(size + slow[owner])
    np.add.at(buckets, (owner, np.searchsorted(EDGES, took)), 1.0)
    whole = np.cumsum(buckets, axis=0)
    return Life(
        name=name,
        track=track,
        begin=begin,
        good=np.cumsum(n - bad),
        bad=np.cumsum(bad),
        buckets=np.cumsum(whole, axis=1),
    )


def scraped(
    town: Sequence[Life],
    *,
    every: float = 15.0,
    shift: float = 0.0,
    offset: float = 0.0,
    apart: float = 3.7,
) -> Store:
    """Every pod scraped each `every` s, `apart` s after the one before it.

    `shift` moves the scrapes, `offset` all time stamps.
    """
    store = Store()
    for number, life in enumerate(town):
        phase = (apart * number + shift) % every
        last = life.begin + len(life.good)
        times = np.arange(life.begin + phase + 1.0, last, every)
        at = np.floor(times).astype(int) - life.begin - 1
        labels = {"pod": life.name, "track": life.track, "instance": life.name}
        stamps = times + T0 + offset
        store.put("requests_total", stamps, life.good[at], code="200", **labels)
        store.put("requests_total", stamps, life.bad[at], code="500", **labels)
        for column, edge in enumerate([*EDGES, np.inf]):
            le = "+Inf" if np.isinf(edge) else str(edge)
            store.put("seconds_bucket", stamps, life.buckets[at, column], le=le, **labels)
    return store


@dataclass(slots=True)
class Watching:
    """A session on a store, asked at seconds from the start."""

    store: Store
    every: float = 15.0
    offset: float = 0.0
    plan: Plan = PLAN
    policy: Policy = POLICY
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.plan, self.policy, start=T0 + self.offset, interval=self.every)

    def ask(self, second: float, *, stage: Stage = Stage.STEP) -> Judgement:
        """Read all that is there by then, and judge."""
        now = T0 + self.offset + second
        asked: tuple[Reading, ...] = ()
        while (todo := self.session.readings()) != asked:
            answers = [self.store.answer(reading, now - 1e9, now) for reading in todo]
            self.session.feed(todo, answers, now=now)
            asked = todo
        if self.session.wants_memory:
            self.session.recall(Memory(at=T0))
        return self.session.judge(as_of=now, stage=stage, deadline=None)


def signal_of(judgement: Judgement, name: str) -> SignalVerdict:
    """A signal by name."""
    return next(s for s in judgement.signals if s.name == name)


def log_e(judgement: Judgement, name: str) -> float:
    """Log evidence of a signal."""
    return float(np.log(signal_of(judgement, name).evidence or 1.0))
