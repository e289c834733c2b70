"""What is told of one resource: values without arrays, that are kept, compared and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from detector.capacity.resource import Identity, Limit

__all__ = [
    "Accuracy",
    "Action",
    "Assessment",
    "Curve",
    "DriverModel",
    "Exhaustion",
    "Headroom",
    "Outlook",
    "Sizing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What was used: one value for the `step_s` seconds from `start_ms` on, None where unknown."""

    start_ms: int
    step_s: int
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What will be used, by steps: below `p10` in one future of ten, and so on.

    `p05`, `p25`, `p75` and `p95` are for charts, empty where a report is of before them.
    `weights`: the share of each forecaster. `mase`: how far off such forecasts were in the past,
    of which a seasonal naive one is 1; None where that is not known.
    """

    start_ms: int
    step_s: int
    p10: tuple[float, ...]
    p50: tuple[float, ...]
    p90: tuple[float, ...]
    p05: tuple[float, ...] = ()
    p25: tuple[float, ...] = ()
    p75: tuple[float, ...] = ()
    p95: tuple[float, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)
    mase: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhaustion:
    """When the limit is reached.

    `chance`: that it is within the horizon. `p10`, `p50`, `p90`: by when it is in so many futures
    of a hundred (unix ms), None where beyond the horizon. `since`: since when it is already.
    `means`: what counts as exhausted, in words.
    """

    chance: float
    p10: int | None
    p50: int | None
    p90: int | None
    since: int | None = None
    means: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What is left: `used` at its worst in the last week, of `limit`.

    `share`: `used` of `limit`. `ahead`: the share that nine futures of ten stay below within the
    horizon, None where there is no forecast.
    """

    used: float
    limit: float
    share: float
    ahead: float | None = None

    @property
    def left(self) -> float:
        """In the unit of the resource; below 0 where more is used than there is."""
        return self.limit - self.used


class Action(StrEnum):
    """What is to be done about the size of a resource."""

    RAISE = "raise"
    LOWER = "lower"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What is advised: `action` on `what` ("limit" or "request"), from `present` to `to`.

    In the unit of the resource, for each replica. `by` (unix ms): the last moment to do it, None
    where there is no haste. `saving`: in `currency` a month over all replicas, negative where it
    costs more, None without a price. `why`: in words.
    """

    action: Action
    what: str
    present: float
    to: float
    by: int | None = None
    saving: float | None = None
    currency: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverModel:
    """How usage follows its driver: `base` + `slope` x, and `bend` more for each beyond `knee`.

    `slope_low` to `slope_high` hold the slope with 90 %. `explained`: the share of the variance.
    `knee` is None where it is a straight line as far as it was seen, up to `seen`.
    """

    name: str
    base: float
    slope: float
    slope_low: float
    slope_high: float
    explained: float
    seen: float
    knee: float | None = None
    bend: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """What past reports said of a resource, against what came.

    `reports` that can be judged by now; `within` of `dates` came between P10 and P90;
    `date_error_days`: the median error of their P50, None without dates that came; `error`: the
    median distance of usage from the forecast's P50, as a share; `inside`: the share of days whose
    usage was between P10 and P90; `sentence`: the last of them in words.
    """

    reports: int
    dates: int
    within: int
    date_error_days: float | None
    error: float | None
    inside: float | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All that is told of a resource.

    `usage`: its daily worst; `limit`, `requested`: with planned steps and what-ifs. Where no honest
    answer can be given, `problem` says why, and what follows from a forecast is None.
    """

    identity: Identity
    as_of: int
    horizon_s: int
    usage: Curve
    limit: Limit | None = None
    requested: Limit | None = None
    replicas: int = 1
    outlook: Outlook | None = None
    exhaustion: Exhaustion | None = None
    headroom: Headroom | None = None
    sizing: Sizing | None = None
    driver: DriverModel | None = None
    assumptions: tuple[str, ...] = ()
    accuracy: Accuracy | None = None
    problem: str | None = None
    what_if: tuple[str, ...] = ()
