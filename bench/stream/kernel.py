"""How many samples a second the scoring kernel takes on two cores, each with series of its own.

    python bench/stream/kernel.py [--quick] [--json FILE] [--series N]

Each of two threads steps a state of its own, as the workers of two partitions do; a batch is one
sample of every series, at a scrape interval of 15 s, so that hours and days turn as they would.
`kernel_samples_s` is by wall clock; `kernel_samples_cpu_s` per CPU second of a thread, times two,
is what it would be where nothing else runs. The peer is the plain numpy twin on one core.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, thread_time

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench.ending import concluded  # noqa: E402
from models.anomaly import kernel, twin  # noqa: E402
from models.anomaly.score import run  # noqa: E402
from models.anomaly.scored import Advance, Settings  # noqa: E402
from models.baseline.state import State, empty  # noqa: E402

ASKED = {"kernel_samples_s": (">=", 30e6)}
STEP_MS, LEARNING = 15_000, 130


class Worker:
    """A state past learning, and the batches that come next."""

    def __init__(self, series: int, seed: int, advance: Advance) -> None:
        self._rng = np.random.default_rng(seed)
        self._series, self._advance = series, advance
        self.state: State = empty(series)
        self._rows, self._round = np.arange(series, dtype=np.int32), 0
        self._noise = self._rng.normal(100.0, 5.0, (16, series))
        for _ in range(LEARNING):
            self.step(1)

    def step(self, batches: int) -> float:
        """CPU seconds of this thread for so many batches."""
        began = thread_time()
        for _ in range(batches):
            at = np.full(self._series, self._round * STEP_MS, dtype=np.int64)
            values = self._noise[self._round % 16]
            run(self._advance, self.state, self._rows, at, values, Settings())
            self._round += 1
        return thread_time() - began


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 when it is slower than asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, help="write figures, peers, asked and setup here")
    parser.add_argument("--series", type=int, default=20_000, help="of each thread")
    args = parser.parse_args(argv)
    workers = [Worker(args.series, seed, kernel.advance) for seed in (1, 2)]
    batches, rounds = (50, 5) if args.quick else (100, 15)
    wall, cpu = [], []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            began = perf_counter()
            spent = list(pool.map(lambda worker: worker.step(batches), workers))
            wall.append(2 * batches * args.series / (perf_counter() - began))
            cpu.append(2 * 2 * batches * args.series / sum(spent))
    figures = {
        "kernel_samples_s": max(wall),
        "kernel_samples_s_median": statistics.median(wall),
        "kernel_samples_cpu_s": statistics.median(cpu),
    }
    plain = Worker(args.series, 3, twin.advance)
    peers = {"numpy_twin_one_core": {"kernel_samples_s": 5 * args.series / plain.step(5)}}
    for name, row in (("serinus", figures), *peers.items()):
        print(name, " ".join(f"{key}={value / 1e6:.2f}M" for key, value in row.items()))
    setup = {"series": 2 * args.series, "batches": batches, "rounds": rounds}
    return concluded(figures, peers, ASKED, setup, args.json)


if __name__ == "__main__":
    raise SystemExit(main())
