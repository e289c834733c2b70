"""Rollouts to simulate: what is drawn before any sample, for healthy and for faulty releases.

`draw(seed, fault)` gives one `Rollout`: the service, its traffic, the plan of weights, every pod
with its births and deaths, what disturbs it and what is wrong with the canary. It is a value: the
same seed gives the same rollout, whoever turns it into samples (`samples.py`) or bins
(`frames.py`). Times are seconds from the attempt's start; effects are natural logarithms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.random import Generator

__all__ = [
    "HISTORY_S",
    "PLAIN",
    "Cold",
    "Fault",
    "Nuisance",
    "Pod",
    "Rollout",
    "Span",
    "draw",
]

HISTORY_S = 7200.0
TRAFFIC = (0.5, 5.0, 60.0, 600.0, 3000.0)
PLANS = ((0.05, 0.20, 0.50), (0.02, 0.10, 0.30, 0.60), (0.20, 0.50))
ERRORS = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 2e-2)
MOST_CANARIES = 18


class Nuisance(StrEnum):
    """What disturbs a rollout besides what is always there."""

    NONE = "none"
    COLD = "cold"
    BURST = "burst"
    INCIDENT = "incident"
    RAMP = "ramp"
    GAPS = "gaps"
    RESETS = "resets"
    WAVES = "waves"
    CHURN = "churn"
    PAUSES = "pauses"
    MIX = "mix"
    SEASON = "season"
    MIXTURE = "mixture"


class Fault(StrEnum):
    """What is wrong with a faulty canary."""

    ERRORS_HALF = "errors +0.5 pp"
    ERRORS_ONE = "errors +1 pp"
    ERRORS_TWO = "errors +2 pp"
    ERRORS_X3 = "errors x3"
    LATENCY_15 = "latency +15 %"
    LATENCY_25 = "latency +25 %"
    LATENCY_50 = "latency +50 %"
    TAIL = "5 % of requests x4.5"
    BAD_POD = "one bad pod"
    FULL_WEIGHT = "only at full weight"
    HALF_WAY = "begins half-way"
    RESTARTS = "restarts each 4 min"
    OUTAGE = "97 % errors"
    CPU = "cpu +40 % (advisory)"


PLAIN = frozenset(
    {
        Fault.ERRORS_ONE,
        Fault.ERRORS_TWO,
        Fault.ERRORS_X3,
        Fault.LATENCY_50,
        Fault.BAD_POD,
        Fault.FULL_WEIGHT,
        Fault.HALF_WAY,
        Fault.RESTARTS,
        Fault.OUTAGE,
    }
)


class Cold(StrEnum):
    """Shapes of a cold start."""

    EXPONENTIAL = "exponential"
    PLATEAU = "plateau"
    RAMP = "ramp"
    TWO_PHASE = "two-phase"
    BUMP = "second bump"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time from the attempt's start, with a size (log or share) and perhaps a pod."""

    begin: float
    end: float
    size: float
    pod: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod: container `starts` (the first is its birth), `death`, and how it differs (logs)."""

    name: str
    canary: bool
    starts: tuple[float, ...]
    death: float
    latency: float
    errors: float
    cpu: float
    share: float
    warm: float

    @property
    def birth(self) -> float:
        """When its first container started."""
        return self.starts[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One rollout, drawn. `seed` also seeds its samples; `steps` are (time, weight share)."""

    seed: int
    nuisance: Nuisance
    active: frozenset[Nuisance]
    fault: Fault | None
    fault_at: float
    fault_pod: int
    fault_errors: float
    fault_latency: float
    differ: bool
    proportional: bool
    rps: float
    error_rate: float
    interval: float
    length: float
    steps: tuple[tuple[float, float], ...]
    pods: tuple[Pod, ...]
    told: bool
    medians: tuple[float, ...]
    widths: tuple[float, ...]
    weights: tuple[float, ...]
    mixing: float
    elasticity: float
    utilisation: float
    cold: Cold
    cold_size: float
    cold_span: float
    cold_errors: float
    arm_latency: float
    arm_errors: float
    arm_cpu: float
    tau_latency: float
    tau_errors: float
    arm_sd: tuple[float, float]
    wave: tuple[float, float, float]
    season: tuple[float, float]
    ramp: tuple[float, float, float]
    incidents_errors: tuple[Span, ...]
    incidents_latency: tuple[Span, ...]
    bursts: tuple[Span, ...]
    gaps: tuple[Span, ...]
    pauses: tuple[float, float, float]
    mix: tuple[float, float]
    phase: float

    @property
    def canaries(self) -> int:
        """Canary pods that serve at the end."""
        return sum(p.canary and p.death > self.length for p in self.pods)

    @property
    def stables(self) -> int:
        """Stable pods that serve when the attempt starts."""
        return sum(not p.canary and p.birth < 0 < p.death for p in self.pods)

    @property
    def canary_rps(self) -> float:
        """Requests per second that the canary serves at the last step."""
        return self.rps * self.steps[-1][1]

    @property
    def load(self) -> float:
        """Load of a canary pod over that of a stable pod at the last step."""
        weight = self.steps[-1][1]
        stable = sum(not p.canary and p.death > self.length for p in self.pods)
        return weight / max(self.canaries, 1) * stable / (1 - weight)

    @property
    def in_scope(self) -> bool:
        """Where the asked figures hold: 20 canary requests/s, 3 canary and 6 stable pods."""
        return self.canary_rps >= 20 and self.canaries >= 3 and self.stables >= 6


