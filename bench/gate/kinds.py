"""Every kind of rollout: what the gate does where no control serves beside the canary.

    python bench/gate/kinds.py [--quick] [--json FILE] [--seeds 1] [--jobs 2]

Each rollout is simulated as raw samples with four weeks before it and three services beside it
(`designs.py`, `longpast.py`) and judged each five minutes by the function that answers HTTP. A rollout is
found when it fails within ten minutes of its first users.
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

from bench.gate.designs import NEW, OLD, Design, Staged, staged  # noqa: E402
from bench.gate.longpast import World  # noqa: E402
from bench.gate.operating import mixed, of, share  # noqa: E402
from bench.gate.rollout import Fault  # noqa: E402
from bench.gate.samples import NAMESPACE, ORIGIN, SERVICE  # noqa: E402
from detector.gate.attempt import Revision  # noqa: E402
from detector.gate.policy import Policy  # noqa: E402
from detector.gate.request import Stage, VerdictRequest  # noqa: E402
from detector.gate.session import Session  # noqa: E402
from detector.gate.verdict import Outcome, Verdict  # noqa: E402
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
    verdicts, gate = _asked(stage, world)
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
        reason=last.reason.code,
        note=next((n for n in last.notes if "Weaker" in n), ""),
        cpu_s=spent,
    )


def _asked(stage: Staged, world: World) -> tuple[list[Verdict], Gate]:
    gate = Gate(
        source=world,
        catalog=world,
        stores=memory_stores(),
        clock=world,
        discover=Discovery(_packs(), world),
        session_factory=Session,
        settings=_PATIENT,
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
            if len(done) % 50 == 0:
                left = (monotonic() - begun) / len(done) * (len(tasks) - len(done)) / 60
                print(f"{len(done)}/{len(tasks)} rollouts, {left:.1f} min left", file=sys.stderr)
    return sorted(done, key=lambda r: r.seed)


def healthy_of(records: Iterable[Record]) -> list[Record]:
    """Healthy rollouts whose cluster was quiet."""
    return [r for r in records if r.fault is None and not r.silent and not r.incident]


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a figure falls short."""
    args = arguments(argv)
    records = run_all(mixed(tasks_of(args)), args)
    for design in Design:
        mine = [r for r in records if r.design is design]
        print(
            design,
            "false",
            of(*share(healthy_of(mine), lambda r: r.failed)),
            "passed",
            of(*share(healthy_of(mine), lambda r: r.passed)),
            *(
                f"{f}: {of(*share([r for r in mine if r.fault is f and r.rps >= 20], lambda r: r.found))}"
                for f in _FAULTS
            ),
            *(
                f"<20/s {f}: {of(*share([r for r in mine if r.fault is f and r.rps < 20], lambda r: r.found))}"
                for f in _FAULTS
            ),
            "silent passed",
            of(*share([r for r in mine if r.silent], lambda r: r.passed)),
            "incident passed/failed",
            of(*share([r for r in mine if r.incident], lambda r: r.passed)),
            of(*share([r for r in mine if r.incident], lambda r: r.failed)),
            "cpu",
            np.mean([r.cpu_s for r in mine]) if mine else 0,
        )
    return 0


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rollouts of each kind")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--records", type=Path, help="write one line of JSON per rollout here")
    parser.add_argument("--seeds", type=int, default=1, help="which set of seeds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--design", choices=[d.value for d in Design])
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
