"""What was counted of lines and spans moves both: detectors of logs, and models of the stream."""

from __future__ import annotations

import numpy as np

from detector.stream.anomaly import Happened
from detector.stream.columns import SeriesInfo
from pipelines.flows.logs_part import LogsPart
from pipelines.flows.logs_record import Counted
from pipelines.flows.stream_operators import Operators

__all__ = ["judged", "named"]


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
    return happened


def named(operators: Operators, logs: LogsPart, happened: Happened) -> dict[int, SeriesInfo]:
    """What the numbers of an anomaly's contributions stand for, whoever found it."""
    if happened.anomaly.lines:
        return logs.named(happened)
    return operators.named(happened)
