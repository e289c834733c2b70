"""The services of a tenant judged live by their models: samples in, anomalies of services out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from detector.fitted.intake import Intake
from detector.fitted.model import FittedModel
from detector.fitted.scorer import RowScorer
from detector.fitted.telling import METRIC, number_of, told
from detector.fitted.unit import Row, Unit, labels_of, unit_of
from detector.gate.aa import Scope
from detector.stream.anomaly import Happened, Side, Subject
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.feedback import Feedback, Tuning
from detector.stream.feedback import told as fed
from detector.stream.operator import step
from detector.stream.settings import StreamSettings
from detector.stream.state import NEVER, StreamState
from detector.stream.suppression import Window

__all__ = ["MOST", "Together", "for_services"]

# Services that are judged live, and series that they are made of.
MOST, MOST_MEMBERS = 500, 200_000
# After so many rows of a gap nothing is known of what was before it.
_MOST_ROWS = 64
_SILENT_S, _FOREVER_S = 14_400.0, 1e12


def for_services(settings: StreamSettings) -> StreamSettings:
    """How excursions of services are told apart, by how those of series are."""
    return replace(
        settings,
        silent_s=max(settings.silent_s, _SILENT_S),
        forget_s=_FOREVER_S,
    )


class Together:
    """Changed in place; it has one owner at a time.

    A service's step is over once the stream's newest time is some way beyond its end: so rows, and
    what follows of them, depend on the samples and their order alone, however they are cut.
    """

    def __init__(
        self,
        tenant: str,
        settings: StreamSettings,
        windows: Sequence[Window] = (),
        *,
        origin: str = "",
        watermark: int = NEVER,
        most: int = MOST,
    ) -> None:
        self.intake, self.scorer = Intake(), RowScorer()
        self.units: list[Unit] = []
        self.watermark = watermark
        self.left_out, self._most = 0, most
        # By service, rows that its anomaly may be told by: by their times.
        self.rows: dict[int, dict[int, Row]] = {}
        self._of_metric: dict[str, list[int]] = {}
        self._due = self._next()
        self.state = StreamState(
            tenant=tenant,
            scorer=self.scorer,
            settings=for_services(settings),
            windows=tuple(windows),
            origin=origin,
        )

    def use(self, fitted: FittedModel) -> tuple[int, tuple[str, ...]] | None:
        """Judge a service by this model from now on.

        Its number, and the metrics whose series it is to be shown; None where there is no room for
        one more service. `ValueError` for a model that is not whole.
        """
        old = self._unit(fitted.scope)
        if old is None and len(self.units) >= self._most:
            self.left_out += 1
            return None
        unit = unit_of(len(self.units) if old is None else old.number, fitted)
        if old is None:
            self._begin(unit)
        else:
            for series, _, _ in old.members.values():
                self.intake.drop(series, [old.number])
            self.units[unit.number] = unit
        self.intake.ends[unit.number] = _after(self.watermark, unit.step_ms)
        self.index()
        return unit.number, unit.wanted

    def introduce(
        self, series: Sequence[SeriesInfo], ids: Sequence[int], *, unit: int | None = None
    ) -> None:
        """Series before their samples, that have these ids from now on; or only for one service."""
        for id, info in zip(ids, series, strict=True):
            if unit is None:
                self.drop(id)
            for number in self._of_metric.get(info.name, ()):
                if unit is None or number == unit:
                    self._join(self.units[number], id, info)

    def drop(self, id: int) -> None:
        """An id is another series' from now on."""
        for number, row in self.intake.drop(id):
            self.units[number].leave(row)

    def _join(self, unit: Unit, id: int, info: SeriesInfo) -> None:
        labels = labels_of(info)
        parts = unit.counts_in(info.name, labels)
        if not parts:
            return
        if self.intake.size >= MOST_MEMBERS:
            self.left_out += 1
            return
        row = self.intake.add(unit.number, id, is_delta=info.kind is SeriesKind.DELTA)
        unit.join(row, id, labels.get(unit.parts[parts[0]].pod_label, ""), parts)

    def take(self, columns: Columns) -> tuple[Happened, ...]:
        """Samples of series that were introduced; what happened to services."""
        if not len(columns):
            return ()
        marks = np.maximum(np.maximum.accumulate(columns.at), self.watermark)
        if self.watermark == NEVER:
            self._start(int(marks[0]))
        happened: list[Happened] = []
        start = 0
        while start < len(columns):
            stop = int(np.searchsorted(marks, self._due))
            if stop > start:
                self.intake.take(columns.part(slice(start, stop)))
                start = stop
            if start < len(columns):
                happened += self._closed(int(marks[start]))
        self.watermark = int(marks[-1])
        return tuple(happened)

    def said(self, feedback: Feedback) -> tuple[tuple[Happened, ...], tuple[Tuning, ...]]:
        """Apply what a person said of an anomaly of a service."""
        number = number_of(feedback.series[0])
        own = replace(feedback, series=(number,), surprise=(max(feedback.surprise),), named=())
        self.state, happened, tunings = fed(self.state, own)
        found = tuple(self._told(one) for one in happened)
        self._forget(number)
        return found, tuple(
            replace(one, series=series) for one in tunings for series in feedback.series
        )

    def index(self) -> None:
        """Find out anew which services want series of which metrics, and when a step is over."""
        self._due = self._next()
        self._of_metric = {}
        for unit in self.units:
            for metric in unit.wanted:
                self._of_metric.setdefault(metric, []).append(unit.number)

    def _unit(self, scope: Scope) -> Unit | None:
        return next((unit for unit in self.units if unit.fitted.scope == scope), None)

    def _begin(self, unit: Unit) -> None:
        scope = unit.fitted.scope
        subject = Subject(
            service=scope.service,
            namespace=scope.namespace or "",
            cluster=scope.cluster or "",
            metric=METRIC,
        )
        self.units.append(unit)
        self.intake.ends = np.append(self.intake.ends, NEVER)
        state = self.state
        state.numbers[subject] = len(state.subjects)
        state.subjects.append(subject)
        state.sizes.append(1)
        state.rows_of.append(1)
        state.tracks.add(np.array([unit.number], np.int32), state.hours)
        self.scorer.grow([SeriesKind.GAUGE])

    def _start(self, mark: int) -> None:
        for unit in self.units:
            self.intake.ends[unit.number] = _after(mark, unit.step_ms)
        self._due = self._next()

    def _next(self) -> int:
        """When the next step of any service is over."""
        ends = self.intake.ends
        return min((int(ends[one.number]) + one.settled_ms for one in self.units), default=2**62)

    def _closed(self, mark: int) -> Iterator[Happened]:
        """Judge the rows that are over by a mark, in the order of their times."""
        found = [(unit.number, row) for unit in self.units for row in self._over(unit, mark)]
        self._due = self._next()
        for number, row in sorted(found, key=lambda one: (one[1].at, one[0])):
            yield from self._judged(number, row)

    def _over(self, unit: Unit, mark: int) -> Iterator[Row]:
        for _ in range(_MOST_ROWS):
            end = int(self.intake.ends[unit.number])
            if end + unit.settled_ms > mark:
                return
            row = unit.judged(self.intake, end)
            if row is not None:
                yield row
        self.intake.ends[unit.number] = _after(mark - unit.settled_ms + 1, unit.step_ms)

    def _judged(self, number: int, row: Row) -> Iterator[Happened]:
        unit = self.units[number]
        value = self.scorer.row(row.p_value, unit.fitted.step_s)
        self.rows.setdefault(number, {})[row.at] = row
        columns = Columns(
            series=np.array([number], np.int32), at=np.array([row.at]), value=np.array([value])
        )
        self.state, happened = step(self.state, columns)
        for one in happened:
            yield self._told(one)
        self._forget(number)

    def _told(self, happened: Happened) -> Happened:
        peak = happened.anomaly.peak
        return told(happened, peak.series, self.rows[peak.series][peak.peak_at])

    def _forget(self, number: int) -> None:
        """Let go of rows that no anomaly of a service is to be told by any more."""
        excursion = self.state.excursions.get((number, Side.ABOVE))
        kept = set() if excursion is None else {excursion.peak.at}
        subject = self.state.subject_of(number)
        for held in (self.state.open, self.state.resting):
            gathering = held.get((subject, Side.ABOVE))
            if gathering is not None and number in gathering.over:
                kept.add(gathering.over[number].peak_at)
        rows = {at: row for at, row in self.rows.get(number, {}).items() if at in kept}
        self.rows[number] = rows
        if not rows:
            del self.rows[number]


def _after(mark: int, step_ms: int) -> int:
    """The end of the step that a time is in; NEVER before any."""
    return mark if mark == NEVER else math.ceil(mark / step_ms) * step_ms
