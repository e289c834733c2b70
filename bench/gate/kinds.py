"""Every kind of rollout: what the gate does where no control serves beside the canary.

    python bench/gate/kinds.py [--quick] [--json FILE] [--seeds 1] [--jobs 2]

Each rollout is simulated as raw samples with four weeks before it and three services beside it
(`designs.py`, `longpast.py`) and judged each five minutes by the function that answers HTTP. A
rollout is found when it fails within ten minutes of its first users.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from time import monotonic, process_time

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.cohorts import WEIGHT  # noqa: E402
from bench.gate.designs import NEW, OLD, Design, Staged, staged  # noqa: E402
from bench.gate.longpast import World  # noqa: E402
from bench.gate.operating import interval, mixed, of, ratio, share, table  # noqa: E402
from bench.gate.rollout import Fault  # noqa: E402
from bench.gate.samples import NAMESPACE, ORIGIN, SERVICE  # noqa: E402
from bench.gate.trials import closest  # noqa: E402
from detector.gate.attempt import Revision  # noqa: E402
from detector.gate.policy import Policy  # noqa: E402
from detector.gate.request import Stage, VerdictRequest  # noqa: E402
from detector.gate.session import Session  # noqa: E402
from detector.gate.verdict import Outcome, Verdict  # noqa: E402
from detector.ports import Baselines  # noqa: E402
from pipelines.flows.discovery import Discovery  # noqa: E402
from pipelines.flows.gate import Gate, GateSettings  # noqa: E402
from pipelines.packs import load_packs  # noqa: E402
from pipelines.stores.memory import memory_stores  # noqa: E402

_packs = cache(load_packs)
_PATIENT = GateSettings(bound_s=600.0)
# Polling enters no formula: a fail is certain at a boundary, whoever asks when.
_EVERY_S = 300.0
_WITHIN_S = 600.0
_FAULTS = (Fault.ERRORS_TWO, Fault.LATENCY_50)
_ENOUGH = 20.0
_AGAINST_HISTORY = (Design.BLUE_GREEN, Design.RECREATE, Design.ROLLING)
_RATES = ((0.0, 1e-3), (1e-3, 5e-3), (5e-3, 1.2e-2), (1.2e-2, 1.0))
ASKED: dict[str, tuple[str, float]] = {
    "false_rollback_rate": ("<=", 0.01),
    "detection_rate": (">=", 0.90),
    "passes_without_data": ("<=", 0.0),
    "passes_in_incidents": ("<=", 0.0),
    "labelled": (">=", 1.0),
    **{f"false_rollback_rate_{d.name.lower()}": ("<=", 0.01) for d in Design},
    **{f"detection_rate_{d.name.lower()}": (">=", 0.90) for d in Design},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One rollout to run."""

    seed: int
    design: Design
    fault: Fault | None = None
    silent: bool = False
    incident: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What came of one rollout. Seconds are from the canary's first users."""

    seed: int
    design: Design
    fault: Fault | None
    silent: bool
    incident: bool
    rps: float
    error_rate: float
    pods: int
    fail_after: float | None
    fail_signal: str | None
    passed: bool
    labelled: bool
    closest: float
    reason: str
    note: str
    cpu_s: float

    @property
    def failed(self) -> bool:
        """A fail at any time."""
        return self.fail_after is not None

    @property
    def found(self) -> bool:
        """A fail within ten minutes."""
        return self.fail_after is not None and self.fail_after <= _WITHIN_S


def run(task: Task) -> Record:
    """Stage, simulate, ask, and record one rollout."""
    stage = staged(task.seed, task.design, task.fault, silent=task.silent, incident=task.incident)
    world = stage.world()
    begun = process_time()
    verdicts, gate = asked_of(stage, world)
    spent = process_time() - begun
    last = verdicts[-1]
    latch = gate.stores.attempts.get(last.attempt).latch
    passes = [v for v in verdicts if v.outcome is Outcome.PASS]
    return Record(
        seed=task.seed,
        design=task.design,
        fault=task.fault,
        silent=task.silent,
        incident=task.incident,
        rps=stage.rollout.rps,
        error_rate=stage.rollout.error_rate,
        pods=sum(p.canary for p in stage.rollout.pods),
        fail_after=None if latch is None else latch.at - ORIGIN - stage.since,
        fail_signal=None if latch is None else latch.signal,
        passed=bool(passes),
        labelled=any("Weaker" in note for v in verdicts for note in v.notes),
        closest=max(closest(v.signals) for v in verdicts),
        reason=last.reason.code,
        note=next((n for n in last.notes if "Weaker" in n), ""),
        cpu_s=spent,
    )


