"""What a history source is: which series there are, and their values on an even grid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detector.errors import InputError
from detector.selector import format_query
from detector.series import FloatArray, Matcher, MatchOp, Query
from models.baseline.calendar import Calendar, local_of
from models.forecast.history import DAY_S, History

__all__ = ["HistorySource", "SeriesId", "Span", "history_of", "span_until"]

_NAME = "__name__"
_MOST_STEPS = 40_000


@dataclass(frozen=True, slots=True, order=True)
class SeriesId:
    """Whose values they are: labels by name, sorted, without empty ones."""

    labels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> SeriesId:
        """The series with these labels."""
        return cls(tuple(sorted((name, value) for name, value in labels.items() if value)))

    @property
    def name(self) -> str:
        """As PromQL writes it, for people and as a key.

        >>> SeriesId.of({"__name__": "up", "job": "shop"}).name
        'up{job="shop"}'
        """
        told = dict(self.labels)
        metric = told.pop(_NAME, "")
        matchers = tuple(Matcher(label, MatchOp.EQUAL, value) for label, value in told.items())
        if metric:
            return format_query(Query(metric, matchers))
        return format_query(Query("_", matchers)).removeprefix("_") or "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An even grid: `steps` steps of `step_s` seconds from `start_s` (unix) on."""

    start_s: int
    step_s: int
    steps: int

    @property
    def end_s(self) -> int:
        """Where the last step ends."""
        return self.start_s + self.steps * self.step_s


class HistorySource(Protocol):
    """The past of many series. Safe for one thread at a time; close it in the end."""

    def series(self, span: Span) -> Sequence[SeriesId]:
        """Each series that has values in the span, once, in order.

        `SourceError` where the source does not answer, `InputError` for what it cannot be asked.
        """
        ...

    def read(self, series: Sequence[SeriesId], span: Span) -> FloatArray:
        """Values of some of them (len(series), span.steps), NaN where nothing was measured.

        A sample at the end of a step belongs to the next one. Counters come as rates per second,
        over resets. Errors as of `series`; a part of an answer is one, never a value.
        """
        ...

    def close(self) -> None:
        """Give up connections and files."""
        ...


def span_until(until_s: float, back_s: float, step_s: int, calendar: Calendar) -> Span:
    """The grid of whole steps up to a time (unix), begun `back_s` seconds before.

    Steps of a day are local days where clocks are not put forward; in summer they begin an hour
    after midnight, so that each lies in its own day and all are as long. `InputError` where there
    is no step in it, or too many.
    """
    if step_s < 1 or DAY_S % step_s:
        raise InputError(f"{step_s} s: a day must be a whole number of steps", field="step")
    ahead_s = _ahead_s(until_s, back_s, calendar) if step_s == DAY_S else 0
    last = math.floor((until_s + ahead_s) / step_s)
    steps = int(back_s // step_s)
    if not 0 < steps <= _MOST_STEPS:
        raise InputError(f"{steps} steps of history: 1 to {_MOST_STEPS} can be read", field="back")
    return Span(start_s=(last - steps) * step_s - ahead_s, step_s=step_s, steps=steps)


def history_of(
    values: FloatArray, span: Span, calendar: Calendar, *, floor: float | None = None
) -> History:
    """What is known of a series: from its first value on."""
    there = np.flatnonzero(np.isfinite(values))
    first = int(there[0]) if len(there) else len(values)
    return History(
        values=np.ascontiguousarray(values[first:]),
        start_ms=1000 * (span.start_s + first * span.step_s),
        step_s=span.step_s,
        calendar=calendar,
        floor=floor,
    )


def _ahead_s(until_s: float, back_s: float, calendar: Calendar) -> int:
    """How far clocks are ahead of UTC when they are least so, in the span."""
    moments = [until_s - back_s, until_s]
    moments += [at / 1000 for at in calendar.starts.tolist() if moments[0] < at / 1000 < moments[1]]
    return min(local_of(int(at * 1000), calendar) - int(at * 1000) for at in moments) // 1000
