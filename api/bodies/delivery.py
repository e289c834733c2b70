"""How software is delivered, as JSON and as a table; the classes document it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits, time_text
from detector.delivery.deployments import Deployment, Mended
from detector.delivery.measures import DEFINITIONS, Measure, Measures

__all__ = ["DeliveryAnswer", "delivery_body", "delivery_csv"]

Band = Literal["elite", "high", "medium", "low"]
_COLUMNS = ("since", "until", "deployments", "deployments_a_day", "lead_time_s", "failure_rate",
            "restore_time_s")  # fmt: skip


class MeasureAnswer(Answer):
    """A number with what it was counted of."""

    value: float | None = Field(description="Null where there is nothing to count.")
    unit: str = Field(description="Of the value.", examples=["deployments a day", "seconds"])
    count: int = Field(description="What it was counted of.")
    band: Band | None = Field(description="The level of the report of 2023 that it is in.")
    definition: str = Field(description="What it is.")


class MendedAnswer(Answer):
    """What was wrong because of a deployment."""

    what: str = Field(description="Id of the incident, or of the change that ended it.")
    began: str
    end: str | None = Field(description="Null while it is.")


class DeploymentAnswer(Answer):
    """A deployment behind the numbers."""

    change: str = Field(description="Its id at `/v1/changes`.")
    service: str | None
    version: str | None
    at: str
    lead_s: float | None = Field(description="From its first merge; null where none was told.")
    failures: list[Literal["failed", "rolled_back", "incident"]]
    mended: list[MendedAnswer]


class SpanAnswer(Answer):
    """The measures of a time."""

    since: str
    until: str
    frequency: MeasureAnswer
    lead_time: MeasureAnswer
    failure_rate: MeasureAnswer
    restore_time: MeasureAnswer


class DeliveryAnswer(SpanAnswer):
    """The measures of all of it, week by week, and the deployments behind them."""

    weeks: list[SpanAnswer]
    deployments: list[DeploymentAnswer] = Field(description="The oldest first.")
    notes: list[str] = Field(description="What was not counted, and why.")


def delivery_body(
    whole: Measures, weeks: Sequence[Measures], notes: Sequence[str]
) -> dict[str, Any]:
    """As it is answered."""
    return {
        **_span(whole),
        "weeks": [_span(week) for week in weeks],
        "deployments": [_deployment(one) for one in whole.deployments],
        "notes": list(notes),
    }


def delivery_csv(weeks: Sequence[Measures]) -> str:
    """A row for each week."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    for week in weeks:
        values = (
            week.frequency.value,
            _seconds(week.lead_time.value),
            week.failure_rate.value,
            _seconds(week.restore_time.value),
        )
        said = ["" if value is None else digits(value) for value in values]
        days = (time_text(week.since), time_text(week.until))
        rows.writerow((*days, week.frequency.count, *said))
    return text.getvalue()


def _span(measures: Measures) -> dict[str, Any]:
    return {
        "since": time_text(measures.since),
        "until": time_text(measures.until),
        "frequency": _measure("frequency", measures.frequency, "deployments a day"),
        "lead_time": _measure("lead_time", measures.lead_time, "seconds"),
        "failure_rate": _measure("failure_rate", measures.failure_rate, "ratio"),
        "restore_time": _measure("restore_time", measures.restore_time, "seconds"),
    }


def _measure(name: str, measure: Measure, unit: str) -> dict[str, Any]:
    value = _seconds(measure.value) if unit == "seconds" else measure.value
    return {
        "value": None if value is None else digits(value),
        "unit": unit,
        "count": measure.count,
        "band": None if measure.band is None else measure.band.value,
        "definition": DEFINITIONS[name],
    }


def _deployment(one: Deployment) -> dict[str, Any]:
    return {
        "change": one.change,
        "service": one.service or None,
        "version": one.version or None,
        "at": time_text(one.at),
        "lead_s": None if one.lead_ms is None else one.lead_ms / 1000,
        "failures": [failure.value for failure in one.failures],
        "mended": [_mended(each) for each in one.mended],
    }


def _mended(one: Mended) -> dict[str, Any]:
    end = None if one.end is None else time_text(one.end)
    return {"what": one.what, "began": time_text(one.began), "end": end}


def _seconds(value: float | None) -> float | None:
    return None if value is None else value / 1000