def draw(
    seed: int, fault: Fault | None = None, *, bake: bool = False, nuisance: Nuisance | None = None
) -> Rollout:
    """One rollout; `bake` stretches it to two hours, `nuisance` fixes what disturbs it."""
    rng = np.random.default_rng([seed, 0 if fault is None else 1 + list(Fault).index(fault)])
    kind = nuisance or _nuisance(rng, faulty=fault is not None)
    active = _active(rng, kind)
    length = float(rng.uniform(1200, 1500)) if not bake else 7200.0
    steps = _steps(rng, length, bake=bake)
    differ = bool(rng.random() < (0.5 if fault else 0.3))
    proportional = bool(rng.random() < 2 / 3)
    stable = int(rng.choice([2, 3, 4, 6, 8, 10, 12]))
    counts = _canary_counts(rng, steps, stable, proportional=proportional)
    sds = _spreads(rng, differ=differ)
    rps = float(rng.choice(TRAFFIC) * rng.uniform(0.6, 1.4))
    base = _error_rate(rng, fault)
    ramp = _ramp(rng, length) if Nuisance.RAMP in active else (0.0, 1.0, 1.0)
    pods = _pods(rng, length, steps, stable, counts, sds)
    pods = _ramped(rng, pods, ramp, sds)
    if Nuisance.CHURN in active:
        pods = _churned(rng, pods, length, sds)
    pods = _restarted(rng, pods, length, active)
    medians, widths, weights = _latency(rng)
    arm_sd = (float(rng.uniform(0.02, 0.03)), float(rng.uniform(0.05, 0.12)))
    bursting = Nuisance.BURST in active
    return _with_fault(
        rng,
        Rollout(
            seed=seed,
            nuisance=kind,
            active=active,
            fault=fault,
            fault_at=0.0,
            fault_pod=-1,
            fault_errors=0.0,
            fault_latency=0.0,
            differ=differ,
            proportional=proportional,
            rps=rps,
            error_rate=base,
            interval=30.0 if rng.random() < 0.3 else 15.0,
            length=length,
            steps=steps,
            pods=pods,
            told=bool(rng.random() < 0.7),
            medians=medians,
            widths=widths,
            weights=weights,
            mixing=float(rng.uniform(0.2, 0.6)),
            elasticity=float(rng.uniform(0, 0.12)),
            utilisation=float(rng.uniform(0.05, 0.20)) if rng.random() < 1 / 3 else 0.0,
            cold=Cold(rng.choice([c.value for c in Cold])),
            cold_size=_cold_size(rng, active),
            cold_span=float(rng.uniform(0.7, 1.3)),
            cold_errors=float(rng.uniform(0.3, 1.5)) if rng.random() < 0.4 else 0.0,
            arm_latency=float(rng.normal(0, arm_sd[0])),
            arm_errors=float(rng.normal(0, arm_sd[1])),
            arm_cpu=float(rng.normal(0, 0.025)),
            tau_latency=sds[0],
            tau_errors=sds[1],
            arm_sd=arm_sd,
            wave=_wave(rng, active),
            season=_season(rng, active),
            ramp=ramp,
            incidents_errors=_incidents(rng, active, length, (0.01, 0.2)),
            incidents_latency=_incidents(rng, active, length, (0.3, 1.1)),
            bursts=_bursts(rng, pods, length) if bursting else (),
            gaps=_gaps(rng, pods, length) if Nuisance.GAPS in active else (),
            pauses=_pauses(rng, active),
            mix=_mix(rng, active, length),
            phase=float(rng.uniform(0, 30)),
        ),
    )


