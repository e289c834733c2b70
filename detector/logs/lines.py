"""Log lines as columns: what every door for logs makes, and what the template miner reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Level", "LogLines", "Origin", "joined"]


class Level(IntEnum):
    """How grave a line is in its writer's eyes, the least first."""

    UNKNOWN = 0
    TRACE = 1
    DEBUG = 2
    INFO = 3
    WARN = 4
    ERROR = 5
    FATAL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who wrote a line; empty words for what nobody told."""

    service: str
    namespace: str = ""
    cluster: str = ""
    pod: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """N lines, their text in one buffer.

    `at` int64 (N,): unix milliseconds. `level` uint8 (N,): `Level`. `origin` int32 (N,): place in
    `origins`. `trace` uint8 (N, 16): trace id, zeros where there is none. `text` uint8 (B,): the
    bytes of all messages, as UTF-8 where they are text. `ends` int64 (N,): where each ends in it.
    A message may hold line ends: a stack trace is one line of this.
    """

    at: NDArray[np.int64]
    level: NDArray[np.uint8]
    origin: NDArray[np.int32]
    trace: NDArray[np.uint8]
    text: NDArray[np.uint8]
    ends: NDArray[np.int64]
    origins: tuple[Origin, ...]

    def __len__(self) -> int:
        return len(self.at)

    def message(self, nth: int) -> bytes:
        """The text of one of them."""
        start = int(self.ends[nth - 1]) if nth else 0
        return self.text[start : int(self.ends[nth])].tobytes()


def joined(parts: Sequence[LogLines]) -> LogLines:
    """The lines of several, in order; `ValueError` without any."""
    if len(parts) == 1:
        return parts[0]
    places = {origin: None for part in parts for origin in part.origins}
    numbers = {origin: place for place, origin in enumerate(places)}
    shifts = np.cumsum([0, *(len(part.text) for part in parts[:-1])])
    return LogLines(
        at=np.concatenate([part.at for part in parts]),
        level=np.concatenate([part.level for part in parts]),
        origin=np.concatenate([_renumbered(part, numbers) for part in parts]),
        trace=np.concatenate([part.trace for part in parts]),
        text=np.concatenate([part.text for part in parts]),
        ends=np.concatenate([part.ends + shift for part, shift in zip(parts, shifts, strict=True)]),
        origins=tuple(places),
    )


def _renumbered(part: LogLines, numbers: Mapping[Origin, int]) -> NDArray[np.int32]:
    """Origins of lines as places in a list of all."""
    if not part.origins:
        return part.origin
    places = np.array([numbers[origin] for origin in part.origins], np.int32)
    return places[part.origin]
