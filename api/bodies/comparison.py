"""Where requests spend their time, canary against control, as JSON; the classes document it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits
from detector.logs.plain import plain
from detector.spans.shift import Arms, Measure, TimeShift
from detector.spans.words import shift_words

__all__ = ["ComparisonAnswer", "comparison_body"]


class ShiftAnswer(Answer):
    """One operation in which requests to another spend another time."""

    text: str = Field(
        description="All of it in a sentence.",
        examples=["checkout v2 spends 180 ms more in `SELECT orders` per `POST /order` ..."],
    )
    entry: str = Field(description="Which requests of the service.")
    service: str = Field(description="Whose operation it is.")
    operation: str = Field(description="Where the time is spent.")
    is_total: bool = Field(description="Whether it is the request as a whole.")
    is_certain: bool = Field(description="Whether it is no chance, of all that were looked at.")
    canary_s: float = Field(description="Seconds a request of the canary.")
    control_s: float = Field(description="Seconds a request of the control.")
    difference_s: float = Field(description="How much longer the canary's take.")
    low_s: float = Field(description="Lower end of 95 % of it.")
    high_s: float = Field(description="Upper end of 95 % of it.")
    canary_traces: int = Field(description="Traces of the canary.")
    control_traces: int = Field(description="Traces of the control.")


class ComparisonAnswer(Answer):
    """The largest differences first; nothing of requests with fewer than 20 traces on a side."""

    service: str = Field(description="Of which service.")
    canary: list[str] = Field(description="Its versions on the one side.")
    control: list[str] = Field(description="Its versions on the other.")
    measure: Literal["path", "own"] = Field(description="Critical path, or time without children.")
    shifts: list[ShiftAnswer] = Field(description="At most 100.")


_MOST = 100


def comparison_body(arms: Arms, measure: Measure, shifts: Sequence[TimeShift]) -> dict[str, Any]:
    """A comparison as JSON."""
    version = "/".join(sorted(arms.canary))
    return {
        "service": arms.service,
        "canary": sorted(arms.canary),
        "control": sorted(arms.control),
        "measure": measure.value,
        "shifts": [_shift(one, version) for one in shifts[:_MOST]],
    }


def _shift(one: TimeShift, version: str) -> dict[str, Any]:
    return {
        "text": plain(shift_words(one, version)),
        "entry": one.entry.name,
        "service": one.operation.service,
        "operation": one.operation.name,
        "is_total": one.is_total,
        "is_certain": one.is_certain,
        "canary_s": digits(one.canary),
        "control_s": digits(one.control),
        "difference_s": digits(one.value),
        "low_s": digits(one.low),
        "high_s": digits(one.high),
        "canary_traces": one.canary_traces,
        "control_traces": one.control_traces,
    }
