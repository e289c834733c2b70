"""An anomaly in a sentence, for whoever is woken by it."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from detector.stream.anomaly import (
    Anomaly,
    AnomalyKind,
    AnomalyState,
    Contribution,
    Ending,
    Side,
    Subject,
)
from detector.stream.traced import TraceWhy

__all__ = ["clock_text", "number_text", "told_in_words"]

_BIG, _SMALL = 1e6, 1e-3
# Metrics of a service that are named.
_NAMED = 3


def told_in_words(anomaly: Anomaly, *, is_rate: bool = False) -> str:
    """What is odd, how odd, since when, in how many series, and whether it still is.

    `is_rate`: the values are per second, as those of counters are.
    """
    if anomaly.kind is not AnomalyKind.METRIC and anomaly.lines:
        return _of_lines(anomaly)
    if anomaly.kind is AnomalyKind.SERVICE:
        return _of_service(anomaly)
    peak, unit = anomaly.peak, "/s" if is_rate else ""
    return (
        f"{_name(anomaly.subject)} {_moved(anomaly.side)} to {number_text(peak.value)}{unit} at"
        f" {clock_text(peak.peak_at)}, expected {_range(peak, unit)}{_many(anomaly)};"
        f" {_lasts(anomaly)}.{_example(anomaly)}"
    )


def _of_service(anomaly: Anomaly) -> str:
    """Which metrics make a service odd, each by its share."""
    first = anomaly.metrics[:_NAMED]
    named = ", ".join(f"{one.metric} {100 * one.share:.0f} %" for one in first)
    more = len(anomaly.metrics) - len(first)
    others = f" and {more} more" if more > 0 else ""
    return (
        f"{_where(anomaly.subject)}: its metrics together are unlike what is usual, most at"
        f" {clock_text(anomaly.peak.peak_at)}, by {named}{others}; {_lasts(anomaly)}."
    )


def _example(anomaly: Anomaly) -> str:
    """What a request of that time shows best, where its spans have come."""
    odd = (one for one in anomaly.traces if one.spent and one.why is not TraceWhy.ORDINARY)
    one = next(odd, None)
    if one is None:
        return ""
    took = f"{'failed after' if one.has_failed else 'took'} {_time(one.duration_s)}"
    usual = f" (usually {_time(one.usual_s)})" if one.usual_s else ""
    most = one.spent[0]
    whose = "" if most.service == one.service else f"{most.service}: "
    own = (most.service, most.operation) == (one.service, one.operation)
    where = "itself" if own else f"{whose}{most.operation!r}"
    return f" A request to {one.operation!r} {took}{usual}, {_time(most.seconds)} of it in {where}."


def _time(seconds: float) -> str:
    return f"{number_text(1000 * seconds)} ms" if seconds < 1 else f"{number_text(seconds)} s"


def _of_lines(anomaly: Anomaly) -> str:
    """What is new in a log, or is not written any more."""
    first, others = anomaly.lines[0], anomaly.members - 1
    beside = f" and {others:,} other templates" if others > 1 else " and another template"
    beside = beside if others else ""
    name = f"{_where(anomaly.subject)}: {first.level} {first.title!r}{beside}"
    if anomaly.kind is AnomalyKind.LOG_NOVELTY:
        many = f"{first.count:,} times" if first.count != 1 else "once"
        known = f"written only as {first.before}" if first.before else "never written"
        return f"{name}, {known} before, came {many}; {_lasts(anomaly)}."
    every = f"every {_span(first.every_s)}" if first.every_s else "regularly"
    is_open = anomaly.state is AnomalyState.OPEN
    missing, logs = ("missing", "logs") if is_open else ("missed", "logged")
    return (
        f"{name}, written {every} before, {missing} while the service still {logs};"
        f" {_lasts(anomaly)}."
    )


def _where(subject: Subject) -> str:
    where = f"{subject.namespace}/" if subject.namespace else ""
    return f"{where}{subject.service or 'an unnamed service'}"


def _name(subject: Subject) -> str:
    where = f"{subject.namespace}/" if subject.namespace else ""
    return f"{where}{subject.service}: {subject.metric}" if subject.service else subject.metric


def _moved(side: Side) -> str:
    return "rose" if side is Side.ABOVE else "fell"


def _range(peak: Contribution, unit: str) -> str:
    low, high = number_text(peak.low), number_text(peak.high)
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def _many(anomaly: Anomaly) -> str:
    return "" if anomaly.live == 1 else f", in {anomaly.members:,} of {anomaly.live:,} series"


def _lasts(anomaly: Anomaly) -> str:
    since = clock_text(anomaly.start)
    if anomaly.again is not None:
        since += f", came again at {clock_text(anomaly.again)}"
    if anomaly.state is AnomalyState.OPEN or anomaly.end is None:
        return f"it began at {since} and lasts"
    span = _span((anomaly.end - anomaly.start) / 1000)
    match anomaly.ending:
        case Ending.SILENT:
            of = "series" if anomaly.kind is AnomalyKind.METRIC else "service"
            return f"it began at {since}, and after {span} its {of} stopped reporting"
        case Ending.FEEDBACK:
            return f"it began at {since}, and was called normal by a person"
    return f"it began at {since} and was over after {span}"


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def clock_text(at: int) -> str:
    """A time of day in UTC, from unix milliseconds.

    >>> clock_text(1_790_000_000_000)
    '14:13 UTC'
    """
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M UTC")


def number_text(value: float) -> str:
    """Three digits that matter, never more than a person reads at once.

    >>> number_text(0.123456), number_text(1234.5), number_text(2.5e9), number_text(3.0)
    ('0.123', '1,234', '2.5e+09', '3')
    """
    if not math.isfinite(value):
        return "unknown"
    if value and not _SMALL <= abs(value) < _BIG:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