def asked_of(
    stage: Staged, world: World, baselines: Baselines | None = None
) -> tuple[list[Verdict], Gate]:
    """Every answer up to a fail or the end, and the gate that gave them."""
    gate = Gate(
        source=world,
        catalog=world,
        stores=memory_stores(),
        clock=world,
        discover=Discovery(_packs(), world),
        session_factory=Session,
        settings=_PATIENT,
        baselines=baselines,
    )
    if stage.design is Design.ROLLBACK:
        gate.stores.revisions.saw([_known()], apart_s=3600.0)
    verdicts = []
    for at in np.arange(_EVERY_S, stage.rollout.length + 1, _EVERY_S):
        world.now = ORIGIN + float(at)
        verdicts.append(gate.judge(_request(stage, float(at))))
        if verdicts[-1].outcome is Outcome.FAIL:
            break
    return verdicts, gate


def _known() -> Revision:
    """The canary's revision served for a day last week."""
    since = ORIGIN - 8 * 86_400.0
    return Revision(
        tenant="default",
        cluster=None,
        namespace=NAMESPACE,
        service=SERVICE,
        key=f"hash:{NEW}",
        since=since,
        until=since + 86_400.0,
    )


def _request(stage: Staged, at: float) -> VerdictRequest:
    """As Argo's templates ask: both arms by the hash in the pods' names."""
    if stage.design is Design.COHORTS:
        return VerdictRequest(
            service=SERVICE,
            namespace=NAMESPACE,
            canary='feature_flag_variant="on"',
            control='feature_flag_variant="off"',
            weight=100 * WEIGHT,
            stage=Stage.FINAL if at >= stage.rollout.length else Stage.STEP,
            policy=Policy(name="bench"),
        )
    first = stage.design is Design.FIRST
    return VerdictRequest(
        service=SERVICE,
        namespace=NAMESPACE,
        rollout=SERVICE,
        canary=f'pod=~"{SERVICE}-{NEW}-.+"',
        control=None if first else f'pod=~"{SERVICE}-{OLD}-.+"',
        stage=Stage.FINAL if at >= stage.rollout.length else Stage.STEP,
        policy=Policy(name="bench", promises_slo=first),
    )


def tasks_of(args: argparse.Namespace) -> list[Task]:
    """Healthy, faulty, silent and shaken rollouts of every kind, with seeds of their own."""
    designs = [Design(args.design)] if args.design else list(Design)
    out = []
    for k, design in enumerate(designs):
        base = 10_000_000 * args.seeds + 1_000_000 * k
        out += [Task(seed=base + i, design=design) for i in range(args.healthy)]
        out += [
            Task(seed=base + 300_000 + i, design=design, fault=_FAULTS[i % len(_FAULTS)])
            for i in range(args.faulty)
        ]
        out += [
            Task(seed=base + 600_000 + i, design=design, silent=True) for i in range(args.silent)
        ]
        if design is Design.COHORTS:
            continue
        out += [
            Task(seed=base + 800_000 + i, design=design, incident=True) for i in range(args.silent)
        ]
    return out


def run_all(tasks: Sequence[Task], args: argparse.Namespace) -> list[Record]:
    """Run tasks in processes of their own; each record is written as it comes."""
    begun, done = monotonic(), []
    with ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(max_workers=args.jobs))
        out = stack.enter_context(args.records.open("w")) if args.records else None
        for future in as_completed([pool.submit(run, task) for task in tasks]):
            done.append(future.result())
            if out is not None:
                print(json.dumps(asdict(done[-1])), file=out, flush=True)
            if monotonic() - begun > 60 * args.minutes:
                pool.shutdown(wait=False, cancel_futures=True)
                break
            if len(done) % 50 == 0 or len(done) == len(tasks):
                left = (monotonic() - begun) / len(done) * (len(tasks) - len(done)) / 60
                print(f"{len(done)}/{len(tasks)} rollouts, {left:.1f} min left", file=sys.stderr)
    return sorted(done, key=lambda r: r.seed)


def healthy_of(records: Iterable[Record]) -> list[Record]:
    """Healthy rollouts whose cluster was quiet."""
    return [r for r in records if r.fault is None and not r.silent and not r.incident]


def plain_of(records: Iterable[Record], fault: Fault | None = None) -> list[Record]:
    """Faulty rollouts with traffic enough; with no control latency has no absolute bound."""
    faulty = (r for r in records if r.fault is not None and r.rps >= _ENOUGH)
    asked = [r for r in faulty if r.design is not Design.FIRST or r.fault is not Fault.LATENCY_50]
    return [r for r in asked if fault is None or r.fault is fault]


