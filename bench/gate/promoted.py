"""Gauges as evidence: what CPU per request and growth of memory do once they are promoted.

    python bench/gate/promoted.py [--quick] [--json FILE] [--seeds 1] [--jobs 2]

The rollouts of `operating.py`, in bins, with a plan in which both may fail: healthy ones with all
that disturbs them, canaries that need 40 % more CPU for the same requests, and canaries whose
memory grows by 35 % in ten minutes. What starts of earlier weeks did is learned from eight pods
of the same service. CPU at +40 % is asked no more than the method's own simulation had found;
leaks are asked where most canary pods lived for two whole windows of ten minutes, since one alone
carries no verdict (`leaks_found_all` counts the others too).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.frames import FrameFeed, ask, binned, plan, polls  # noqa: E402
from bench.gate.operating import interval  # noqa: E402
from bench.gate.rates import Rates, expected  # noqa: E402
from bench.gate.rollout import Fault, Rollout, draw  # noqa: E402
from bench.gate.samples import ORIGIN, at_times  # noqa: E402
from detector.gate.frame import Arm, Frame  # noqa: E402
from detector.gate.policy import Policy  # noqa: E402
from detector.gate.session import Session  # noqa: E402
from detector.series import FloatArray  # noqa: E402
from detector.signals.plan import AgeGrowth, BoundSignal, Family, Plan  # noqa: E402
from detector.signals.signal import Kind, Shape, Signal, Unit  # noqa: E402
from models.sequential.growth import growth  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {
    "false_rollback_rate": ("<=", 0.001),
    "cpu_found": (">=", 0.35),
    "leaks_found": (">=", 0.90),
}
CPU, MEMORY = "cpu_per_request", "memory_growth"
_LEAK = float(np.log(1.35))
_STARTS = 8
_WINDOW_S, _FINAL_S = 600.0, 60.0


class World(StrEnum):
    """What is wrong with the canary."""

    HEALTHY = "healthy"
    CPU = "cpu +40 %"
    LEAK = "memory +35 % in 10 min"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One rollout: the signal that failed it, and how long after the fault began."""

    world: World
    in_scope: bool
    lasting: bool
    signal: str | None
    minutes: float | None


def _bound(name: str, family: Family, load: Family | None, usual: tuple[AgeGrowth, ...]) -> object:
    signal = Signal(name=name, kind=Kind.GAUGE, judged=False, promoted=True, grows=load is None)
    return BoundSignal(
        signal=signal, pack="bench", unit=Unit.POD, total=family, load=load, usual=usual
    )


def promoted_plan(usual: tuple[AgeGrowth, ...]) -> Plan:
    """The plan of the frames with both gauges promoted."""
    made = plan()
    cpu = Family(metric="container_cpu_usage_seconds_total", shape=Shape.COUNTER)
    memory = Family(metric="container_memory_rss", shape=Shape.GAUGE)
    more = (_bound(CPU, cpu, made.requests, ()), _bound(MEMORY, memory, None, usual))
    return replace(made, signals=(*made.signals, *more))  # type: ignore[arg-type]


def usual_of(rollout: Rollout) -> tuple[AgeGrowth, ...]:
    """What eight earlier starts of the service did in their first seventy minutes."""
    rng = np.random.default_rng([rollout.seed, 83])
    age = np.tile((np.arange(281) + 1) * 15.0, (_STARTS, 1))
    held = _filling(age) * np.exp(rng.normal(0, 0.004, (_STARTS, 1)) * age / 600.0)
    held = held * np.exp(rng.normal(0, 0.003, age.shape))
    return tuple(
        AgeGrowth(window=at, median=one.median, variance=one.variance, starts=one.starts)
        for at, one in growth(held, age, 15.0).usual.items()
    )


def _filling(age: FloatArray) -> FloatArray:
    """As `rates.py` draws a pod's memory, but for the collector's saw-tooth."""
    filled: FloatArray = 3e8 * (1.5 - 0.5 * np.exp(-age / 1800.0))
    return filled


