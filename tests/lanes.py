"""Which worker takes which module: some wait for servers, others keep the cores busy meanwhile.

Modules that wait stand at the front of the queue, those that only compute at its end. Half of the
workers take from the front, the others from the end, and they meet among the short ones.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

__all__ = ["FIRST", "Lanes", "from_the_end", "give_way", "place"]

# A demo counts each second as fifteen: it goes before all else, while the rest is still light.
# Then what takes minutes by the clock, so that none of it is left over for the end.
FIRST = (
    "tests/api/demo/test_demo.py",
    "tests/api/cli/test_worker_real.py",
    "tests/api/test_no_gap_real.py",
    "tests/api/cli/test_worker_logs_real.py",
    "tests/pipelines/topics/test_kafka.py",
)
# Nothing in these waits for anything (`models/` and `detector/` are pure).
_COMPUTING = ("tests/models/", "tests/detector/", "tests/bench/", "models/", "detector/")
# A third of the share of others, where both want a core.
_NICE = 5


def place(module: str, *, long: bool) -> tuple[int, int]:
    """Where a module stands in the queue; the least first. `long`: it has slow or real tests."""
    if module in FIRST:
        return (0, FIRST.index(module))
    if module.startswith(_COMPUTING):
        return (4 if long else 3, 0)
    return (1 if long else 2, 0)


def from_the_end(worker: str, workers: int) -> bool:
    """Whether a worker (gw0, gw1 ...) of so many takes from the end: the last half, or more."""
    return int(worker.removeprefix("gw")) >= workers // 2


def give_way(config: pytest.Config) -> None:
    """A worker that computes leaves the cores to what is held against a clock beside it."""
    mine = getattr(config, "workerinput", None)
    if mine and mine["workercount"] > 1 and from_the_end(mine["workerid"], mine["workercount"]):
        os.nice(_NICE)


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # ships no types
    """By module, from both ends of the queue."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if from_the_end(node.gateway.id, self.numnodes):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
