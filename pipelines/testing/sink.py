"""A sink of samples that keeps all of them in memory, and can be full or broken on demand."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from detector.errors import StoreError
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.ports import SeriesNames

__all__ = ["MemorySink"]


class MemorySink:
    """Keeps what was put; while `is_full` it refuses, while `is_down` it fails."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_full = False
        self.is_down = False
        self.refusals = 0
        self.batches: dict[str, list[Columns]] = {}
        self.series: dict[str, list[SeriesInfo]] = {}
        self.names: dict[str, SeriesNames] = {}
        self.reads: dict[str, int] = {}

    def put(
        self, tenant: str, columns: Columns, names: SeriesNames, *, read_to: int | None = None
    ) -> bool:
        """Keep the batch, with the series that are new to us."""
        if self.is_down:
            raise StoreError("the disk is full")
        if self.is_full:
            self.refusals += 1
            return False
        with self._lock:
            new = names.fresh()
            self._keep(tenant, new)
            names.kept(len(new))
            self.names[tenant] = names
            self.batches.setdefault(tenant, []).append(columns)
            if read_to is not None:
                self.reads[tenant] = read_to
        return True

    def _keep(self, tenant: str, new: Sequence[tuple[int, SeriesInfo]]) -> None:
        kept = self.series.setdefault(tenant, [])
        for id, info in new:
            kept[id : id + 1] = [info]

    def known(self, tenant: str) -> SeriesNames | None:
        """The names of the series kept so far."""
        return self.names.get(tenant)

    def read_to(self, tenant: str) -> int | None:
        """How far a source was read."""
        return self.reads.get(tenant)

    def samples(self, tenant: str = "default") -> list[tuple[SeriesInfo, int, float]]:
        """Every sample with its series, in the order in which they came."""
        kept = self.series.get(tenant, [])
        return [
            (kept[id], at, value)
            for batch in self.batches.get(tenant, ())
            for id, at, value in zip(
                batch.series.tolist(), batch.at.tolist(), batch.value.tolist(), strict=True
            )
        ]

    def of(self, name: str, tenant: str = "default") -> list[tuple[int, float]]:
        """Times and values of all series with a name."""
        return [(at, value) for info, at, value in self.samples(tenant) if info.name == name]

    def bits(self, tenant: str = "default") -> list[int]:
        """The bits of every value: NaN are told apart by them."""
        values = [batch.value for batch in self.batches.get(tenant, ())]
        return np.concatenate(values).view(np.uint64).tolist() if values else []