def with_gauges(frame: Frame, rollout: Rollout, rates: Rates, *, leaking: bool) -> Frame:
    """The frame with CPU and memory of every pod; a leak begins with the canary's pods."""
    edges = (np.arange(frame.bins + 1, dtype=np.float64) + frame.first) * frame.step
    rows = {pod.name: at for at, pod in enumerate(rollout.pods)}
    rng = np.random.default_rng([rollout.seed, 87])

    def arm(bare: Arm, *, leak: float) -> Arm:
        at = [rows[name] for name in bare.pods]
        sums = np.stack([at_times(rates.times, rates.cpu[row], edges) for row in at])
        noise = np.exp(rng.normal(0, 0.03, bare.age.shape))
        cpu = np.diff(sums, axis=1) / frame.step * noise
        age = np.nan_to_num(bare.age)
        creep = rng.normal(0, 0.004, (len(at), 1)) + leak
        wobble = rng.normal(0, 0.003, age.shape)
        memory = _filling(age) * np.exp(creep * np.minimum(age, 7200.0) / 600.0 + wobble)
        there = (~np.isnan(bare.age)) & (bare.seen > 0)
        gauges = {CPU: np.where(there, cpu, np.nan), MEMORY: np.where(there, memory, np.nan)}
        return replace(bare, gauges=gauges)

    return replace(
        frame,
        canary=arm(frame.canary, leak=_LEAK if leaking else 0.0),
        control=arm(frame.control, leak=0.0),
    )


def judged(task: tuple[int, World]) -> Outcome:
    """Draw one rollout, and ask each minute until its end."""
    seed, world = task
    rollout = draw(seed, Fault.CPU if world is World.CPU else None)
    rates = expected(rollout)
    frame = with_gauges(binned(rollout, rates), rollout, rates, leaking=world is World.LEAK)
    session = Session(
        promoted_plan(usual_of(rollout)), Policy(), start=ORIGIN, interval=rollout.interval
    )
    session.builder = FrameFeed(frame, session.settle)
    first = None
    for now in polls(rollout):
        first = ask(session, rollout, now).first_fail
        if first is not None:
            break
    began = rollout.fault_at if world is World.CPU else 0.0
    return Outcome(
        world=world,
        in_scope=rollout.in_scope,
        lasting=_lasting(rollout),
        signal=None if first is None else first.signal,
        minutes=None if first is None else (first.at - ORIGIN - began) / 60,
    )


def _lasting(rollout: Rollout) -> bool:
    """Whether most canary pods lived for two windows, and for the bins until they are final."""
    lives = [min(p.death, rollout.length) - p.birth for p in rollout.pods if p.canary]
    return float(np.median(lives)) >= 2 * _WINDOW_S + _FINAL_S


def figures_of(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures of the bench by name."""
    healthy = [o for o in outcomes if o.world is World.HEALTHY]
    false = sum(o.signal in (CPU, MEMORY) for o in healthy)
    figures = {
        "false_rollback_rate": false / max(len(healthy), 1),
        "false_rollback_upper": interval(false, len(healthy))[1],
        "healthy": float(len(healthy)),
        "false_by_others": float(sum(o.signal not in (None, CPU, MEMORY) for o in healthy)),
    }
    faults = [o for o in outcomes if o.in_scope]
    leaks = [o for o in faults if o.world is World.LEAK]
    figures |= _found("cpu", CPU, [o for o in faults if o.world is World.CPU])
    figures |= _found("leaks", MEMORY, [o for o in leaks if o.lasting])
    figures["leaks_found_all"] = _found("all", MEMORY, leaks)["all_found"]
    return figures


def _found(name: str, signal: str, faulty: Sequence[Outcome]) -> dict[str, float]:
    """Share that the signal failed, of how many, and the median minutes from the fault."""
    minutes = [o.minutes for o in faulty if o.signal == signal and o.minutes is not None]
    return {
        f"{name}_found": len(minutes) / len(faulty) if faulty else float("nan"),
        f"{name}_of": float(len(faulty)),
        f"{name}_median_minutes": float(np.median(minutes)) if minutes else float("nan"),
    }


def main() -> int:
    """Judge them all and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    healthy, faulty = (120, 40) if args.quick else (1000, 200)
    base = args.seeds * 1_000_000
    tasks = [(base + n, World.HEALTHY) for n in range(healthy)]
    tasks += [(base + n, world) for world in (World.CPU, World.LEAK) for n in range(faulty)]
    with ProcessPoolExecutor(max_workers=args.jobs) as pool:
        outcomes = list(pool.map(judged, tasks, chunksize=4))
    figures = figures_of(outcomes)
    for name, value in figures.items():
        op, bound = ASKED.get(name, ("", float("nan")))
        print(f"{name:28} {value:10.3f}  {f'{op} {bound:g}' if op else ''}")
    setup = {"quick": args.quick, "seeds": args.seeds, "healthy": healthy, "faulty": faulty}
    return concluded(figures, {}, ASKED, setup, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
