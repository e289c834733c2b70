"""What a verdict costs us beyond fetching: CPU of a poll, CPU from raw, memory of a rollout.

    python bench/gate/verdict.py [--quick] [--json FILE]

Eight signals, five canary and ten stable pods, scraped each 15 s and asked at each scrape through
the function that answers HTTP, with its file store. CPU is that of the asking thread less what the
source's reads took. Two peers read the same samples at the same moments: Mann-Whitney as Kayenta
judges (whole history of both arms at each poll, no state), and our own engine without state.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import platform
import sys
import tempfile
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, thread_time

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from bench.gate.ranks import judge_ranks  # noqa: E402
from bench.gate.shop import INTERVAL_S, ORIGIN, SIGNALS, Shop, bind, fill  # noqa: E402
from detector.gate.builder import FrameBuilder  # noqa: E402
from detector.gate.policy import Policy  # noqa: E402
from detector.gate.request import VerdictRequest  # noqa: E402
from detector.gate.session import Session  # noqa: E402
from detector.gate.verdict import Outcome, Verdict  # noqa: E402
from detector.ports import Stores  # noqa: E402
from detector.series import Answer, Query  # noqa: E402
from detector.signals.plan import Plan  # noqa: E402
from pipelines.flows.gate import Gate  # noqa: E402
from pipelines.sources.memory import MemorySource  # noqa: E402
from pipelines.stores.memory import memory_stores  # noqa: E402
from pipelines.stores.sqlite import Database  # noqa: E402

ASKED: dict[str, tuple[str, float]] = {
    "poll_cpu_ms": ("<=", 5.0),
    "cold_cpu_ms": ("<=", 150.0),
    "state_kb": ("<=", 1024.0),
    "cpu_growth": ("<=", 12.0),
}
# Polls are measured while all warm-up templates are alive and exposure steps: the dear part.
_FROM_S, _UNTIL_S = 300.0, 1500.0
# Until when a wide shop is polled with --quick, where its polls are a minute of CPU.
_QUICK_S = 600.0
# A boundary is final 1.34 bins and 5 s after it.
_LATE_S = 26.0
_STEPS = ((0.0, 10.0), (420.0, 20.0), (840.0, 33.0))
_DAY_S = 86_400.0


class TimedSource:
    """A source whose reads' CPU can be taken off."""

    def __init__(self, source: MemorySource) -> None:
        self.source, self.cpu = source, 0.0

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Read and add up what it took."""
        begun = thread_time()
        answers = self.source.read(queries, start, end, timeout_s=timeout_s)
        self.cpu += thread_time() - begun
        return answers


@dataclass(slots=True)
class Asking:
    """One rollout and the gate that judges it; `at` is the gate's clock."""

    source: TimedSource
    database: Database
    at: float = ORIGIN
    stores: Stores | None = None
    gate: Gate = field(init=False)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A process that knows only what is stored."""
        self.gate = Gate(
            source=self.source,
            catalog=self.source.source,
            stores=self.stores or self.database.stores(),
            clock=lambda: self.at,
            discover=bind,
            session_factory=self._begin,
        )

    def _begin(self, plan: Plan, policy: Policy, *, start: float, interval: float) -> Session:
        self.session = Session(plan, policy, start=start, interval=interval)
        return self.session

    def ask(self, second: float) -> tuple[Verdict, float]:
        """The verdict at `second` after the start, and its CPU seconds beyond fetching."""
        self.at = ORIGIN + second
        request = VerdictRequest(
            service="shop",
            canary='{version="v2"}',
            started_at=datetime.fromtimestamp(ORIGIN, UTC),
            weight=[weight for begin, weight in _STEPS if begin <= second][-1],
        )
        fetched, begun = self.source.cpu, thread_time()
        verdict = self.gate.judge(request)
        spent = thread_time() - begun
        return verdict, spent - (self.source.cpu - fetched)


@contextmanager
def asking(source: MemorySource, stores: Stores | None = None) -> Iterator[Asking]:
    """A gate with an empty file store, or with other stores."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "serinus.db")
        try:
            yield Asking(TimedSource(source), database, stores=stores)
        finally:
            database.close()


@dataclass(frozen=True, slots=True)
class Polled:
    """Milliseconds of CPU: each poll, from raw, after a restart, each poll of the ranks.

    `unstored`: each poll with stores in memory. `state_kb`: arrays of the evidence and of the
    bins that it still needs; `resident_kb`: all objects, label sets and caches included.
    """

    polls: list[float]
    unstored: list[float]
    cold: float
    restart: float
    ranks: list[float]
    state_kb: float
    resident_kb: float


def measure(shop: Shop, until: float = _UNTIL_S) -> Polled:
    """One rollout, polled at each scrape; then judged by gates that know less."""
    source = fill(shop)
    gc.collect()
    seconds = np.arange(_LATE_S, until, INTERVAL_S)
    with asking(source) as warm:
        polls = [(s, *warm.ask(float(s))) for s in seconds]
        _check([verdict for _, verdict, _ in polls], passes=until >= _UNTIL_S)
        state, resident = state_kb(warm), size_of(warm.gate) / 1024
        warm.restart()
        restart = warm.ask(until + _LATE_S)[1]
    with asking(source) as fresh:
        cold = fresh.ask(until)[1]
    with asking(source, memory_stores()) as light:
        unstored = [(s, light.ask(float(s))[1]) for s in seconds]
    dear = [1000 * cpu for s, _, cpu in polls if s >= _FROM_S]
    bare = [1000 * cpu for s, cpu in unstored if s >= _FROM_S]
    ranks = [_ranks_ms(source, float(s)) for s in seconds[seconds >= _FROM_S][::8]]
    return Polled(dear, bare, 1000 * cold, 1000 * restart, ranks, state, resident)