def _nuisance(rng: Generator, *, faulty: bool) -> Nuisance:
    if faulty and rng.random() < 0.5:
        return Nuisance.NONE
    return Nuisance(rng.choice([n.value for n in Nuisance]))


def _active(rng: Generator, kind: Nuisance) -> frozenset[Nuisance]:
    if kind is not Nuisance.MIXTURE:
        return frozenset({kind})
    single = [n for n in Nuisance if n not in (Nuisance.NONE, Nuisance.MIXTURE)]
    return frozenset(n for n in single if rng.random() < 0.35)


def _steps(rng: Generator, length: float, *, bake: bool) -> tuple[tuple[float, float], ...]:
    plan = PLANS[int(rng.integers(len(PLANS)))]
    cut = min(length, 1500.0) if bake else length
    times = np.arange(len(plan)) * cut / len(plan) + rng.uniform(-30, 30, len(plan))
    times[0] = 0.0
    return tuple((float(t), w) for t, w in zip(times, plan, strict=True))


def _canary_counts(
    rng: Generator, steps: tuple[tuple[float, float], ...], stable: int, *, proportional: bool
) -> tuple[int, ...]:
    """Canary pods at each step; out of proportion they carry up to three times the load."""
    load = float(rng.uniform(0.9, 1.1)) if proportional else float(rng.uniform(1.3, 3.0))
    wanted = [w / (1 - w) * stable / load for _, w in steps]
    counts = np.clip([max(1, round(k)) for k in wanted], 1, MOST_CANARIES)
    if rng.random() < 1 / 3:
        counts = np.full(len(counts), counts[-1])
    return tuple(int(k) for k in counts)


def _spreads(rng: Generator, *, differ: bool) -> tuple[float, float]:
    """Standard deviations between pods: latency, errors."""
    if differ:
        return float(rng.uniform(0.03, 0.07)), float(rng.uniform(0.10, 0.30))
    return float(rng.uniform(0.005, 0.015)), float(rng.uniform(0.02, 0.06))


def _error_rate(rng: Generator, fault: Fault | None) -> float:
    if fault is Fault.ERRORS_X3:
        return float(rng.choice([0.003, 0.01]))
    return float(rng.choice(ERRORS) * rng.uniform(0.7, 1.4))


def _pod(
    rng: Generator, name: str, birth: float, death: float, sds: tuple[float, float], *, canary: bool
) -> Pod:
    return Pod(
        name=name,
        canary=canary,
        starts=(birth,),
        death=death,
        latency=float(rng.normal(0, sds[0])),
        errors=float(rng.normal(0, sds[1])),
        cpu=float(rng.normal(0, 0.03)),
        share=float(rng.lognormal(0, 0.05)),
        warm=float(rng.uniform(0.7, 1.3)),
    )


def _suffix(rng: Generator) -> str:
    return "".join(rng.choice(list("bcdfghjklmnpqrstvwxz2456789"), 5))


def _name(rng: Generator, *, canary: bool) -> str:
    return f"shop-{'7c9d4f6b8' if canary else '5d8b7f9c6'}-{_suffix(rng)}"


def _pods(
    rng: Generator,
    length: float,
    steps: tuple[tuple[float, float], ...],
    stable: int,
    counts: tuple[int, ...],
    sds: tuple[float, float],
) -> tuple[Pod, ...]:
    forever = length + 3600.0
    old = -HISTORY_S - rng.uniform(600, 2 * 86400, stable)
    pods = [_pod(rng, _name(rng, canary=False), b, forever, sds, canary=False) for b in old]
    have = 0
    for (at, _), count in zip(steps, counts, strict=True):
        for _ in range(count - have):
            birth = at - float(rng.uniform(5, 50))
            pods.append(_pod(rng, _name(rng, canary=True), birth, forever, sds, canary=True))
        have = max(have, count)
    return tuple(pods)


def _ramp(rng: Generator, length: float) -> tuple[float, float, float]:
    """Traffic grows by a factor from a moment on, within some seconds."""
    return (
        float(rng.uniform(-600, 0.7 * length)),
        float(rng.uniform(1.4, 3.0)),
        float(rng.uniform(200, 900)),
    )


