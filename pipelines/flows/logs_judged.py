"""What was counted of lines and spans moves both: detectors of logs, and models of the stream."""

from __future__ import annotations

import numpy as np

from detector.spans.series import About, lead_of, operations_of
from detector.stream.anomaly import AnomalyKind, Happened
from detector.stream.columns import SeriesInfo
from detector.stream.traced import TraceWhy
from pipelines.flows.logs_part import LogsPart
from pipelines.flows.logs_record import Counted
from pipelines.flows.stream_operators import Operators

__all__ = ["judged", "named", "traced"]


def judged(
    operators: Operators, logs: LogsPart, position: int, counted: Counted, *, are_named: bool
) -> tuple[Happened, ...]:
    """Take the next record, that has a position; what happened.

    `are_named`: its ids were given by the operators' own names, not by those of another life.
    """
    ids = np.frombuffer(counted.ids, np.int32).tolist()
    operators.introduce(counted.tenant, counted.new, ids, are_named=are_named)
    columns, happened = logs.take(position, counted)
    if columns is not None:
        happened = (*operators.samples(counted.tenant, columns), *happened)
    return (*traced(operators, logs, counted.tenant, happened), *logs.later(counted.tenant))


def traced(
    operators: Operators, logs: LogsPart, tenant: str, happened: tuple[Happened, ...]
) -> tuple[Happened, ...]:
    """The same with traces, where an anomaly is about requests to a service that has spans."""
    if not happened or not logs.has_spans(tenant):
        return happened
    return logs.traced(tenant, [(one, _about(operators, one)) for one in happened])


def _about(operators: Operators, happened: Happened) -> About | None:
    anomaly = happened.anomaly
    if anomaly.lines or not anomaly.subject.service:
        return None
    if anomaly.kind is AnomalyKind.SERVICE:
        return About(lead=TraceWhy.SLOWEST)
    metric = anomaly.subject.metric
    lead = lead_of(metric) or operators.lead(metric)
    if lead is None:
        return None
    return About(lead=lead, operations=operations_of(anomaly, operators.named(happened)))


def named(operators: Operators, logs: LogsPart, happened: Happened) -> dict[int, SeriesInfo]:
    """What the numbers of an anomaly's contributions stand for, whoever found it."""
    if happened.anomaly.lines:
        return logs.named(happened)
    return operators.named(happened)
