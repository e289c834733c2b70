"""History from memory: what tests and plug-ins are tried with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detector.series import FloatArray
from models.gridded import gridded
from models.stat import Stat
from pipelines.history.port import SeriesId, Span

__all__ = ["MemoryHistory"]


class MemoryHistory:
    """`HistorySource` over samples that were added."""

    def __init__(self, stat: Stat = Stat.MEAN) -> None:
        self._stat = stat
        self._samples: dict[SeriesId, tuple[FloatArray, FloatArray]] = {}

    def add(self, labels: Mapping[str, str], times: FloatArray, values: FloatArray) -> None:
        """Samples (unix seconds) of a series; again, they come to those that it has."""
        series = SeriesId.of(labels)
        before = self._samples.get(series, (np.zeros(0), np.zeros(0)))
        parts = zip(before, (times, values), strict=True)
        old_and_new = [np.concatenate(part) for part in parts]
        self._samples[series] = old_and_new[0], old_and_new[1]

    def series(self, span: Span) -> Sequence[SeriesId]:
        """See `HistorySource`."""
        return sorted(one for one, (times, _) in self._samples.items() if _any(times, span))

    def read(self, series: Sequence[SeriesId], span: Span) -> FloatArray:
        """See `HistorySource`."""
        told = np.full((len(series), span.steps), np.nan)
        for row, one in enumerate(series):
            if one in self._samples:
                told[row] = on_grid(*self._samples[one], span, self._stat)
        return told

    def close(self) -> None:
        """Nothing to give up."""


def on_grid(times: FloatArray, values: FloatArray, span: Span, stat: Stat) -> FloatArray:
    """Samples of one series as values of the span."""
    return gridded(
        times,
        values,
        start=float(span.start_s),
        step=float(span.step_s),
        count=span.steps,
        stat=stat,
    )


def _any(times: FloatArray, span: Span) -> bool:
    return bool(((times >= span.start_s) & (times < span.end_s)).any())
