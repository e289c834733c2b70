"""The series of a history source as work for a fleet: which there are, and their pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.errors import InputError
from detector.series import FloatArray
from models.baseline.calendar import Calendar
from models.forecast.history import History
from pipelines.flows.fleet import Given, Task
from pipelines.flows.fleet_kept import Trouble, name_of
from pipelines.history.port import HistorySource, SeriesId, Span, history_of
from pipelines.version import code_version

__all__ = ["SERVICE_LABELS", "Reading", "of_service", "task_of"]

# Labels that say whose a series is, as instrumentations call them.
SERVICE_LABELS = (
    "service", "service_name", "app", "app_kubernetes_io_name", "deployment", "workload",
    "container", "job",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read: `said` tells the source and what it is asked for from all others."""

    source: HistorySource
    span: Span
    calendar: Calendar
    said: tuple[str, ...]
    floor: float | None = None

    def series(self, service: str | None = None) -> dict[str, SeriesId]:
        """All series by name, or those of one service."""
        found = self.source.series(self.span)
        return {one.name: one for one in found if service is None or of_service(one, service)}

    def histories(self, some: Sequence[SeriesId]) -> list[History | Trouble]:
        """What is known of each, or why that is of no use."""
        values = self.source.read(some, self.span)
        return [self._history(values[row]) for row in range(len(some))]

    def _history(self, values: FloatArray) -> History | Trouble:
        try:
            return history_of(values, self.span, self.calendar, floor=self.floor)
        except ValueError as error:
            return Trouble(reason="unusable", text=str(error))


def of_service(series: SeriesId, service: str) -> bool:
    """Whether any label that says whose a series is names the service."""
    return any(value == service for label, value in series.labels if label in SERVICE_LABELS)


def task_of(
    what: str, work: Callable[[History], bytes], reading: Reading, series: Mapping[str, SeriesId]
) -> Task[History]:
    """The work on each series of a source, of the span alone: its name is of what it is made of.

    `InputError` where there is no series.
    """
    if not series:
        raise InputError(
            "no series has values there: look at the query, the service, and how far back",
            field="query",
        )
    zone = reading.calendar.to_arrays()
    clocks = b"".join(zone[name].tobytes() for name in sorted(zone))
    content = (code_version(), work, reading.said, reading.span, clocks, reading.floor)

    def load(page: Sequence[str]) -> Sequence[Given[History]]:
        found = reading.histories([series[name] for name in page])
        return [Given(name, one) for name, one in zip(page, found, strict=True)]

    return Task(name=name_of(what, *content), series=list(series), load=load, work=work)
