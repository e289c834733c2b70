"""The templates that are known of each service, one row each, no more than there is room for."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIELDS", "FREE", "WORDS", "Rows"]

# Times are unix milliseconds. `young`: part of a story that is told; `noted`: of an open anomaly;
# `silenced`: a person said that it is normal. From `beat` on: of heartbeats (`heartbeat`).
FIELDS: dict[str, type[np.generic]] = {
    "service": np.int32, "level": np.uint8, "first": np.int64, "last": np.int64,
    "count": np.int64, "young": np.bool_, "noted": np.bool_, "silenced": np.bool_,
    "normal": np.int64, "real": np.int64, "beat": np.int64, "beats": np.int64, "mark": np.int64,
    "period": np.float64, "regular": np.float64, "missed": np.float64, "held": np.float64,
    "longest": np.float64, "silent": np.bool_,
}  # fmt: skip
# What it is known by, its template's id, what it is called, and the first of its lines.
WORDS = ("name", "template", "title", "line")
FREE = -1
_ROOM = 64
# So much of what is full is given up at once, the longest unseen first.
_GIVEN_UP = 0.05


@dataclass(slots=True)
class Rows:
    """Arrays in room for more rows than there are; a row that is given up is given anew."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in WORDS})
    numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    spare: list[int] = field(default_factory=list)
    of_service: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.arrays:
            self.arrays = {name: np.zeros(_ROOM, kind) for name, kind in FIELDS.items()}
        services = self["service"][: self.size].tolist()
        for row, (service, name) in enumerate(zip(services, self.words["name"], strict=True)):
            if service == FREE:
                heapq.heappush(self.spare, row)
            else:
                self.numbers[service, name] = row
                self.of_service[service] = self.of_service.get(service, 0) + 1

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    @property
    def size(self) -> int:
        """Rows that were ever given."""
        return len(self.words["name"])

    def add(self, service: int, words: tuple[str, str, str, str]) -> int:
        """A row for a template of a service, without anything known."""
        row = heapq.heappop(self.spare) if self.spare else self._grown()
        for array in self.arrays.values():
            array[row] = 0
        self["service"][row] = service
        for name, word in zip(WORDS, words, strict=True):
            self.words[name][row] = word
        self.numbers[service, words[0]] = row
        self.of_service[service] = self.of_service.get(service, 0) + 1
        return row

    def make_room(self, service: int, at: int, most: int, of_service: int) -> bool:
        """Give up what is unseen for longest where there is no room; whether there is some now.

        What had lines at `at` or later stays.
        """
        if self.of_service.get(service, 0) >= of_service:
            self._give_up(self["service"][: self.size] == service, at)
        if len(self) >= most:
            self._give_up(self["service"][: self.size] != FREE, at)
        return len(self) < most and self.of_service.get(service, 0) < of_service

    def forget(self, before: int) -> None:
        """Give up what nobody wrote since; what a person called normal is not new again."""
        own = slice(0, self.size)
        is_old = (self["service"][own] != FREE) & (self["last"][own] < before)
        self._free(np.flatnonzero(is_old & self._may_go()))

    def _may_go(self) -> NDArray[np.bool_]:
        own = slice(0, self.size)
        is_busy = self["noted"][own] | self["young"][own] | self["silent"][own]
        may_go: NDArray[np.bool_] = ~is_busy & ~self["silenced"][own]
        return may_go

    def _give_up(self, among: NDArray[np.bool_], at: int) -> None:
        is_unseen = self["last"][: self.size] < at
        rows = np.flatnonzero(among & is_unseen & self._may_go())
        count = int(np.ceil(among.sum() * _GIVEN_UP))
        self._free(rows[np.argsort(self["last"][rows], kind="stable")[:count]])

    def _free(self, rows: NDArray[np.int64]) -> None:
        for row in rows.tolist():
            service = int(self["service"][row])
            del self.numbers[service, self.words["name"][row]]
            self.of_service[service] -= 1
            self["service"][row] = FREE
            for name in WORDS:
                self.words[name][row] = ""
            heapq.heappush(self.spare, row)

    def _grown(self) -> int:
        row = self.size
        for words in self.words.values():
            words.append("")
        if row >= len(self["service"]):
            for name, array in self.arrays.items():
                self.arrays[name] = np.concatenate([array, np.zeros_like(array)])
        return row
