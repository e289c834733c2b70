"""Series of one tenant and their ids: dense, given anew only when a series is forgotten."""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.stream.columns import SeriesInfo, SeriesKind
from models.baseline.room import pages
from pipelines.ingest import interning_scan as scan
from pipelines.ingest.interning_tables import (
    MOST_LETTERS_HELD,
    from_arrays,
    made,
    packed,
    roomy,
    to_arrays,
)
from pipelines.ingest.labels import NAME, Labels, block_of, pairs_of

__all__ = ["AT_LIMIT", "Interner"]

# In place of an id: the tenant has as many series as it may.
AT_LIMIT = -1
SCHEMA = 1
# Of a tenant; what comes with another one after that has none.
_MOST_UNITS = 4_096
_KINDS = tuple(SeriesKind)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}
_NAMED = np.array([kind is not SeriesKind.DELTA for kind in _KINDS], np.int8)
_PREFIX = "label."
# What a label of a name begins with, after its own size.
_NAME = np.frombuffer(b"\x0a\x08" + NAME.encode() + b"\x12", np.uint8)


class Interner:
    """Gives ids to series, the same labels of another kind being another series.

    Labels are held here and nowhere else: each pair of a name and a value once, and of a series the
    numbers of its pairs. Safe for threads; who holds `lock` sees no id come or go.
    """

    def __init__(self, known: Sequence[SeriesInfo] = (), *, limit: int) -> None:
        """`known` have the first ids, in order."""
        self.limit = limit
        self.lock = threading.RLock()
        self.refused = 0
        # Series that have left: since their labels were last cleared away, and in the hash table.
        self._size, self._left, self._graves = 0, 0, 0
        self._free: list[int] = []
        self._fresh: list[int] = []
        self._units, self._unit = {"": 0}, np.zeros(0, np.uint16)
        self._tables = made(int.from_bytes(os.urandom(8), "little"))
        self._forgetters: list[Callable[[NDArray[np.bool_]], None]] = []
        for id, info in enumerate(known):
            self.place(id, info)
        self._mark()

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], *, limit: int) -> Interner:
        """What `to_arrays` told of one; `ValueError` for what it did not."""
        made = cls(limit=limit)
        own: dict[str, NDArray[Any]] = {
            name.removeprefix(_PREFIX): array
            for name, array in arrays.items()
            if name.startswith(_PREFIX)
        }
        schema = int(own["schema"][0]) if "schema" in own else 0
        if schema != SCHEMA:
            raise ValueError(f"labels of schema {schema}, this reads {SCHEMA}")
        made._left = int(own["schema"][1])
        made._tables = from_arrays(own, int(made._tables.seed[0]))
        made._size, made._unit = len(own["starts"]), own["unit"].copy()
        units = msgspec.json.decode(own["units"].tobytes(), type=list[str])
        made._units = {unit: number for number, unit in enumerate(units)}
        made._free = np.flatnonzero(own["starts"] == scan.FREE).tolist()
        made._mark()
        return made

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that is held, as arrays of their own."""
        with self.lock:
            own: dict[str, NDArray[Any]] = {
                "schema": np.array([SCHEMA, self._left], np.int64),
                "unit": self._unit[: self._size].copy(),
                "units": np.frombuffer(msgspec.json.encode(list(self._units)), np.uint8),
                **to_arrays(self._tables, self._size),
            }
        return {_PREFIX + name: array for name, array in own.items()}

    def __len__(self) -> int:
        """How many series there are."""
        return self._size - len(self._free)

    @property
    def is_full(self) -> bool:
        """Whether a series that was never seen is refused."""
        return len(self) >= self.limit or int(self._tables.used[1]) >= MOST_LETTERS_HELD

    @property
    def limit_words(self) -> str:
        """What to tell who brought a series too many."""
        return (
            f"the tenant has its {self.limit} series, so new ones are refused: drop labels that "
            "change with every pod or request, raise ingest.series, or lower stream.forget_s"
        )

    def find(self, data: bytes, labels: NDArray[np.int64]) -> NDArray[np.int32]:
        """Ids of series whose labels lie at (N, 2) places, of the kind that `mean` told; or -1."""
        ids = np.empty(len(labels), np.int32)
        scan.find(np.frombuffer(data, np.uint8), labels, self._tables, ids)
        return ids

    def id_of(self, labels: Labels, kind: SeriesKind, unit: str = "") -> int:
        """The id of a series, a new one if need be; `AT_LIMIT` where it may get none."""
        block = block_of(labels)
        with self.lock:
            found = self._found(block, kind)
            if found >= 0:
                return found
            if self.is_full:
                self.refused += 1
                return AT_LIMIT
            id = heapq.heappop(self._free) if self._free else self._size
            self._add(id, block, kind, unit)
            self._fresh.append(id)
            return id

    def place(self, id: int, info: SeriesInfo) -> None:
        """A series has an id that was given to it before; ids between are not given yet."""
        with self.lock:
            block = block_of(info.labels)
            found = self._found(block, info.kind)
            if found == id:
                return
            self._leave([one for one in (found, id) if self._is_there(one)])
            if id < self._size:
                self._free.remove(id)
                heapq.heapify(self._free)
            while self._size < id:
                self._make_room(b"")
                self._tables.starts[self._size] = scan.FREE
                heapq.heappush(self._free, self._size)
                self._size += 1
            self._add(id, block, info.kind, info.unit)

    def mean(self, name: str, kind: SeriesKind) -> None:
        """From now on `find` takes series of this name to be of this kind."""
        with self.lock:
            block = block_of(((NAME, name),))
            scan.mean(np.frombuffer(block, np.uint8), _NUMBERS[kind], self._tables)

    def meant(self, name: str) -> SeriesKind | None:
        """What `find` takes series of a name for; None where it finds none of them."""
        block = block_of(((NAME, name),))
        kind = int(scan.meant(np.frombuffer(block, np.uint8), self._tables))
        return None if kind < 0 else _KINDS[kind]

    def kind_of(self, id: int) -> SeriesKind:
        """The kind of a series by its id."""
        return _KINDS[int(self._tables.kinds[id])]

    def get(self, id: int) -> SeriesInfo | None:
        """A series by its id; None where none has it."""
        with self.lock:
            return self[id] if self._is_there(id) else None

    def __getitem__(self, id: int) -> SeriesInfo:
        """A series by its id; `KeyError` where none has it."""
        with self.lock:
            if not self._is_there(id):
                raise KeyError(id)
            block = scan.block(id, self._tables).tobytes()
            unit = list(self._units)[int(self._unit[id])]
            return SeriesInfo(labels=pairs_of(block), kind=self.kind_of(id), unit=unit)

    def of_metrics(self, names: Iterable[str]) -> list[int]:
        """The ids of all series of some metrics, in order."""
        blocks = [block_of(((NAME, name),)) for name in names]
        sizes = np.cumsum([0, *map(len, blocks)])
        data = np.frombuffer(b"".join(blocks), np.uint8)
        with self.lock:
            found: list[int] = scan.of_pairs(data, sizes, self._tables, self._size).tolist()
        return found

    def fresh(self) -> tuple[tuple[int, SeriesInfo], ...]:
        """Series that no sink has kept yet, with their ids, in the order in which they got them."""
        with self.lock:
            return tuple((id, self[id]) for id in self._fresh)

    def kept(self, count: int) -> None:
        """A sink has kept so many of those."""
        with self.lock:
            del self._fresh[:count]

    def forgetting(self, forget: Callable[[NDArray[np.bool_]], None]) -> None:
        """Who remembers ids is told of those that are given away: by id, whether it is one."""
        self._forgetters.append(forget)

    def free(self, ids: NDArray[np.int32]) -> None:
        """Series are forgotten: their ids may be given anew, and their labels take no memory."""
        with self.lock:
            going = [id for id in ids.tolist() if self._is_there(id)]
            if not going:
                return
            self._leave(going)
            is_gone = np.zeros(self._size, np.bool_)
            is_gone[going] = True
            for forget in self._forgetters:
                forget(is_gone)
            if self._left > max(len(self), 1_024):
                self._tables = packed(self._tables, self._size)
                self._left = self._graves = 0

    def restrict(self, is_live: NDArray[np.bool_]) -> None:
        """Of all ids only these are given to anybody, and none after them."""
        with self.lock:
            is_going = self._tables.starts[: self._size] != scan.FREE
            is_going[: len(is_live)] &= ~is_live[: self._size]
            self._leave(np.flatnonzero(is_going).tolist())
            self._size = min(self._size, len(is_live))
            self._free = [id for id in self._free if id < self._size]
            heapq.heapify(self._free)
            self._fresh.clear()

    def _is_there(self, id: int) -> bool:
        return 0 <= id < self._size and self._tables.starts[id] != scan.FREE

    def _found(self, block: bytes, kind: SeriesKind) -> int:
        data = np.frombuffer(block, np.uint8)
        return int(scan.place(data, _NUMBERS[kind], self._tables))

    def _add(self, id: int, block: bytes, kind: SeriesKind, unit: str) -> None:
        self._make_room(block)
        self._size = max(self._size, id + 1)
        scan.add(np.frombuffer(block, np.uint8), _NUMBERS[kind], id, self._tables)
        if len(self._units) < _MOST_UNITS:
            self._units.setdefault(unit, len(self._units))
        number = self._units.get(unit, 0)
        # Most have none: where zeros are not written they take no memory.
        if number != self._unit[id]:
            self._unit[id] = number

    def _make_room(self, block: bytes) -> None:
        before = self._tables
        self._tables = roomy(before, self._size, self._graves, len(block))
        if self._tables.series is not before.series:
            self._graves = 0
        if self._size >= len(self._unit):
            wider = pages((len(self._tables.starts),), np.uint16)
            if self._unit.any():
                wider[: len(self._unit)] = self._unit
            self._unit = wider

    def _leave(self, ids: Sequence[int]) -> None:
        for id in ids:
            scan.leave(id, self._tables)
            heapq.heappush(self._free, id)
        self._left += len(ids)
        self._graves += len(ids)

    def _mark(self) -> None:
        """Names mean what the series that have them are, for those that are not deltas."""
        scan.mark_names(_NAME, _NAMED, self._tables, self._size)
