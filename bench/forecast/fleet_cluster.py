"""A Dask cluster on this machine, by the commands that our documentation tells."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Cluster", "cluster"]

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "deploy" / "dask" / "serinus.yaml"
_ENDED_S, _READY_S = 20.0, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where its scheduler is, and the processes that began all others."""

    address: str
    pids: tuple[int, ...]


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A scheduler and workers of one thread each, there until the end; `folder` is for its files.

    Workers find what lies in the root of the checkout.
    """
    file = folder / "scheduler.json"
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with ExitStack() as ended:
        scheduler = ended.enter_context(_running([*words, "--scheduler-file", str(file)], folder))
        with _client(file) as client:
            address: str = client.scheduler.address
            words = ["worker", address, "--host", "127.0.0.1", "--no-dashboard"]
            words += ["--nworkers", str(workers), "--nthreads", "1", "--memory-limit", "0"]
            worker = ended.enter_context(_running(words, folder))
            client.wait_for_workers(workers, timeout=_READY_S)
        yield Cluster(address=address, pids=(scheduler, worker))


@contextmanager
def _client(file: Path) -> Iterator[Any]:
    """It waits for the file of the scheduler."""
    from distributed import Client

    with Client(scheduler_file=str(file), timeout=_READY_S, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        yield client


@contextmanager
def _running(words: Sequence[str], folder: Path) -> Iterator[int]:
    env = {**os.environ, "DASK_CONFIG": str(CONFIG), "DASK_TEMPORARY_DIRECTORY": str(folder)}
    log = (folder / f"{words[0]}.log").open("w", encoding="utf-8")
    command = [sys.executable, "-m", "dask", *words]
    with log, subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log) as run:
        try:
            yield run.pid
        finally:
            run.terminate()
            try:
                run.wait(_ENDED_S)
            except subprocess.TimeoutExpired:
                run.kill()