def _check(verdicts: Sequence[Verdict], *, passes: bool) -> None:
    """A cost counts only if the work was done: all signals judged, a healthy shop passing."""
    last = verdicts[-1]
    missing = {bound.signal.name for bound in SIGNALS} - {s.name for s in last.signals}
    if missing or (passes and last.outcome is not Outcome.PASS):
        raise SystemExit(f"not judged as it should be: {last.reason.text} {sorted(missing)}")


def _ranks_ms(source: MemorySource, second: float) -> float:
    read = TimedSource(source)
    begun = thread_time()
    judge_ranks(read, ORIGIN, ORIGIN + second)
    return 1000 * (thread_time() - begun - read.cpu)


def bake_kb(shop: Shop) -> tuple[float, float]:
    """Kilobytes of state, and of all, a rollout holds after a day of polls each ten minutes."""
    end = shop.length_s - 60.0
    seconds = [*np.arange(600.0, end - 300, 600.0), *np.arange(end - 300, end, INTERVAL_S)]
    with asking(fill(shop)) as long:
        _check([long.ask(float(second))[0] for second in seconds], passes=True)
        return state_kb(long), size_of(long.gate) / 1024


def state_kb(one: Asking) -> float:
    """Kilobytes of the only attempt's sums, snapshots and retained bins."""
    builder = one.session.builder
    if not isinstance(builder, FrameBuilder):
        raise TypeError("the bench judges raw samples")
    return (one.session.nbytes + builder.nbytes) / 1024


def size_of(root: object) -> int:
    """Bytes of all that an object holds; code, source and store belong to no rollout."""
    seen: set[int] = set()
    total, todo = 0, [root]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, _NOT_HELD):
            continue
        if type(one).__module__.startswith(("sqlalchemy", "pipelines.stores")):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        if isinstance(one, np.ndarray) and one.base is not None:
            todo.append(one.base)
        todo += gc.get_referents(one)
    return total


_NOT_HELD = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.CodeType,
    Stores,
    TimedSource,
    MemorySource,
)


def median(values: Sequence[float]) -> float:
    """Of finite numbers."""
    return float(np.median(values))


def figures_of(
    small: Sequence[Polled], wide: Sequence[Polled], bake: tuple[float, float]
) -> dict[str, float]:
    """Means over the polls of a rollout (storing each minute included), medians over repeats."""
    poll = median([float(np.mean(p.polls)) for p in small])
    many = median([float(np.mean(p.polls)) for p in wide])
    # The polls of the same minutes of a rollout.
    beside = median([float(np.mean(p.polls[: len(wide[0].polls)])) for p in small])
    return {
        "poll_cpu_ms": poll,
        "cold_cpu_ms": median([p.cold for p in small]),
        "state_kb": max(bake[0], *(p.state_kb for p in small)),
        "cpu_growth": many / beside,
        "poll_cpu_ms_p95": median([float(np.quantile(p.polls, 0.95)) for p in small]),
        "poll_cpu_ms_10x": many,
        "cold_cpu_ms_10x": median([p.cold for p in wide]),
        "restart_cpu_ms": median([p.restart for p in small]),
        "state_kb_25_min": median([p.state_kb for p in small]),
        "state_kb_24_h": bake[0],
        "state_kb_10x": median([p.state_kb for p in wide]),
        "resident_kb": median([p.resident_kb for p in small]),
        "resident_kb_24_h": bake[1],
        "poll_cpu_ms_memory_store": median([float(np.mean(p.unstored)) for p in small]),
    }


def peers_of(small: Sequence[Polled], wide: Sequence[Polled]) -> dict[str, dict[str, float]]:
    """The same polls by others."""
    ranks = median([float(np.mean(p.ranks)) for p in small])
    beside = median([float(np.mean(p.ranks[: len(wide[0].ranks)])) for p in small])
    cold, cold_many = (median([p.cold for p in group]) for group in (small, wide))
    return {
        "mann_whitney": {
            "poll_cpu_ms": ranks,
            "cpu_growth": median([float(np.mean(p.ranks)) for p in wide]) / beside,
        },
        "without_state": {"poll_cpu_ms": cold, "cpu_growth": cold_many / cold},
    }


def report(figures: dict[str, float], peers: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    print(f"{'':24}{'serinus':>12}{'asked':>10}" + "".join(f"{peer:>16}" for peer in peers))
    for name, value in figures.items():
        asked = f"<= {ASKED[name][1]:g}" if name in ASKED else ""
        others = "".join(f"{p.get(name, math.nan):>16.2f}" for p in peers.values())
        print(f"{name:24}{value:>12.2f}{asked:>10}" + others.replace("nan", "  -"))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 where a figure falls short."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer repeats, ten minutes of the wide shop"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args(argv)
    begun = monotonic()
    repeats, wide_repeats, until = (2, 1, _QUICK_S) if args.quick else (7, 3, _UNTIL_S)
    small = [measure(Shop(seed=1 + k)) for k in range(repeats)]
    wide = [measure(Shop(canary=50, control=100, seed=1 + k), until) for k in range(wide_repeats)]
    bake = bake_kb(Shop(length_s=_DAY_S))
    figures, peers = figures_of(small, wide, bake), peers_of(small, wide)
    report(figures, peers)
    setup = {
        "signals": [bound.signal.name for bound in SIGNALS],
        "pods": [5, 10],
        "wide_pods": [50, 100],
        "polls": len(small[0].polls),
        "repeats": [repeats, wide_repeats],
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "seconds": round(monotonic() - begun, 1),
    }
    return concluded(figures, peers, ASKED, setup, args.json)


if __name__ == "__main__":
    sys.exit(main())
