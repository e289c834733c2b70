"""What calibrating on a service's own data could give back of the bound's slack.

    python bench/gate/slack.py [--quick] [--json FILE] [--jobs 2] [--seeds 21]

The evidence that a fail needs comes from a union bound, and healthy rollouts stay some nats below
it. `slack` nats less could be asked for, if a service's own placebos told how many. Simulated
rollouts (as in `operating.py`, on bins) are judged by the engine with `needed` divided by
exp(slack), persistence rule and all:

- how many healthy rollouts fail, and how many faults are found how soon, at each slack;
- what slack each way of calibrating would choose, and what then happens on seeds that it never saw:
  the pods' own placebos (old stable pods called a canary), and past healthy rollouts.

The promise is that at most 0.5 % of healthy rollouts ever fail. `asked` is that the study stays as
it is told in docs/backtest.md: nothing is lowered unless a way of calibrating keeps the promise.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.frames import ask, binned, polls, session_of  # noqa: E402
from bench.gate.rates import expected  # noqa: E402
from bench.gate.rollout import PLAIN, Fault, Nuisance, Pod, Rollout, draw  # noqa: E402
from bench.gate.samples import ORIGIN  # noqa: E402
from bench.gate.trials import closest  # noqa: E402
from detector.gate.policy import Policy  # noqa: E402
from detector.series import FloatArray  # noqa: E402
from models.proportion import exact_interval  # noqa: E402

# alpha is 0.005; at 4.6 nats less it would be 0.5, and nothing is promised beyond.
SLACKS = (0.0, 1.0, 2.0, 3.0, 4.0, 4.6)
PROMISE = 0.005
_ALPHA = 0.005
_LONG_AGO = -1e6
_DRAWS = 2000
_PLACEBOS = 200
Rule = Callable[[FloatArray], float]
FAULTS = tuple(fault for fault in Fault if fault is not Fault.CPU)
ASKED: dict[str, tuple[str, float]] = {"false_at_0": ("<=", PROMISE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One rollout: by slack when it failed (seconds from the start), and how near it came.

    `closest` is the largest log of evidence over needed at any poll, `placebo` that of its old
    pods called a canary; both None where they were not asked for.
    """

    fault: Fault | None
    in_scope: bool
    fault_at: float
    fails: tuple[float | None, ...] = ()
    closest: float | None = None
    placebo: float | None = None

    def found(self, at: int) -> bool:
        """Whether it failed at a slack, not before its fault began."""
        fail = self.fails[at]
        return fail is not None and fail >= self.fault_at


def calibrated(seed: int) -> Seen:
    """How near a healthy rollout and a placebo of its service come."""
    rollout = draw(seed, None)
    near = _closest(rollout)
    return Seen(
        fault=None,
        in_scope=rollout.in_scope,
        fault_at=0.0,
        closest=near,
        placebo=_closest(placebo_of(rollout)),
    )


def judged(task: tuple[int, Fault | None]) -> Seen:
    """When a rollout fails at each slack; what does not fail at one fails at none below it."""
    seed, fault = task
    rollout = draw(seed, fault)
    frame = binned(rollout, expected(rollout))
    fails: list[float | None] = []
    for slack in reversed(SLACKS):
        if fails and fails[-1] is None:
            fails.append(None)
            continue
        session = session_of(rollout, frame, Policy(alpha=min(_ALPHA * math.exp(slack), 0.5)))
        first = ask(session, rollout, rollout.length).first_fail
        fails.append(None if first is None else first.at - ORIGIN)
    return Seen(
        fault=rollout.fault,
        in_scope=rollout.in_scope,
        fault_at=rollout.fault_at,
        fails=tuple(reversed(fails)),
    )


