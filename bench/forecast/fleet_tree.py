"""What a tree of processes takes: CPU-seconds and memory, this one and all that it began."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import psutil

__all__ = ["Spent", "peak_mb", "spending"]


@dataclass(slots=True)
class Spent:
    """What something took: seconds on the clock, and of CPU over the tree."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def spending(without: Collection[int] = ()) -> Iterator[Spent]:
    """What is done meanwhile by this process and those below it that are alive at the end.

    `without`: processes that are not looked at, nor what is below them.
    """
    spent, before, began = Spent(), _cpu(without), perf_counter()
    yield spent
    spent.wall_s = perf_counter() - began
    after = _cpu(without)
    spent.cpu_s = sum(after[process] - before.get(process, 0.0) for process in after)


@contextmanager
def peak_mb(pid: int, every_s: float = 0.25) -> Iterator[list[float]]:
    """The most memory of a process and all below it, in the list's first place at the end."""
    found, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(every_s):
            found[0] = max(found[0], _resident_mb(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def _cpu(without: Collection[int]) -> dict[int, float]:
    """CPU-seconds by process."""
    times: dict[int, float] = {}
    others = {process.pid for pid in without for process in _tree(pid)}
    for process in _tree(psutil.Process().pid):
        if process.pid in others:
            continue
        try:
            told = process.cpu_times()
        except psutil.Error:
            continue
        times[process.pid] = told.user + told.system
    return times


def _resident_mb(pid: int) -> float:
    total = 0
    for process in _tree(pid):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


def _tree(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []
