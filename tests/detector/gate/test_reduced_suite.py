"""The operating suite in small, on bins: it finds what is grossly wrong, and prints its interval.

Three hundred healthy rollouts prove nothing about half a per cent; `bench/gate/operating.py` does.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from scipy.stats import beta

from bench.gate.rollout import Fault, draw
from bench.gate.trials import Record, Task, run

# Seeds that no bench uses: those count from 1.
SEED = 7_000_000
HEALTHY, FAULTY = 300, 60
# A fail is certain at the same boundary however often it is asked for (test_session.py), and each
# answer on the way costs more than the bins before it.
EVERY_S = 300.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run_all(tasks: Sequence[Task]) -> list[Record]:
    """On all cores that are free, one thread each."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(run, tasks, chunksize=5))


def busy(fault: Fault) -> Iterator[int]:
    """Seeds of rollouts with at least 100 canary requests/s on 3 pods, beside 6 stable ones.

    Up to one error in a hundred in health: from two on a point more is within what healthy arms
    differ by, and the oracle of the bench misses it as well.
    """
    for seed in itertools.count(SEED):
        rollout = draw(seed, fault)
        many = rollout.canary_rps >= 100 and rollout.canaries >= 3 and rollout.stables >= 6
        if many and rollout.error_rate <= 0.01:
            yield seed


def told(what: str, hits: int, count: int) -> None:
    """Print a share with its exact two-sided 95 % interval."""
    low = float(beta.ppf(0.025, hits, count - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, count - hits)) if hits < count else 1.0
    print(f"{what}: {hits} of {count}, 95 % between {low:.4f} and {high:.4f}")


def test_healthy_rollouts_are_not_rolled_back() -> None:
    """At most 2 of 300, under every nuisance of the simulator."""
    seeds = range(SEED, SEED + HEALTHY)
    records = run_all([Task(seed=s, fault=None, direct=True, every_s=EVERY_S) for s in seeds])
    failed = [r for r in records if r.failed]
    told("healthy rollouts rolled back", len(failed), HEALTHY)
    assert len(failed) <= 2, [(r.seed, r.active, r.fail_signal) for r in failed]


def test_one_point_more_of_errors_is_found() -> None:
    """At 100 canary requests/s and more, in 95 of 100, and never before it began."""
    seeds = itertools.islice(busy(Fault.ERRORS_ONE), FAULTY)
    fault = Fault.ERRORS_ONE
    records = run_all([Task(seed=s, fault=fault, direct=True, every_s=EVERY_S) for s in seeds])
    found = sum(r.found for r in records)
    told("errors +1 point found", found, FAULTY)
    missed = [(r.seed, r.active, r.outcomes, r.error_rate) for r in records if not r.found]
    assert found >= 0.95 * FAULTY, missed
    assert not [r.seed for r in records if r.failed and not r.found]
