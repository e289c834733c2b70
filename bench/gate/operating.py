"""Operating characteristics of the gate: what it does to healthy and to faulty rollouts.

    python bench/gate/operating.py [--quick] [--json FILE] [--seeds 1] [--jobs 2]

Every rollout is simulated as raw Prometheus samples (`rollout.py` says what is drawn, `rates.py`
how a service behaves, `samples.py` how it is scraped) and judged each minute by the function that
answers HTTP. Three peers judge the same samples. `--direct` asks the engine on bins instead, ten
times as fast: for research, not to be quoted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import TypeVar

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
from scipy.stats import beta  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.peers import PEERS  # noqa: E402
from bench.gate.rollout import PLAIN, Fault, Nuisance  # noqa: E402
from bench.gate.trials import Record, Task, run  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {
    "false_rollback_rate": ("<=", 0.001),
    "false_rollback_upper": ("<=", 0.005),
    "plain_found": (">=", 0.95),
    "median_minutes": ("<=", 5.0),
    "power_ratio": (">=", 0.85),
    "power_ratio_differ": (">=", 0.80),
    "healthy_pass_rate": (">=", 0.96),
    "healthy_pass_rate_differ": (">=", 0.85),
    "pass_above_limit": ("<=", 0.01),
    "needs_within_2": (">=", 0.80),
    "low_traffic_false_rollbacks": ("<=", 0.0),
}
_LOW_TRAFFIC = 5.0
_RATES = ((0, 5), (5, 20), (20, 100), (100, 1e9))
_PODS = ((1, 2), (3, 3), (4, 6), (7, 18))
Records = Sequence[Record]
T = TypeVar("T")


def interval(hits: int, count: int) -> tuple[float, float]:
    """Exact two-sided 95 % interval of a share (Clopper and Pearson)."""
    if count == 0:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, count - hits + 1))
    high = 1.0 if hits == count else float(beta.ppf(0.975, hits + 1, count - hits))
    return low, high


def share(records: Iterable[T], hit: Callable[[T], bool]) -> tuple[int, int]:
    """How many of how many."""
    marks = [hit(r) for r in records]
    return sum(marks), len(marks)


def ratio(hits: int, count: int) -> float:
    """Share, nan of nothing."""
    return hits / count if count else float("nan")


def healthy_of(records: Records) -> list[Record]:
    """Healthy rollouts."""
    return [r for r in records if r.fault is None]


def faulty_of(records: Records, *, scope: bool = True) -> list[Record]:
    """Faulty rollouts that may fail; in the conditions of the asked figures unless told else."""
    faults = [r for r in records if r.fault not in (None, Fault.CPU)]
    return [r for r in faults if r.in_scope or not scope]


def power_ratio(records: Records) -> float:
    """Faults found over those that the oracle would find."""
    known = [r for r in records if r.oracle is not None]
    best = sum(r.oracle or 0.0 for r in known)
    return sum(r.found for r in known) / best if best else float("nan")


def passing(records: Records) -> list[Record]:
    """Healthy rollouts of which a pass at the end is asked: load in proportion, as drawn and as is.

    Traffic that grows while only the stable arm is scaled out of a plan in proportion is none.
    """
    asked = [r for r in healthy_of(records) if r.in_scope and not r.bake]
    return [r for r in asked if r.proportional and r.comparable]


def figures_of(records: Records) -> dict[str, float]:
    """The figures of the bench by name."""
    healthy, faulty = healthy_of(records), faulty_of(records)
    plain = [r for r in faulty if r.fault in PLAIN]
    false, count = share(healthy, lambda r: r.failed)
    minutes = [r.minutes for r in plain if r.minutes is not None]
    answered = [r.answered for r in plain if r.answered is not None]
    alike, differ = ([r for r in passing(records) if r.differ is d] for d in (False, True))
    above = [r for r in records if r.harm_counts]
    needs = [r.needs_ratio for r in healthy if r.needs_ratio is not None]
    low = [r for r in healthy if r.canary_rps < _LOW_TRAFFIC]
    return {
        "false_rollback_rate": ratio(false, count),
        "false_rollback_upper": interval(false, count)[1],
        "plain_found": ratio(*share(plain, lambda r: r.found)),
        "median_minutes": float(np.median(minutes)) if minutes else float("nan"),
        "power_ratio": power_ratio(faulty),
        "power_ratio_differ": power_ratio([r for r in faulty if r.differ]),
        "healthy_pass_rate": ratio(*share(alike, lambda r: r.passed_last)),
        "healthy_pass_rate_differ": ratio(*share(differ, lambda r: r.passed_last)),
        "pass_above_limit": ratio(*share(above, lambda r: r.passed_above)),
        "needs_within_2": float(np.mean([0.5 <= n <= 2 for n in needs])) if needs else float("nan"),
        "low_traffic_false_rollbacks": float(sum(r.failed for r in low)),
        "healthy_rollouts": float(count),
        "faulty_rollouts": float(len(faulty_of(records, scope=False))),
        "failed_before_fault": float(
            sum(r.failed and not r.found for r in faulty_of(records, scope=False))
        ),
        "healthy_pass_any": ratio(*share(alike, lambda r: r.passed_any)),
        "closest_in_health": max((r.closest for r in healthy), default=float("nan")),
        "median_minutes_answered": float(np.median(answered)) if answered else float("nan"),
        "cpu_seconds_each": float(np.mean([r.cpu_s for r in records])),
    }


def peer_figures(records: Records) -> dict[str, dict[str, float]]:
    """False roll-backs, plain faults found and minutes of each peer."""
    out = {}
    plain = [r for r in faulty_of(records) if r.fault in PLAIN]
    for peer in PEERS:
        at = [(r, r.peers[peer]) for r in plain]
        waits = [60 * m - r.fault_at for r, m in at if m is not None and 60 * m >= r.fault_at]
        wrong, count = share(healthy_of(records), lambda r, p=peer: r.peers[p] is not None)  # type: ignore[misc]
        out[peer] = {
            "false_rollback_rate": ratio(wrong, count),
            "plain_found": ratio(len(waits), len(plain)),
            "median_minutes": float(np.median(waits)) / 60 if waits else float("nan"),
        }
    return out


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns."""
    lines = [list(head), *(list(r) for r in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    for line in lines:
        cells = (
            c.ljust(w) if k == 0 else c.rjust(w)
            for k, (c, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(cells).rstrip())
    print()


def of(hits: int, count: int) -> str:
    """3/4 as people read it."""
    return f"{hits}/{count}" if count else "-"


def found_cell(records: Records) -> str:
    """Found, of how many, median minutes."""
    minutes = [r.minutes for r in records if r.minutes is not None]
    middle = f" {np.median(minutes):.1f}" if minutes else ""
    return of(*share(records, lambda r: r.found)) + middle


def oracle_cell(records: Records) -> str:
    """Mean power of the oracle."""
    known = [r.oracle for r in records if r.oracle is not None]
    return f"{np.mean(known):.2f}" if known else "-"


def print_faults(records: Records) -> None:
    """One row per fault: found, median minutes, oracle."""
    rows = []
    for fault in Fault:
        mine = [r for r in records if r.fault is fault]
        alike, differ = ([r for r in mine if r.in_scope and r.differ is d] for d in (False, True))
        rest = [r for r in mine if not r.in_scope]
        rows.append(
            [
                fault.value + (" *" if fault in PLAIN else ""),
                found_cell(alike),
                oracle_cell(alike),
                found_cell(differ),
                oracle_cell(differ),
                found_cell(rest),
                oracle_cell(rest),
                of(*share(mine, lambda r: r.passed_last)),
            ]
        )
    print("Faults found, median minutes (* plain; >= 20 canary requests/s, >= 3 and >= 6 pods):")
    head = ["fault", "alike", "oracle", "differ", "oracle", "others", "oracle", "passed at end"]
    table(head, rows)


def print_nuisances(records: Records) -> None:
    """One row per nuisance: false roll-backs and passes."""
    rows = []
    for nuisance in Nuisance:
        mine = [r for r in healthy_of(records) if r.nuisance == nuisance.value]
        asked = [r for r in passing(records) if r.nuisance == nuisance.value]
        differ = [r for r in asked if r.differ]
        alike = [r for r in asked if not r.differ]
        rows.append(
            [
                nuisance.value,
                of(*share(mine, lambda r: r.failed)),
                of(*share(alike, lambda r: r.passed_last)),
                of(*share(alike, lambda r: r.passed_any)),
                of(*share(differ, lambda r: r.passed_last)),
                *(of(*share(mine, lambda r, p=p: r.peers[p] is not None)) for p in PEERS),  # type: ignore[misc]
            ]
        )
    print("Healthy rollouts: rolled back; passed at the end / ever (in scope, load in proportion):")
    head = [
        "nuisance",
        "false",
        "pass alike",
        "ever",
        "pass differ",
        *(f"{p}: false" for p in PEERS),
    ]
    table(head, rows)


def print_curve(records: Records) -> None:
    """Found by canary requests per second and canary pods; passes beside."""
    rows = []
    for low, high in _RATES:
        faults = [r for r in faulty_of(records, scope=False) if low <= r.canary_rps < high]
        well = [r for r in healthy_of(records) if low <= r.canary_rps < high]
        by_pods = (
            found_cell([r for r in faults if a <= r.canaries <= b and r.stables >= 2])
            for a, b in _PODS
        )
        rows.append(
            [
                f"{low}.." + (f"{high:g}" if high < 1e6 else ""),
                *by_pods,
                oracle_cell(faults),
                f"{power_ratio(faults):.2f}",
                of(*share(well, lambda r: r.passed_last)),
                of(*share(well, lambda r: r.failed)),
            ]
        )
    print("Power curve: found, median minutes, by canary requests/s (rows) and canary pods:")
    head = ["requests/s", *(f"{a}-{b} pods" for a, b in _PODS), "oracle", "ratio", "pass", "false"]
    table(head, rows)


def print_wrong(records: Records) -> None:
    """Every false roll-back, and passes above the limit, to be looked into."""
    for r in records:
        early = r.failed and not r.found
        if early or r.passed_above:
            what = "false roll-back" if early else "pass above limit"
            print(
                f"{what}: seed {r.seed} fault {r.fault} bake {r.bake} [{r.nuisance}: {r.active}]"
                f" differ {r.differ} {r.fail_signal} at {r.fail_at} (fault {r.fault_at:.0f})"
                f" rps {r.canary_rps:.3g} pods {r.canaries}/{r.stables} load {r.load:.2f}"
                f" {r.outcomes}"
            )


def print_figures(figures: dict[str, float], peers: dict[str, dict[str, float]]) -> None:
    """Figures beside what was asked and beside the peers."""
    rows = []
    for name, value in figures.items():
        op, bound = ASKED.get(name, ("", float("nan")))
        theirs = (f"{peers[p][name]:.4g}" if name in peers[p] else "" for p in PEERS)
        rows.append([name, f"{value:.4g}", f"{op} {bound:g}" if op else "", *theirs])
    table(["figure", "serinus", "asked", *PEERS], rows)


def tasks_of(args: argparse.Namespace) -> list[Task]:
    """Healthy, baked and faulty rollouts with seeds of their own."""
    base = 1_000_000 * args.seeds
    common = {"direct": args.direct, "every_s": args.every}
    healthy = [Task(seed=base + i, fault=None, **common) for i in range(args.healthy)]
    bakes = [
        Task(seed=base + 500_000 + i, fault=None, bake=True, **common) for i in range(args.bakes)
    ]
    faults = list(Fault) if args.fault is None else [Fault(args.fault)]
    faulty = [
        Task(seed=base + 700_000 + i, fault=faults[i % len(faults)], **common)
        for i in range(args.faulty)
    ]
    return [*bakes, *faulty, *healthy]


def mixed(tasks: Sequence[T]) -> list[T]:
    """In an order that mixes kinds, so that a run that is cut short is a fair sample."""
    order = np.random.default_rng(0).permutation(len(tasks))
    return [tasks[k] for k in order]


def run_all(tasks: Sequence[Task], args: argparse.Namespace) -> list[Record]:
    """Run tasks in processes of their own; each record is written as it comes."""
    begun, done = monotonic(), []
    until = begun + 60 * args.minutes
    with ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(max_workers=args.jobs))
        out = stack.enter_context(args.records.open("w")) if args.records else None
        waiting = [pool.submit(run, task) for task in tasks]
        for future in as_completed(waiting):
            done.append(future.result())
            if out is not None:
                print(json.dumps(asdict(done[-1])), file=out, flush=True)
            if monotonic() > until:
                pool.shutdown(wait=False, cancel_futures=True)
                break
            if len(done) % 50 == 0 or len(done) == len(tasks):
                told(done, len(tasks), monotonic() - begun)
    return sorted(done, key=lambda r: r.seed)


def told(done: Records, count: int, passed: float) -> None:
    """Progress on stderr."""
    left = passed / len(done) * (count - len(done)) / 60
    wrong = sum(r.failed and not r.found for r in done)
    line = f"{len(done)}/{count} rollouts, {wrong} false, {left:.1f} min left"
    print(line, file=sys.stderr, flush=True)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rollouts, under a minute")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--records", type=Path, help="write one line of JSON per rollout here")
    parser.add_argument("--seeds", type=int, default=1, help="which set of seeds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--healthy", type=int)
    parser.add_argument("--faulty", type=int)
    parser.add_argument("--bakes", type=int)
    parser.add_argument("--fault", choices=[f.value for f in Fault])
    parser.add_argument("--every", type=float, default=60.0, help="seconds between polls")
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so long")
    parser.add_argument("--direct", action="store_true", help="bins instead of raw samples")
    args = parser.parse_args(argv)
    for name, whole, quick in (("healthy", 2000, 40), ("faulty", 1120, 42), ("bakes", 50, 0)):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else whole)
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a figure falls short."""
    args = arguments(argv)
    begun = monotonic()
    records = run_all(mixed(tasks_of(args)), args)
    figures, peers = figures_of(records), peer_figures(records)
    print_nuisances(records)
    print_faults(records)
    print_curve(records)
    print_wrong(records)
    print_figures(figures, peers)
    setup = {
        "healthy": sum(r.fault is None and not r.bake for r in records),
        "bakes": sum(r.bake for r in records),
        "faulty": sum(r.fault is not None for r in records),
        "seeds": args.seeds,
        "every_s": args.every,
        "direct": args.direct,
        "seconds": round(monotonic() - begun, 1),
    }
    return concluded(figures, peers, ASKED, setup, args.json)


if __name__ == "__main__":
    sys.exit(main())