def _ramped(
    rng: Generator,
    pods: tuple[Pod, ...],
    ramp: tuple[float, float, float],
    sds: tuple[float, float],
) -> tuple[Pod, ...]:
    """An autoscaler adds stable pods while traffic grows."""
    begin, factor, over = ramp
    stable = [p for p in pods if not p.canary]
    more = min(round(len(stable) * (factor - 1)), 8) if factor > 1 else 0
    death = stable[0].death
    births = begin + np.sort(rng.uniform(0.1, 1.1, more)) * over
    young = [
        _pod(rng, _name(rng, canary=False), float(b), death, sds, canary=False) for b in births
    ]
    return (*pods, *young)


def _churned(
    rng: Generator, pods: tuple[Pod, ...], length: float, sds: tuple[float, float]
) -> tuple[Pod, ...]:
    """A third of the pods of either arm, at least one stable, is replaced during the attempt."""
    out = []
    for i, pod in enumerate(pods):
        if i > 0 and rng.random() > 1 / 3:
            out.append(pod)
            continue
        gone = float(rng.uniform(min(max(pod.birth + 240, -1800), length - 1), length))
        fresh = gone - float(rng.uniform(-15, 30))
        name = _name(rng, canary=pod.canary)
        out.append(replace(pod, death=gone))
        out.append(_pod(rng, name, fresh, pod.death, sds, canary=pod.canary))
    return tuple(out)


def _restarted(
    rng: Generator, pods: tuple[Pod, ...], length: float, active: frozenset[Nuisance]
) -> tuple[Pod, ...]:
    """Containers of healthy pods restart now and then: 1 in 100 hours, more under `resets`."""
    out = []
    often = Nuisance.RESETS in active
    lucky = int(rng.integers(len(pods)))
    for i, pod in enumerate(pods):
        low = max(pod.birth + 120, -HISTORY_S)
        high = min(pod.death, length)
        rate = 1 / 360_000 + (0.5 / (HISTORY_S + length) if often and not pod.canary else 0)
        count = int(rng.poisson(rate * max(high - low, 0))) + int(often and i == lucky)
        again = tuple(sorted(float(t) for t in rng.uniform(low, max(high, low + 1), count)))
        out.append(replace(pod, starts=(*pod.starts, *again)))
    return tuple(out)


