"""Streams whose odd samples are written down, so that what the operator makes of them is plain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.signals.packs import shipped_packs
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns, SeriesInfo, SeriesKind, is_stale
from detector.stream.introducing import introduced
from detector.stream.operator import step
from detector.stream.scoring import Arrays, Scored
from detector.stream.settings import StreamSettings
from detector.stream.snapshot import restored
from detector.stream.state import StreamState
from detector.stream.subject import Owners
from detector.stream.suppression import Window

__all__ = [
    "MINUTE",
    "T0",
    "PlainScorer",
    "again",
    "columns_of",
    "following",
    "series_of",
    "stream_of",
]

T0 = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000
MINUTE = 60_000
OWNERS = Owners(shipped_packs())
# The hour in which series are counted before anything may alarm.
WARM = 60 * MINUTE


class PlainScorer:
    """A value is how surprising it is; 0 is expected, -1 to 1 the range. It counts what it saw."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]] | None = None) -> None:
        self.seen = np.zeros(0, np.int64) if arrays is None else arrays["seen"].copy()

    def grow(self, kinds: Sequence[SeriesKind]) -> None:
        """Rows that saw nothing."""
        self.seen = np.concatenate([self.seen, np.zeros(len(kinds), np.int64)])

    def begin(self, rows: NDArray[np.int32], kinds: Sequence[SeriesKind]) -> None:
        """They saw nothing."""
        self.seen[rows] = 0

    def forget(self, rows: NDArray[np.int32]) -> None:
        """They saw nothing."""
        self.seen[rows] = 0

    def score(self, columns: Columns) -> Scored:
        """The value itself; what is no number is not usable."""
        np.add.at(self.seen, columns.series, 1)
        odd = np.abs(np.nan_to_num(columns.value, posinf=0.0, neginf=0.0))
        return Scored(
            value=columns.value,
            expected=np.zeros(len(columns)),
            low=np.full(len(columns), -1.0),
            high=np.full(len(columns), 1.0),
            surprise=odd.astype(np.float32),
            p_value=(10.0**-odd).astype(np.float32),
            side=np.sign(np.nan_to_num(columns.value)).astype(np.int8),
            is_usable=np.isfinite(columns.value) & ~is_stale(columns.value),
        )

    def to_arrays(self) -> Arrays:
        """What it counted."""
        return {"seen": self.seen}


def series_of(count: int, *, service: str = "checkout", metric: str = "queue") -> list[SeriesInfo]:
    """Gauges of some pods of one service."""
    return [
        SeriesInfo(
            labels=(("__name__", metric), ("pod", f"{service}-{n}"), ("service", service)),
            kind=SeriesKind.GAUGE,
        )
        for n in range(count)
    ]


def stream_of(
    series: Sequence[SeriesInfo],
    *,
    settings: StreamSettings | None = None,
    windows: tuple[Window, ...] = (),
) -> StreamState:
    """A stream that has counted its series for an hour, and may alarm."""
    known = settings or StreamSettings(alarms_a_week=len(series) / 1000)
    state = StreamState(tenant="acme", scorer=PlainScorer(), settings=known, windows=windows)
    state = introduced(state, series, OWNERS)
    calm = [(n, at, 0.0) for at in (-WARM, -MINUTE, 0) for n in range(len(series))]
    state, happened = step(state, columns_of(calm))
    assert happened == ()
    return state


def columns_of(samples: Iterable[tuple[int, int, float]]) -> Columns:
    """Samples of (series, milliseconds after T0, value)."""
    rows = list(samples)
    return Columns(
        series=np.array([row[0] for row in rows], np.int32),
        at=np.array([T0 + row[1] for row in rows], np.int64),
        value=np.array([row[2] for row in rows], np.float64),
    )


def following(state: StreamState, values: Sequence[float], *, series: int = 0) -> list[Happened]:
    """What happens when a series brings these values, one a minute."""
    first = state.watermark - T0 + MINUTE
    samples = [(series, first + n * MINUTE, value) for n, value in enumerate(values)]
    return list(step(state, columns_of(samples))[1])


def again(state: StreamState, arrays: Arrays) -> StreamState:
    """The state of a snapshot, as another process would make it."""
    return restored(
        {name: array.copy() for name, array in arrays.items()},
        tenant=state.tenant,
        settings=state.settings,
        windows=state.windows,
        scorer=PlainScorer,
    )
