"""Log signals in the gate: new error lines are found, and ordinary drift of logs fails nobody.

    python bench/logs/gate.py [--quick] [--json FILE] [--seeds 1] [--jobs 2]

Every rollout is simulated as raw samples, requests as scraped and log lines as serinus counts them
(`worlds.py` says what is drawn), and judged by the engine from discovery on (`trials.py`). Faulty
canaries write a line that nobody wrote before, at one in a hundred of their 20 to 200 requests per
second; healthy ones, of any traffic, have what logs always have when a version changes. Peers judge
the same lines, each minute, as people do today.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from time import monotonic

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.operating import interval, mixed, ratio, table  # noqa: E402
from bench.logs.trials import PEERS, Record, Task, run  # noqa: E402
from bench.logs.worlds import FAULT, Drift  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {
    "log_detection_rate": (">=", 0.95),
    "log_false_rollback_rate": ("<=", 0.003),
}
_IN_TIME_S = 300.0
# Rollouts that are asked each minute, as a controller does; all others once, which says the same.
_POLLED = 20
Records = Sequence[Record]


def figures_of(records: Records) -> dict[str, float]:
    """The figures of the bench by name."""
    faulty, healthy = (_of(records, faulty=faulty) for faulty in (True, False))
    found = [r.fail_at / 60 for r in faulty if r.fail_at is not None]
    false = sum(r.rolled_back for r in healthy)
    return {
        "log_detection_rate": ratio(sum(r.within(_IN_TIME_S) for r in faulty), len(faulty)),
        "log_false_rollback_rate": ratio(false, len(healthy)),
        "log_false_rollback_upper": interval(false, len(healthy))[1],
        "log_median_minutes": float(np.median(found)) if found else float("nan"),
        "log_named_rate": ratio(sum(r.template == FAULT for r in faulty), len(faulty)),
        "log_cpu_s": float(np.median([r.cpu_s for r in records])),
    }


def peer_figures(records: Records) -> dict[str, dict[str, float]]:
    """The same two of each peer; one that rolls back everything finds everything."""
    faulty, healthy = (_of(records, faulty=faulty) for faulty in (True, False))
    return {
        peer: {
            "log_detection_rate": ratio(
                sum((r.peers[peer] or np.inf) <= _IN_TIME_S / 60 for r in faulty), len(faulty)
            ),
            "log_false_rollback_rate": ratio(
                sum(r.peers[peer] is not None for r in healthy), len(healthy)
            ),
        }
        for peer in PEERS
    }


def _of(records: Records, *, faulty: bool) -> list[Record]:
    return [r for r in records if r.faulty is faulty]


def print_traffic(records: Records) -> None:
    """Found in time by requests per second of the canary."""
    rows = []
    for low, high in ((20, 30), (30, 60), (60, 120), (120, 200.1)):
        some = [r for r in _of(records, faulty=True) if low <= r.canary_rps < high]
        minutes = [r.fail_at / 60 for r in some if r.fail_at is not None]
        found = f"{sum(r.within(_IN_TIME_S) for r in some)}/{len(some)}"
        middle = f"{np.median(minutes):.1f}" if minutes else ""
        slowest = f"{max(minutes):.1f}" if minutes else ""
        rows.append([f"{low:g} to {high:g}", found, middle, slowest])
    print("\na new error line on 1 % of the canary's requests, by its requests/s:")
    table(["requests/s", "found in 5 min", "median min", "slowest"], rows)


def print_drifts(records: Records) -> None:
    """Healthy rollouts and those that were rolled back, by what their logs did."""
    healthy = _of(records, faulty=False)
    every, wrong = Counter[str](), Counter[str]()
    theirs = {peer: Counter[str]() for peer in PEERS}
    for r in healthy:
        every.update(r.drifts)
        wrong.update(r.drifts if r.rolled_back else ())
        for peer in PEERS:
            theirs[peer].update(r.drifts if r.peers[peer] is not None else ())
    rows = [
        [d.value, str(every[d]), str(wrong[d]), *(str(theirs[p][d]) for p in PEERS)] for d in Drift
    ]
    print("\nhealthy rollouts by the drift of their logs, and how many were rolled back:")
    table(["drift", "rollouts", "serinus", *PEERS], rows)


def print_wrong(records: Records) -> None:
    """Every false roll-back and every fault that was not found in time, to be looked into."""
    for r in records:
        if r.rolled_back and not r.faulty:
            what = "false roll-back"
        elif r.faulty and not r.within(_IN_TIME_S):
            what = "not in time"
        else:
            continue
        print(
            f"{what}: seed {r.seed} at {r.fail_at} by {r.signal} [{', '.join(r.drifts)}]"
            f" {r.nuisance} rps {r.canary_rps:.3g} pods {r.canaries}/{r.stables} {r.text}"
        )


def print_figures(figures: dict[str, float], peers: dict[str, dict[str, float]]) -> None:
    """Figures beside what was asked and beside the peers."""
    rows = []
    for name, value in figures.items():
        op, bound = ASKED.get(name, ("", float("nan")))
        beside = [f"{peers[p][name]:.4g}" if name in peers[p] else "" for p in PEERS]
        rows.append([name, f"{value:.4g}", f"{op} {bound:g}" if op else "", *beside])
    print()
    table(["figure", "serinus", "asked", *PEERS], rows)


def tasks_of(args: argparse.Namespace) -> list[Task]:
    """Healthy and faulty rollouts with seeds of their own."""
    base = 1_000_000 * args.seeds
    healthy = [
        Task(seed=base + at, faulty=False, polled=at % _POLLED == 0) for at in range(args.healthy)
    ]
    faulty = [
        Task(seed=base + 500_000 + at, faulty=True, polled=at % _POLLED == 0)
        for at in range(args.faulty)
    ]
    return mixed([*healthy, *faulty])


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
            if len(done) % 100 == 0:
                left = (monotonic() - begun) / len(done) * (len(tasks) - len(done)) / 60
                wrong = sum(r.rolled_back and not r.faulty for r in done)
                line = f"{len(done)}/{len(tasks)} rollouts, {wrong} false, {left:.1f} min left"
                print(line, file=sys.stderr, flush=True)
    return sorted(done, key=lambda r: r.seed)


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
    args = parser.parse_args(argv)
    for name, whole, quick in (("healthy", 2000, 24), ("faulty", 400, 16)):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else whole)
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when a figure falls short."""
    args = arguments(argv)
    begun = monotonic()
    records = run_all(tasks_of(args), args)
    figures, peers = figures_of(records), peer_figures(records)
    print_traffic(records)
    print_drifts(records)
    print_wrong(records)
    print_figures(figures, peers)
    setup = {
        "healthy": len(_of(records, faulty=False)),
        "faulty": len(_of(records, faulty=True)),
        "seeds": args.seeds,
        "seconds": round(monotonic() - begun, 1),
    }
    return concluded(figures, peers, ASKED, setup, args.json)


if __name__ == "__main__":
    sys.exit(main())
