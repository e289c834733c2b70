"""Series of one tenant and their ids: dense, given once, the same after a restart."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from detector.stream.columns import SeriesInfo, SeriesKind
from pipelines.ingest.labels import Labels, block_of, pairs_of

__all__ = ["AT_LIMIT", "Interner"]

# In place of an id: the tenant has as many series as it may.
AT_LIMIT = -1


class Interner:
    """Gives ids to series, the same labels of another kind being another series.

    What it keeps of a series is one string of bytes, the labels as remote write has them, which
    its door uses as its key too. Safe for threads.
    """

    def __init__(self, known: Sequence[SeriesInfo] = (), *, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._ids: dict[SeriesKind, dict[bytes, int]] = {kind: {} for kind in SeriesKind}
        self._blocks: list[bytes] = []
        self._kinds: list[SeriesKind] = []
        self._units: list[str] = []
        for info in known:
            self._append(block_of(info.labels), info.kind, info.unit)

    def __len__(self) -> int:
        return len(self._units)

    @property
    def is_full(self) -> bool:
        """Whether a series that was never seen is refused."""
        return len(self) >= self.limit

    @property
    def limit_words(self) -> str:
        """What to tell who brought a series too many."""
        return (
            f"the tenant has its {self.limit} series, so new ones are refused: drop labels that "
            "change with every pod or request, or raise ingest.series"
        )

    def id_of(self, labels: Labels, kind: SeriesKind, unit: str = "") -> int:
        """The id of a series, a new one if need be; `AT_LIMIT` where it may get none."""
        block = block_of(labels)
        found = self._ids[kind].get(block)
        if found is not None:
            return found
        with self._lock:
            found = self._ids[kind].get(block)
            if found is not None:
                return found
            return AT_LIMIT if self.is_full else self._append(block, kind, unit)

    def since(self, first: int) -> Sequence[SeriesInfo]:
        """The series of the ids from `first` on, in id order."""
        return [self._info(id) for id in range(first, len(self))]

    def kind_of(self, id: int) -> SeriesKind:
        """The kind of a series by its id."""
        return self._kinds[id]

    def blocks(self) -> dict[bytes, int]:
        """The newest id of each block of labels that is no delta: what remote write begins with."""
        kinds = self._kinds
        return {b: id for id, b in enumerate(self._blocks) if kinds[id] is not SeriesKind.DELTA}

    def _append(self, block: bytes, kind: SeriesKind, unit: str) -> int:
        id = self._ids[kind][block] = len(self)
        self._blocks.append(block)
        self._kinds.append(kind)
        # The last one: who sees its length sees the other two.
        self._units.append(unit)
        return id

    def _info(self, id: int) -> SeriesInfo:
        return SeriesInfo(
            labels=pairs_of(self._blocks[id]), kind=self._kinds[id], unit=self._units[id]
        )
