"""The past of a stream in place of the gate's own, where the source forgets after hours.

    python bench/gate/streamed.py [--quick] [--json FILE] [--seeds 1] [--jobs 2]

Rollouts without a control that serves, each judged three times by the function that answers HTTP:
by the six hours that a source keeps, by those beside a stream that heard two weeks (`pushed.py`),
and, as a peer, by a source that keeps four weeks. Half of them fall into a rush that the service
has at this time of each working day.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.designs import Design, Staged, staged  # noqa: E402
from bench.gate.kinds import asked_of  # noqa: E402
from bench.gate.operating import interval, mixed, of, ratio, share, table  # noqa: E402
from bench.gate.pushed import Forgetful, Heard  # noqa: E402
from bench.gate.rollout import Fault  # noqa: E402
from bench.gate.samples import ORIGIN  # noqa: E402
from bench.gate.trials import closest  # noqa: E402
from detector.gate.verdict import Outcome  # noqa: E402

_KEPT_S = 6 * 3600.0
_WITHIN_S, _ENOUGH = 600.0, 20.0
_DESIGNS = (Design.BLUE_GREEN, Design.RECREATE, Design.ROLLING)
_FAULTS = (Fault.ERRORS_TWO, Fault.LATENCY_50, Fault.ERRORS_ONE, Fault.LATENCY_25)
ASKED: dict[str, tuple[str, float]] = {
    "false_rollback_rate": ("<=", 0.01),
    "found_more": (">=", 0.0),
    "passed_more": (">=", 0.0),
    "passes_without_data": ("<=", 0.0),
    "used": (">=", 0.95),
}


class Past(StrEnum):
    """What the gate knows of the service before."""

    OWN = "6 h of the source"
    STREAM = "6 h, and 2 weeks of the stream"
    LONG = "4 weeks of the source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One rollout to judge by each past."""

    seed: int
    design: Design
    fault: Fault | None = None
    rush: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What came of one rollout by one past. Seconds are from the canary's first users.

    `asked`: the past was needed; `used`: of that the stream foretold the required signals.
    """

    seed: int
    design: Design
    fault: Fault | None
    rush: bool
    silent: bool
    past: Past
    rps: float
    error_rate: float
    fail_after: float | None
    passed: bool
    asked: bool
    used: bool
    closest: float
    reason: str

    @property
    def failed(self) -> bool:
        """A fail at any time."""
        return self.fail_after is not None

    @property
    def found(self) -> bool:
        """A fail within ten minutes."""
        return self.fail_after is not None and self.fail_after <= _WITHIN_S


def run(task: Task) -> list[Record]:
    """One rollout by every past."""
    stage = staged(task.seed, task.design, task.fault, silent=task.silent, rush=task.rush)
    return [judged(task, stage, past) for past in Past]


def judged(task: Task, stage: Staged, past: Past) -> Record:
    """One rollout by one past."""
    drawn = stage.world()
    kept_s = np.inf if past is Past.LONG else _KEPT_S
    world = Forgetful(drawn.source, drawn.counters, drawn.now, kept_s)
    heard = Heard(world) if past is Past.STREAM else None
    verdicts, gate = asked_of(stage, world, heard)
    last = verdicts[-1]
    latch = gate.stores.attempts.get(last.attempt).latch
    told = [] if heard is None else heard.asked
    return Record(
        seed=task.seed,
        design=task.design,
        fault=task.fault,
        rush=task.rush,
        silent=task.silent,
        past=past,
        rps=stage.rollout.rps,
        error_rate=stage.rollout.error_rate,
        fail_after=None if latch is None else latch.at - ORIGIN - stage.since,
        passed=any(v.outcome is Outcome.PASS for v in verdicts),
        asked=bool(told),
        used=bool(told) and not told[-1].why,
        closest=max(closest(v.signals) for v in verdicts),
        reason=last.reason.code,
    )


def tasks_of(args: argparse.Namespace) -> Iterator[Task]:
    """Healthy, faulty and silent rollouts of every kind, calm and in a rush, with own seeds."""
    for k, (design, rush) in enumerate((d, r) for d in _DESIGNS for r in (False, True)):
        base = 10_000_000 * args.seeds + 1_000_000 * k
        for i in range(args.healthy):
            yield Task(seed=base + i, design=design, rush=rush)
        for i in range(args.faulty):
            fault = _FAULTS[i % len(_FAULTS)]
            yield Task(seed=base + 300_000 + i, design=design, fault=fault, rush=rush)
        for i in range(args.silent):
            yield Task(seed=base + 600_000 + i, design=design, rush=rush, silent=True)


def run_all(tasks: Sequence[Task], args: argparse.Namespace) -> list[Record]:
    """Run tasks in processes of their own; each record is written as it comes."""
    done: list[Record] = []
    with ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(max_workers=args.jobs))
        out = stack.enter_context(args.records.open("w")) if args.records else None
        futures = [pool.submit(run, task) for task in tasks]
        for number, future in enumerate(as_completed(futures), 1):
            done += future.result()
            if out is not None:
                lines = [json.dumps(asdict(record)) for record in done[-len(Past) :]]
                print(*lines, sep="\n", file=out, flush=True)
            if number % 20 == 0:
                print(f"{number}/{len(tasks)} rollouts", file=sys.stderr)
    return done


def well(records: Iterable[Record]) -> list[Record]:
    """Healthy ones that had users."""
    return [r for r in records if r.fault is None and not r.silent]


def busy(records: Iterable[Record]) -> list[Record]:
    """Those with traffic enough."""
    return [r for r in records if r.rps >= _ENOUGH]


def faulty(records: Iterable[Record]) -> list[Record]:
    """Faulty ones with traffic enough."""
    return [r for r in busy(records) if r.fault is not None]


def figures_of(records: Sequence[Record], past: Past) -> dict[str, float]:
    """What came of the rollouts by one past; of faults, those that fall into no rush apart."""
    mine = [r for r in records if r.past is past]
    false, count = share(well(mine), lambda r: r.failed)
    figures = {
        "false_rollback_rate": ratio(false, count),
        "false_rollback_upper": interval(false, count)[1],
        "closest_in_health": max((r.closest for r in well(mine)), default=float("nan")),
        "passes_without_data": float(sum(r.passed for r in mine if r.silent)),
    }
    for name, rush in (("calm", False), ("rush", True)):
        part = [r for r in mine if r.rush is rush]
        figures[f"detection_rate_{name}"] = ratio(*share(faulty(part), lambda r: r.found))
        figures[f"passed_{name}"] = ratio(*share(busy(well(part)), lambda r: r.passed))
    return figures


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a figure falls short."""
    args = arguments(argv)
    records = run_all(mixed(list(tasks_of(args))), args)
    each = {past: figures_of(records, past) for past in Past}
    ours, own = each[Past.STREAM], each[Past.OWN]
    figures = {
        **ours,
        "found_more": ours["detection_rate_calm"] - own["detection_rate_calm"],
        "passed_more": ours["passed_rush"] - own["passed_rush"],
        "used": ratio(*share([r for r in records if r.asked], lambda r: r.used)),
    }
    _print(records)
    peers = {past.value: each[past] for past in Past if past is not Past.STREAM}
    asked = {name: bound for name, bound in ASKED.items() if not np.isnan(figures[name])}
    rows = [
        [name, f"{value:.4g}", "{} {:g}".format(*asked[name]) if name in asked else ""]
        for name, value in figures.items()
    ]
    table(["figure", "with the stream", "asked"], rows)
    setup = {"seeds": args.seeds, "rollouts": len(records) // len(Past), "kept_s": _KEPT_S}
    return concluded(figures, peers, asked, setup, args.json)


def _print(records: Sequence[Record]) -> None:
    rows = []
    for rush in (False, True):
        for past in Past:
            mine = [r for r in records if r.past is past and r.rush is rush]
            found = [
                of(*share([r for r in faulty(mine) if r.fault is f], lambda r: r.found))
                for f in _FAULTS
            ]
            rows.append(
                [
                    "in a rush" if rush else "calm",
                    past.value,
                    of(*share(well(mine), lambda r: r.failed)),
                    of(*share(busy(well(mine)), lambda r: r.passed)),
                    *found,
                ]
            )
    print(f"Faults found within 10 minutes at {_ENOUGH:g} requests/s and more:")
    table(["", "known before", "false", "passed", *(f.value for f in _FAULTS)], rows)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rollouts of each kind")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--records", type=Path, help="write one line of JSON per rollout here")
    parser.add_argument("--seeds", type=int, default=1, help="which set of seeds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--healthy", type=int)
    parser.add_argument("--faulty", type=int)
    parser.add_argument("--silent", type=int)
    args = parser.parse_args(argv)
    few = args.quick
    args.healthy = args.healthy if args.healthy is not None else (2 if few else 60)
    args.faulty = args.faulty if args.faulty is not None else (2 if few else 40)
    args.silent = args.silent if args.silent is not None else (1 if few else 4)
    return args


if __name__ == "__main__":
    sys.exit(main())
