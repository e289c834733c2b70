"""What one series will be, as JSON; the classes document it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits, time_text
from detector.capacity.assessed import Assessment, Outlook
from pipelines.capacity.forecasting import Foretold

if TYPE_CHECKING:
    from models.forecast.outcome import Forecast

__all__ = ["EXAMPLE_FORECAST", "ForecastAnswer", "foretold_body", "outlook_body"]

# P10 to P90 is what a report keeps.
_KEPT = 0.8


class IntervalAnswer(Answer):
    """Where a step lies with a probability."""

    coverage: float = Field(examples=[0.9])
    low: float
    high: float


class PointAnswer(Answer):
    """One step."""

    at: str = Field(description="When it begins.")
    value: float = Field(description="The point forecast; of a resource, its P50.")
    intervals: list[IntervalAnswer]


class MovedAnswer(Answer):
    """By how much a known change moved the level."""

    at: str
    by: float


class ForecastAnswer(Answer):
    """What a query, signal or resource will be."""

    of: str = Field(description="The query that was read, or the resource's id.")
    as_of: str
    step_s: int
    measured_from: str | None = Field(description="The first value that was measured.")
    measured_to: str | None = Field(description="The end of the last one.")
    points: list[PointAnswer]
    weights: dict[str, float] = Field(description="The share of each forecaster.")
    mase: float | None = Field(
        description="How far off such forecasts were in its past, where a seasonal naive one is 1."
    )
    shifts: list[MovedAnswer]
    assumptions: list[str] = Field(
        description="What it rests on.",
        examples=[["There are 16 days of history only, so the intervals are rough."]],
    )
    problem: str | None = Field(
        description="Why nothing is foretold.",
        examples=["not enough history: needs 14 days, has 4 days"],
    )


def foretold_body(
    of: str, told: Foretold, coverages: Sequence[float], as_of: int
) -> dict[str, Any]:
    """The forecast of a query."""
    history, found = told.history, told.forecast
    step_ms = 1000 * history.step_s
    known = np.flatnonzero(np.isfinite(history.values))
    first, last = (None, None) if not len(known) else (int(known[0]), int(known[-1]) + 1)
    return {
        "of": of,
        "as_of": time_text(as_of),
        "step_s": history.step_s,
        "measured_from": _at(history.start_ms, first, step_ms),
        "measured_to": _at(history.start_ms, last, step_ms),
        "points": [] if found is None else _points(found, coverages),
        "weights": {} if found is None else {k: digits(v) for k, v in found.weights.items()},
        "mase": None if found is None or not np.isfinite(found.mase) else digits(found.mase),
        "shifts": [] if found is None else _shifts(found, history.start_ms, step_ms),
        "assumptions": list(told.assumptions),
        "problem": told.problem,
    }


def outlook_body(one: Assessment) -> dict[str, Any]:
    """The forecast of a resource, as it was last assessed: by days, between P10 and P90."""
    told = one.outlook
    return {
        "of": one.identity.key,
        "as_of": time_text(one.as_of),
        "step_s": one.usage.step_s,
        "measured_from": time_text(one.usage.start_ms),
        "measured_to": time_text(
            one.usage.start_ms + 1000 * one.usage.step_s * len(one.usage.values)
        ),
        "points": [] if told is None else _quantiles(told),
        "weights": {} if told is None else {k: digits(v) for k, v in told.weights.items()},
        "mase": None if told is None or told.mase is None else digits(told.mase),
        "shifts": [],
        "assumptions": list(one.assumptions),
        "problem": one.problem,
    }


def _points(found: Forecast, coverages: Sequence[float]) -> list[dict[str, Any]]:
    bounds = [(coverage, *found.interval(coverage)) for coverage in coverages]
    return [
        {
            "at": time_text(found.start_ms + 1000 * found.step_s * at),
            "value": digits(float(value)),
            "intervals": [
                {"coverage": c, "low": digits(float(low[at])), "high": digits(float(high[at]))}
                for c, low, high in bounds
            ],
        }
        for at, value in enumerate(found.point)
    ]


def _quantiles(told: Outlook) -> list[dict[str, Any]]:
    return [
        {
            "at": time_text(told.start_ms + 1000 * told.step_s * at),
            "value": digits(middle),
            "intervals": [{"coverage": _KEPT, "low": digits(low), "high": digits(high)}],
        }
        for at, (low, middle, high) in enumerate(zip(told.p10, told.p50, told.p90, strict=True))
    ]


def _shifts(found: Forecast, start_ms: int, step_ms: int) -> list[dict[str, Any]]:
    return [
        {"at": time_text(start_ms + step_ms * at), "by": digits(by)}
        for at, by in sorted(found.shifts.items())
    ]


def _at(start_ms: int, step: int | None, step_ms: int) -> str | None:
    return None if step is None else time_text(start_ms + step_ms * step)


EXAMPLE_FORECAST: dict[str, Any] = {
    "of": 'sum(rate(http_requests_total{service="checkout"}[5m]))',
    "as_of": "2026-11-23T12:20:00.000Z",
    "step_s": 3600,
    "measured_from": "2026-09-28T12:00:00.000Z",
    "measured_to": "2026-11-23T12:00:00.000Z",
    "points": [
        {
            "at": "2026-11-23T12:00:00.000Z",
            "value": 182.4,
            "intervals": [
                {"coverage": 0.8, "low": 171.9, "high": 193.6},
                {"coverage": 0.95, "low": 165.2, "high": 201.7},
            ],
        }
    ],
    "weights": {"weekly profile": 0.62, "theta": 0.38},
    "mase": 0.71,
    "shifts": [{"at": "2026-11-02T09:00:00.000Z", "by": 21.5}],
    "assumptions": ["Nothing is known of 4 days in a row; they are filled by what is usual."],
    "problem": None,
}
