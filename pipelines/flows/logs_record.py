"""What is spooled of lines and spans: how many of what, with the names that come with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.logs.counted import LineTrace, LogCounts, Template
from detector.logs.lines import Origin
from detector.stream.columns import SeriesInfo
from pipelines.flows.spans_record import Served, SpanColumns
from pipelines.stores.own import STEP_MS

__all__ = ["STEP_MS", "Counted", "Gains", "Lines", "NewOwn", "gains", "lines_of"]


class Gains(msgspec.Struct, frozen=True, array_like=True):
    """By how much which series rose: int32 ids and float64 values."""

    ids: bytes = b""
    values: bytes = b""

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """The same as arrays."""
        return np.frombuffer(self.ids, np.int32), np.frombuffer(self.values, np.float64)


class NewOwn(msgspec.Struct, frozen=True, array_like=True):
    """A counter of our own that was not there before; `owner` is that of all of its pod."""

    id: int
    owner: int
    labels: tuple[tuple[str, str], ...]


class Lines(msgspec.Struct, frozen=True, array_like=True):
    """`LogCounts` as bytes."""

    at: bytes
    template: bytes
    origin: bytes
    level: bytes
    count: bytes
    templates: tuple[Template, ...]
    origins: tuple[Origin, ...]
    fresh: tuple[int, ...] = ()
    traces: tuple[LineTrace, ...] = ()

    def counts(self, step_ms: int = STEP_MS) -> LogCounts:
        """The same as columns, of bins of `step_ms`."""
        return LogCounts(
            step_ms=step_ms,
            at=np.frombuffer(self.at, np.int64),
            template=np.frombuffer(self.template, np.int32),
            origin=np.frombuffer(self.origin, np.int32),
            level=np.frombuffer(self.level, np.uint8),
            count=np.frombuffer(self.count, np.int64),
            templates=self.templates,
            origins=self.origins,
            fresh=frozenset(self.fresh),
            traces=self.traces,
        )


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """One batch of lines or spans, or (with nothing in it) only that it is so late by now.

    `taken`: when it came in, unix milliseconds; of one tenant it never goes back. `own` are
    counters of our own, `rates` series of the stream, of which `new` with `ids` are new ones.
    """

    tenant: str
    taken: int
    own: Gains = Gains()
    new_own: tuple[NewOwn, ...] = ()
    rates: Gains = Gains()
    new: tuple[SeriesInfo, ...] = ()
    ids: bytes = b""
    lines: Lines | None = None
    spans: SpanColumns | None = None
    # A source of lines, and how far it was read with these.
    read: tuple[str, int] | None = None
    # Of spans: what series of the stream are made of that are no rates.
    served: Served | None = None


def gains(by_id: dict[int, float]) -> Gains:
    """Gains by id."""
    ids, values = np.array(list(by_id), np.int32), np.array(list(by_id.values()), np.float64)
    return Gains(ids.tobytes(), values.tobytes())


def lines_of(counts: LogCounts) -> Lines:
    """Counts as they are spooled."""
    columns: Sequence[NDArray[Any]] = (
        counts.at,
        counts.template,
        counts.origin,
        counts.level,
        counts.count,
    )
    at, template, origin, level, count = (column.tobytes() for column in columns)
    return Lines(
        at,
        template,
        origin,
        level,
        count,
        counts.templates,
        counts.origins,
        tuple(sorted(counts.fresh)),
        counts.traces,
    )