def placebo_of(rollout: Rollout) -> Rollout:
    """The service of a rollout, with some of its old pods called a canary.

    The same traffic, latency and difference of pods; what comes with a release is not there: cold
    starts, steps of weight, and what all canary pods of a rollout share.
    """
    pods = [_old(pod) for pod in rollout.pods if not pod.canary and pod.birth < 0]
    size = max(1, min(len(pods) // 3, 3))
    named = [replace(pod, canary=number < size) for number, pod in enumerate(pods)]
    share = size / len(named)
    return replace(
        rollout,
        nuisance=Nuisance.NONE,
        active=rollout.active - {Nuisance.COLD, Nuisance.CHURN, Nuisance.RAMP, Nuisance.BURST},
        steps=((0.0, share),),
        told=False,
        pods=tuple(named),
        bursts=(),
        arm_latency=0.0,
        arm_errors=0.0,
        arm_cpu=0.0,
    )


def _old(pod: Pod) -> Pod:
    return replace(pod, starts=(_LONG_AGO,), death=math.inf)


def _closest(rollout: Rollout) -> float:
    session = session_of(rollout, binned(rollout, expected(rollout)), Policy())
    answers = [ask(session, rollout, now) for now in polls(rollout, 60.0)]
    return max(closest(answer.signals) for answer in answers)


# -- what is made of it


def share(marks: Iterable[bool]) -> tuple[int, int]:
    """How many of how many."""
    found = list(marks)
    return sum(found), len(found)


def told(hits: int, count: int) -> str:
    """A share with its exact interval, in per cent."""
    if not count:
        return "-"
    low, high = exact_interval(hits, count)
    return f"{hits}/{count} = {100 * hits / count:.2f} % ({100 * low:.2f} to {100 * high:.2f})"


def false_share(healthy: Sequence[Seen], slack: float) -> float:
    """Share of healthy rollouts that fail when so much less is needed, between those measured."""
    shares = [np.mean([one.fails[at] is not None for one in healthy]) for at in range(len(SLACKS))]
    return float(np.interp(slack, SLACKS, shares))


def found_share(faulty: Sequence[Seen], slack: float) -> float:
    """Share of faults found when so much less is needed."""
    shares = [np.mean([one.found(at) for one in faulty]) for at in range(len(SLACKS))]
    return float(np.interp(slack, SLACKS, shares))


def choices(near: Sequence[float], count: int, rule: Rule) -> FloatArray:
    """What slack a rule chooses from `count` of these, over many draws; within what was tried."""
    rng = np.random.default_rng(0)
    values = np.array(near)
    drawn = [rule(rng.choice(values, count)) for _ in range(_DRAWS)]
    chosen: FloatArray = np.minimum(np.maximum(np.array(drawn), 0.0), SLACKS[-1])
    return chosen


def quantile_rule(values: FloatArray) -> float:
    """All that lies above their 99.5 % quantile."""
    return -float(np.quantile(values, 1 - PROMISE, method="higher"))


def halved_rule(values: FloatArray) -> float:
    """Half of it, as a margin."""
    return 0.5 * quantile_rule(values)


def print_slacks(healthy: Sequence[Seen], faulty: Sequence[Seen]) -> None:
    """False roll-backs and faults found at each slack."""
    plain = [one for one in faulty if one.fault in PLAIN and one.in_scope]
    print("nats less | healthy that fail | faults found | plain, in scope | median minutes (plain)")
    for at, slack in enumerate(SLACKS):
        minutes = [
            (fail - one.fault_at) / 60
            for one in plain
            if (fail := one.fails[at]) is not None and fail >= one.fault_at
        ]
        cells = (
            told(*share(one.fails[at] is not None for one in healthy)),
            told(*share(one.found(at) for one in faulty)),
            told(*share(one.found(at) for one in plain)),
            f"{np.median(minutes):.1f}" if minutes else "-",
        )
        print(f"{slack:9.1f} | " + " | ".join(cells))
    print()


def print_choice(
    name: str, chosen: FloatArray, healthy: Sequence[Seen], faulty: Sequence[Seen]
) -> dict[str, float]:
    """What a way of calibrating chooses, and what comes of it on seeds it never saw."""
    false = np.array([false_share(healthy, slack) for slack in chosen])
    gained = np.mean([found_share(faulty, slack) for slack in chosen]) - found_share(faulty, 0.0)
    broken = float(np.mean(false > PROMISE))
    print(
        f"{name}: gives back {np.median(chosen):.1f} nats in the middle"
        f" ({np.quantile(chosen, 0.05):.1f} to {np.quantile(chosen, 0.95):.1f});"
        f" then {100 * false.mean():.2f} % of healthy rollouts fail,"
        f" the promise is broken in {100 * broken:.0f} % of calibrations;"
        f" {100 * gained:+.1f} points of all faults are found"
    )
    return {"nats": float(np.median(chosen)), "false": float(false.mean()), "broken": broken}


def print_records(file: Path) -> None:
    """How near the healthy rollouts of a whole operating run came, by what disturbed them.

    `operating.py --records FILE` writes it: raw samples, asked through the gate each minute.
    """
    read = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    healthy = [one for one in read if one["fault"] is None]
    near = np.array([one["closest"] for one in healthy])
    print(f"{len(healthy)} healthy rollouts through the gate, nearest evidence over needed, nats:")
    for name in (None, *sorted({one["nuisance"] for one in healthy})):
        mine = np.array([one["closest"] for one in healthy if name in {None, one["nuisance"]}])
        middle, high = np.quantile(mine, [0.5, 0.99])
        words = f"median {middle:6.2f}  99 % {high:6.2f}  most {mine.max():6.2f}"
        print(f"{name or 'all':10} {len(mine):5d}  {words}")
    for slack in SLACKS:
        print(f"reached with {slack:g} nats less: {told(int((near >= -slack).sum()), len(near))}")
    failed = sum(one["fail_at"] is not None for one in healthy)
    print(f"failed, persistence asked for: {told(failed, len(near))}\n")


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rollouts")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--records", type=Path, help="records of operating.py, shown first")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=21, help="which set of seeds")
    parser.add_argument("--calibration", type=int, help="healthy rollouts to calibrate on")
    parser.add_argument("--healthy", type=int, help="healthy rollouts that were never seen")
    parser.add_argument("--faulty", type=int)
    args = parser.parse_args(argv)
    for name, whole, quick in (
        ("calibration", 400, 24),
        ("healthy", 1000, 40),
        ("faulty", 390, 26),
    ):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else whole)
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write."""
    args = arguments(argv)
    begun, base = monotonic(), 1_000_000 * args.seeds
    if args.records:
        print_records(args.records)
    tasks: list[tuple[int, Fault | None]] = [
        (base + 500_000 + n, FAULTS[n % len(FAULTS)]) for n in range(args.faulty)
    ]
    tasks += [(base + 200_000 + n, None) for n in range(args.healthy)]
    with ProcessPoolExecutor(max_workers=args.jobs) as pool:
        first = list(pool.map(calibrated, range(base, base + args.calibration), chunksize=4))
        second = list(pool.map(judged, tasks, chunksize=4))
    faulty, healthy = second[: args.faulty], second[args.faulty :]
    print_slacks(healthy, faulty)
    past = [one.closest for one in first if one.closest is not None]
    old = [one.placebo for one in first if one.placebo is not None]
    print(f"nearest of {len(past)} healthy rollouts: {max(past):.2f}; of old pods: {max(old):.2f}")
    ways = {
        "old pods": choices(old, _PLACEBOS, quantile_rule),
        "past rollouts": choices(past, _PLACEBOS, quantile_rule),
        "past rollouts, half": choices(past, _PLACEBOS, halved_rule),
        "past rollouts, 600": choices(past, 600, quantile_rule),
    }
    made = {name: print_choice(name, chosen, healthy, faulty) for name, chosen in ways.items()}
    figures = {
        "false_at_0": false_share(healthy, 0.0),
        "found_at_0": found_share(faulty, 0.0),
        **{f"false_at_{slack:g}": false_share(healthy, slack) for slack in SLACKS[1:]},
        **{f"found_at_{slack:g}": found_share(faulty, slack) for slack in SLACKS[1:]},
        **{
            f"{name.replace(', ', '_').replace(' ', '_')}_{what}": value
            for name, way in made.items()
            for what, value in way.items()
        },
    }
    setup = {
        "calibration": args.calibration,
        "healthy": args.healthy,
        "faulty": args.faulty,
        "seeds": args.seeds,
        "seconds": round(monotonic() - begun, 1),
    }
    return concluded(figures, {}, ASKED, setup, args.json)


if __name__ == "__main__":
    sys.exit(main())