def _latency(
    rng: Generator,
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Medians (s), widths and weights of two routes, each one or two lognormal modes."""
    first = float(np.exp(rng.uniform(math.log(0.012), math.log(0.35))))
    ratio = float(np.exp(rng.uniform(0.2, 1.1)))
    width = float(rng.uniform(0.35, 0.9))
    if rng.random() < 0.5:
        return (first, first * ratio), (width, width), (1.0, 1.0)
    far, slow = float(rng.uniform(4, 10)), float(rng.uniform(0.05, 0.25))
    medians = (first, first * far, first * ratio, first * ratio * far)
    return medians, (width,) * 4, (1 - slow, slow, 1 - slow, slow)


def _cold_size(rng: Generator, active: frozenset[Nuisance]) -> float:
    if Nuisance.COLD in active:
        return float(np.log(rng.uniform(1.35, 3.3)))
    return float(np.log(rng.uniform(1.0, 1.3))) if rng.random() < 0.5 else 0.0


def _wave(rng: Generator, active: frozenset[Nuisance]) -> tuple[float, float, float]:
    """Per-pod noise in time: sd of latency, of errors (logs), time constant in seconds."""
    if Nuisance.WAVES in active:
        return tuple(float(v) for v in rng.uniform([0.03, 0.2, 60], [0.08, 0.4, 300]))  # type: ignore[return-value]
    return 0.015, 0.05, 30.0


def _season(rng: Generator, active: frozenset[Nuisance]) -> tuple[float, float]:
    """A daily season: amplitude of log traffic and its phase; always a little."""
    size = float(rng.uniform(0.4, 1.0)) if Nuisance.SEASON in active else 0.1
    return size, float(rng.uniform(0, 2 * np.pi))


def _incidents(
    rng: Generator, active: frozenset[Nuisance], length: float, size: tuple[float, float]
) -> tuple[Span, ...]:
    if Nuisance.INCIDENT not in active or rng.random() < 0.25:
        return ()
    begin = float(rng.uniform(-300, 0.9 * length))
    return (Span(begin, begin + float(rng.uniform(45, 400)), float(rng.uniform(*size))),)


def _bursts(rng: Generator, pods: tuple[Pod, ...], length: float) -> tuple[Span, ...]:
    """One or two short bursts on single canary pods: a share of requests fails or is slow."""
    canaries = [i for i, p in enumerate(pods) if p.canary]
    spans = []
    for _ in range(int(rng.integers(1, 3))):
        pod = int(rng.choice(canaries))
        begin = float(rng.uniform(max(pods[pod].birth, 0.0), length))
        spans.append(
            Span(begin, begin + float(rng.uniform(10, 100)), float(rng.choice([-1, 1])), pod)
        )
    return tuple(spans)


def _gaps(rng: Generator, pods: tuple[Pod, ...], length: float) -> tuple[Span, ...]:
    """Scrapes that did not happen: of single pods, and once of all (pod -2)."""
    count = int(rng.integers(2, 8))
    spans = [
        Span(float(t), float(t + d), 0.0, int(p))
        for t, d, p in zip(
            rng.uniform(-1800, length, count),
            rng.uniform(20, 240, count),
            rng.integers(0, len(pods), count),
            strict=True,
        )
    ]
    if rng.random() < 0.4:
        begin = float(rng.uniform(0, length))
        spans.append(Span(begin, begin + float(rng.uniform(20, 200)), 0.0, -2))
    return tuple(spans)


def _pauses(rng: Generator, active: frozenset[Nuisance]) -> tuple[float, float, float]:
    """Garbage collection: period (s), height of the saw-tooth (log), share of slow requests."""
    if Nuisance.PAUSES not in active:
        return 120.0, 0.0, 0.0
    return tuple(float(v) for v in rng.uniform([45, 0.02, 0.01], [400, 0.10, 0.06]))  # type: ignore[return-value]


def _mix(rng: Generator, active: frozenset[Nuisance], length: float) -> tuple[float, float]:
    """The second route's share moves by this much (logit) around this moment, on both arms."""
    if Nuisance.MIX not in active:
        return 0.0, 0.0
    return float(rng.uniform(-2, 2)), float(rng.uniform(-600, length))


def _with_fault(rng: Generator, rollout: Rollout) -> Rollout:
    """Say what is wrong, since when, and on which pod (-1: all of the canary)."""
    fault, length = rollout.fault, rollout.length
    either = bool(rng.random() < 0.5)
    errors: dict[Fault, float] = {
        Fault.ERRORS_HALF: 0.005,
        Fault.ERRORS_ONE: 0.01,
        Fault.ERRORS_TWO: 0.02,
        Fault.ERRORS_X3: 2 * rollout.error_rate,
        Fault.OUTAGE: 0.97,
    }
    latency = {Fault.LATENCY_15: 1.15, Fault.LATENCY_25: 1.25, Fault.LATENCY_50: 1.5}
    match fault:
        case Fault.BAD_POD:
            pod = _long_lived(rng, rollout)
            return replace(
                rollout,
                fault_pod=pod,
                fault_at=max(rollout.pods[pod].birth, 0.0),
                fault_errors=0.05 if either else 0.0,
                fault_latency=0.0 if either else math.log(2.0),
            )
        case Fault.FULL_WEIGHT | Fault.HALF_WAY:
            late = rollout.steps[-1][0] if fault is Fault.FULL_WEIGHT else length / 2
            return replace(
                rollout,
                fault_at=late,
                fault_errors=0.02 if either else 0.0,
                fault_latency=0.0 if either else math.log(1.5),
            )
        case Fault.RESTARTS:
            return replace(rollout, pods=_crashing(rng, rollout))
        case None | Fault.TAIL | Fault.CPU:
            return rollout
        case _:
            at = float(rng.uniform(0, length / 2)) if fault is Fault.OUTAGE else 0.0
            return replace(
                rollout,
                fault_at=at,
                fault_errors=errors.get(fault, 0.0),
                fault_latency=math.log(latency.get(fault, 1.0)),
            )


def _long_lived(rng: Generator, rollout: Rollout) -> int:
    """A canary pod of the first step that stays, else the one that lives longest."""
    stays = [i for i, p in enumerate(rollout.pods) if p.canary and p.death > rollout.length]
    early = [i for i in stays if rollout.pods[i].birth < 0.5 * rollout.length]
    return int(rng.choice(early or stays))


def _crashing(rng: Generator, rollout: Rollout) -> tuple[Pod, ...]:
    out = []
    for pod in rollout.pods:
        if not pod.canary:
            out.append(pod)
            continue
        count = int((rollout.length - pod.birth) // 240) + 1
        times = pod.birth + np.cumsum(rng.uniform(210, 270, count))
        again = tuple(float(t) for t in times if t < min(rollout.length, pod.death))
        out.append(replace(pod, starts=(pod.birth, *again)))
    return tuple(out)
