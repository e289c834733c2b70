"""Lines counted by template: what is kept of a batch of lines once the miner has read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Origin

__all__ = ["LineTrace", "LogCounts", "Template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A kind of line. `id` follows from its content; `text` has `<...>` where lines differ.

    `sample` is a line of it, redacted.
    """

    id: str
    text: str
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTrace:
    """The trace, 16 bytes, that a line of a template was written in; places as in `LogCounts`."""

    template: int
    origin: int
    trace: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCounts:
    """How many lines of which template came from where: M rows, each combination once.

    `at` int64 (M,): unix milliseconds, begin of the bin of `step_ms` that the lines lie in.
    `template` int32 (M,): place in `templates`. `origin` int32 (M,): place in `origins`.
    `level` uint8 (M,). `count` int64 (M,). `fresh`: places in `templates` of those that the miner
    has never seen before this batch. `traces`: of new templates and of errors, where lines had one.
    """

    step_ms: int
    at: NDArray[np.int64]
    template: NDArray[np.int32]
    origin: NDArray[np.int32]
    level: NDArray[np.uint8]
    count: NDArray[np.int64]
    templates: tuple[Template, ...]
    origins: tuple[Origin, ...]
    fresh: frozenset[int] = frozenset()
    traces: tuple[LineTrace, ...] = ()

    def __len__(self) -> int:
        return len(self.at)
