"""Lines one by one become columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from detector.logs.lines import Level, LogLines, Origin

__all__ = ["NO_TRACE", "LinesBuilder", "Written", "lines_of"]

NO_TRACE = bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One line as it was read: `at` in unix milliseconds, `trace` of 16 bytes."""

    at: int
    level: Level
    origin: Origin
    text: bytes
    trace: bytes = NO_TRACE


class LinesBuilder:
    """Gathers lines, and gives them as columns."""

    def __init__(self) -> None:
        self._lines: list[Written] = []
        self.size = 0

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: Written) -> None:
        """One more."""
        self._lines.append(line)
        self.size += len(line.text)

    def build(self) -> LogLines:
        """All that were added, in order; they are forgotten by it."""
        lines, self._lines, self.size = self._lines, [], 0
        return lines_of(lines)


def lines_of(lines: Iterable[Written]) -> LogLines:
    """The same as columns, each origin named once."""
    every = list(lines)
    places: dict[Origin, int] = {}
    origin = [places.setdefault(line.origin, len(places)) for line in every]
    traces = b"".join(line.trace for line in every)
    return LogLines(
        at=np.array([line.at for line in every], np.int64),
        level=np.array([line.level for line in every], np.uint8),
        origin=np.array(origin, np.int32),
        trace=np.frombuffer(traces, np.uint8).reshape(len(every), 16),
        text=np.frombuffer(b"".join(line.text for line in every), np.uint8),
        ends=np.cumsum([len(line.text) for line in every], dtype=np.int64),
        origins=tuple(places),
    )