def figures_of(records: Sequence[Record]) -> dict[str, float]:
    """The figures of the bench by name; those of a kind end with it."""
    healthy, faulty = healthy_of(records), plain_of(records)
    false, count = share(healthy, lambda r: r.failed)
    silent = [r for r in records if r.silent]
    lone = [r for r in records if r.note or r.failed]
    figures = {
        "false_rollback_rate": ratio(false, count),
        "false_rollback_upper": interval(false, count)[1],
        "detection_rate": ratio(*share(faulty, lambda r: r.found)),
        "passes_without_data": float(sum(r.passed for r in silent)),
        "healthy_rollouts": float(count),
        "faulty_rollouts": float(len(faulty)),
        "silent_rollouts": float(len(silent)),
        "passes_in_incidents": float(
            sum(r.passed for r in records if r.incident and r.design in _AGAINST_HISTORY)
        ),
        "fails_in_incidents": float(
            sum(r.failed for r in records if r.incident and r.design in _AGAINST_HISTORY)
        ),
        "closest_in_health": max((r.closest for r in healthy), default=float("nan")),
        "labelled": ratio(*share([r for r in lone if r.passed], lambda r: r.labelled)),
        "cpu_seconds_each": float(np.mean([r.cpu_s for r in records])),
    }
    for design in Design:
        mine, name = [r for r in records if r.design is design], design.name.lower()
        figures[f"false_rollback_rate_{name}"] = ratio(*share(healthy_of(mine), lambda r: r.failed))
        figures[f"detection_rate_{name}"] = ratio(*share(plain_of(mine), lambda r: r.found))
    return figures


def print_kinds(records: Sequence[Record]) -> None:
    """One row per kind: false roll-backs, faults found, passes."""
    rows = []
    for design in Design:
        mine = [r for r in records if r.design is design]
        well, shaken = healthy_of(mine), [r for r in mine if r.incident]
        quiet = [r for r in mine if r.fault is not None and r.rps < _ENOUGH]
        rows.append(
            [
                design.value,
                of(*share(well, lambda r: r.failed)),
                of(*share([r for r in well if r.rps >= _ENOUGH], lambda r: r.passed)),
                *(of(*share(plain_of(mine, f), lambda r: r.found)) for f in _FAULTS),
                of(*share(quiet, lambda r: r.found)),
                of(*share([r for r in mine if r.silent], lambda r: r.passed)),
                of(*share(shaken, lambda r: r.passed)),
                of(*share(shaken, lambda r: r.failed)),
            ]
        )
    print(f"By kind; faults found within 10 minutes at {_ENOUGH:g} requests/s and more:")
    head = ["kind", "false", "passed", *(f.value for f in _FAULTS), "less traffic"]
    table([*head, "silent passed", "incident passed", "failed"], rows)


def print_rates(records: Sequence[Record]) -> None:
    """Errors +2 points by the rate that the service always had."""
    rows = []
    for low, high in _RATES:
        mine = [r for r in plain_of(records, Fault.ERRORS_TWO) if low <= r.error_rate < high]
        rows.append([f"{low:.2%}..{high:.2%}", of(*share(mine, lambda r: r.found))])
    print("Errors +2 points, by what the service fails at anyway:")
    table(["errors before", "found"], rows)


def print_missed(records: Sequence[Record]) -> None:
    """Every false roll-back and every fault that was not found, to be looked into."""
    wrong = [r for r in healthy_of(records) if r.failed]
    missed = [r for r in plain_of(records) if not r.found]
    for r in (*wrong, *missed):
        what = "false roll-back" if r.fault is None else f"not found: {r.fault}"
        after = "" if r.fail_after is None else f" after {r.fail_after:.0f} s"
        print(
            f"{what}: {r.design} seed {r.seed} {r.fail_signal or r.reason}{after}"
            f" rps {r.rps:.3g} errors {r.error_rate:.3g} pods {r.pods}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a figure falls short."""
    args = arguments(argv)
    records = run_all(mixed(tasks_of(args)), args)
    figures = figures_of(records)
    print_kinds(records)
    print_rates(records)
    print_missed(records)
    asked = {name: bound for name, bound in ASKED.items() if not np.isnan(figures[name])}
    rows = [
        [name, f"{value:.4g}", "{} {:g}".format(*asked[name]) if name in asked else ""]
        for name, value in figures.items()
    ]
    table(["figure", "serinus", "asked"], rows)
    setup = {"seeds": args.seeds, "rollouts": len(records), "within_s": _WITHIN_S}
    return concluded(figures, {}, asked, setup, args.json)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rollouts of each kind")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--records", type=Path, help="write one line of JSON per rollout here")
    parser.add_argument("--seeds", type=int, default=1, help="which set of seeds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--design", choices=[d.value for d in Design])
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so long")
    parser.add_argument("--healthy", type=int)
    parser.add_argument("--faulty", type=int)
    parser.add_argument("--silent", type=int)
    args = parser.parse_args(argv)
    few = args.quick
    args.healthy = args.healthy if args.healthy is not None else (6 if few else 200)
    args.faulty = args.faulty if args.faulty is not None else (6 if few else 60)
    args.silent = args.silent if args.silent is not None else (2 if few else 10)
    return args


if __name__ == "__main__":
    sys.exit(main())
