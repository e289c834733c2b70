"""The peer of cardinality.py: an object for each series in a dictionary, and all of it pickled."""

from __future__ import annotations

import pickle
from pathlib import Path
from time import perf_counter, thread_time
from typing import TypeAlias

from bench.stream.pushed import labels_of

__all__ = ["PeerFigures", "peer"]

PeerFigures: TypeAlias = dict[str, float]
SERIES = 20_000
HOT, PROFILE = 29, 192


class Series:
    """The same numbers of a series as ours, in lists."""

    __slots__ = ("at", "cold", "hot", "labels", "level", "profile")

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels, self.at, self.level = labels, 0, 0.0
        self.hot = [0.5 * n for n in range(HOT)]
        self.cold = [0.0] * 6
        self.profile = [0] * PROFILE

    def take(self, at: int, value: float) -> None:
        """A mean that forgets, as little as can be done with a sample."""
        self.at = at
        self.level += 0.01 * (value - self.level)
        self.hot[0] += 1.0


def peer(folder: Path, series: int) -> PeerFigures:
    """Its memory, checkpoint and recovery, counted up from fewer series to as many."""
    from bench.stream.cardinality import resident_mb

    before = resident_mb()
    held = {labels_of(n): Series(dict(labels_of(n))) for n in range(SERIES)}
    grown, scale = resident_mb() - before, series / SERIES
    began = thread_time()
    for one in held.values():
        one.take(60_000, 1.5)
    cost = thread_time() - began
    path, began_at = folder / "pickled", perf_counter()
    with path.open("wb") as file:
        pickle.dump(held, file, protocol=pickle.HIGHEST_PROTOCOL)
    wrote, began_at = perf_counter() - began_at, perf_counter()
    with path.open("rb") as file:
        pickle.load(file)  # noqa: S301 - our own, of a moment ago
    return {
        "state_mb": grown * scale,
        "checkpoint_s": wrote * scale,
        "recovery_s": (perf_counter() - began_at) * scale,
        "mean_ns": 1e9 * cost / SERIES,
    }
