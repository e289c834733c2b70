"""Traces that new and grave lines were written in: an anomaly of such lines is shown with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.logs.counted import LineTrace, LogCounts
from detector.logs.lines import Level, LogLines
from detector.stream.anomaly import Happened, LineNote

__all__ = ["EACH", "LineTraces", "traces_of"]

# Templates of services of which traces are remembered, and how many of each.
_MOST, EACH = 1_000, 3
Kept = Mapping[tuple[str, str], tuple[str, ...]]


def traces_of(
    lines: LogLines, template: NDArray[np.int32], fresh: Collection[int]
) -> tuple[LineTrace, ...]:
    """Of each template (its place, by line) that is `fresh` or grave the first trace of a batch."""
    if not lines.trace.any():
        return ()
    is_told = lines.level >= Level.ERROR
    if fresh:
        is_told |= np.isin(template, np.fromiter(fresh, np.int32))
    told = np.flatnonzero(is_told)
    told = told[lines.trace[told].any(axis=1)]
    places, first = np.unique(template[told], return_index=True)
    return tuple(
        LineTrace(template=place, origin=int(lines.origin[line]), trace=lines.trace[line].tobytes())
        for place, line in zip(places.tolist(), told[first].tolist(), strict=True)
    )


class LineTraces:
    """The first traces of each template of a service; of templates those that came first leave."""

    def __init__(self, kept: Kept | None = None) -> None:
        self._kept = dict(kept or {})

    @property
    def kept(self) -> Kept:
        """All of them, in hexadecimal, by service and template."""
        return self._kept

    def remember(self, counts: LogCounts) -> None:
        """Take those of a batch."""
        for one in counts.traces:
            key = counts.origins[one.origin].service, counts.templates[one.template].id
            known = self._kept.get(key, ())
            if len(known) < EACH and one.trace.hex() not in known:
                self._kept[key] = (*known, one.trace.hex())
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def told(self, happened: Happened) -> Happened:
        """An event with the traces of its anomaly's lines."""
        anomaly = happened.anomaly
        lines = tuple(self._told(anomaly.subject.service, note) for note in anomaly.lines)
        return replace(happened, anomaly=replace(anomaly, lines=lines))

    def _told(self, service: str, note: LineNote) -> LineNote:
        return replace(note, traces=self._kept.get((service, note.template), ()))
