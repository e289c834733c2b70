"""Work on made-up series that can fail, end its worker, and count how often it was done; Dask."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.flows.fleet import Given, Task
from pipelines.flows.fleet_kept import name_of

__all__ = ["Work", "cluster", "names", "task"]


def names(count: int) -> list[str]:
    """Names of series."""
    return [f"s{number:03d}" for number in range(count)]


@dataclass(frozen=True, slots=True)
class Work:
    """Doubles a name. Marks in `folder` what it did, and ends its worker at some names.

    `poison` ends it each time, `once` the first time only; `bad` is refused, `broken` a bug.
    """

    folder: Path
    poison: str = ""
    once: str = ""
    bad: str = ""
    broken: str = ""

    def __call__(self, name: str) -> bytes:
        """Twice the name."""
        with (self.folder / f"done-{name}").open("a", encoding="utf-8") as mark:
            mark.write("x")
        if name == self.poison or (name == self.once and self._first()):
            os.kill(os.getpid(), signal.SIGKILL)
        if name == self.bad:
            raise ValueError("negative counter")
        if name == self.broken:
            raise IndexError(name)
        return (2 * name).encode()

    def _first(self) -> bool:
        try:
            (self.folder / "died").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def times(self, name: str) -> int:
        """How often a name was worked on."""
        mark = self.folder / f"done-{name}"
        return len(mark.read_text(encoding="utf-8")) if mark.exists() else 0


def task(work: Work, series: Sequence[str], name: str = "doubled") -> Task[str]:
    """Its task: each series is given as its own name."""
    return Task(name=name_of(name), series=series, load=_given, work=work)


def _given(page: Sequence[str]) -> list[Given[str]]:
    return [Given(name, name) for name in page]


@contextmanager
def cluster(workers: int, **how: Any) -> Iterator[Any]:  # noqa: ANN401 - Dask ships no types
    """A Dask cluster of processes of this machine. Deaths that it mends by itself: none.

    A test may say more: `.scheduler.allowed_failures`.
    """
    dask = pytest.importorskip("dask", reason="the extra `dask` is not installed")
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    quiet = {"distributed.worker.profile.enabled": False}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0, **quiet}),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", **how
        ) as found,
    ):
        yield found
