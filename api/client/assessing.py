"""Capacity of series of pandas, without a server: when each resource runs out, and how sure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from api.client.columns import CAPACITY, frame_of
from api.client.forecasting import history_of
from api.client.series import grid_of, milliseconds_of, numbers_of, seconds_of, times_of
from detector.errors import InputError, NotFoundError

if TYPE_CHECKING:
    import pandas as pd

    from detector.capacity.assessed import Assessment
    from detector.capacity.report import Report
    from detector.capacity.resource import Limit, Resource
    from models.forecast.history import History

__all__ = ["CapacityReport", "assess", "resource"]

_MOST = 10_000
_QUANTILES = ("p10", "p50", "p90")


@dataclass(frozen=True, slots=True)
class CapacityReport:
    """What was found of some resources; `frame` has the most urgent first."""

    report: Report = field(repr=False)

    @property
    def summary(self) -> Sequence[str]:
        """Sentences for who reads no more than these."""
        return self.report.summary

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each resource, with the columns of `Client.capacity`."""
        from api.bodies.capacity import resource_body

        bodies = (resource_body(one, curves=False) for one in self.report.assessments)
        return frame_of(bodies, CAPACITY)

    def days(self, id: str) -> pd.DataFrame:
        """Of a resource by day: `used` as it was, and `p10`, `p50` and `p90` as it will be."""
        import pandas as pd

        one = self._found(id)
        parts = [
            pd.DataFrame({"used": one.usage.values}, index=_starts(one.usage), dtype="float64")
        ]
        if one.outlook is not None:
            told = {name: getattr(one.outlook, name) for name in _QUANTILES}
            parts.append(pd.DataFrame(told, index=_starts(one.outlook), dtype="float64"))
        return pd.concat(parts).reindex(columns=["used", *_QUANTILES])

    def assumptions(self, id: str) -> Sequence[str]:
        """What was taken for granted of a resource."""
        return self._found(id).assumptions

    def json(self) -> bytes:
        """As reports are kept and compared."""
        from detector.capacity.report import to_json

        return to_json(self.report)

    def _found(self, id: str) -> Assessment:
        found = (one for one in self.report.assessments if one.identity.key == id)
        one = next(found, None)
        if one is None:
            raise NotFoundError(f"there is no resource {id[:200]!r}; `frame` lists them by id")
        return one


def _starts(of: Any) -> pd.DatetimeIndex:  # noqa: ANN401 - a curve or an outlook
    """When each step of a curve begins."""
    count = len(of.values) if hasattr(of, "values") else len(of.p50)
    at = of.start_ms + 1000 * of.step_s * np.arange(count, dtype=np.int64)
    return times_of(at).rename("at")


def resource(  # noqa: PLR0913 - a resource is told by that many words
    usage: pd.Series,
    limit: float | pd.Series | None = None,
    *,
    kind: str = "other",
    unit: str = "",
    name: str | None = None,
    requested: float | pd.Series | None = None,
    driver: pd.Series | None = None,
    changes: Sequence[datetime] = (),
    replicas: int = 1,
    **place: str,
) -> Resource:
    """A resource that can run out, for `assess`.

    `usage` by time is told by the greatest value of each hour (or day, where values are rarer);
    `limit` and `requested` are in its `unit` ("cores", "bytes", "GiB", ...), a number or steps over
    time. `kind` is one of cpu, memory, disk, connections, partitions, licences, traffic and other.
    `driver` is what usage follows, as requests per second, named by the series. `place`: `service`,
    `namespace`, `cluster`, `team`. `InputError` names what cannot be used.
    """
    from detector.capacity.resource import Kind, Resource

    if kind not in set(Kind):
        raise InputError(f"kind: {kind!r} is none of {', '.join(Kind)}", field="kind")
    strange = set(place) - {"service", "namespace", "cluster", "team"}
    if strange:
        field = min(strange)
        raise InputError(f"{field}: there is no such word of a resource", field=field)
    told = _past(usage, changes, "usage")
    named = name if name is not None else str(usage.name or kind)
    return Resource(
        name=named,
        kind=Kind(kind),
        unit=unit,
        usage=told,
        limit=_limit(limit, "limit"),
        requested=_limit(requested, "requested"),
        driver=None if driver is None else _driver(driver, told),
        driver_name="" if driver is None else str(driver.name or "driver"),
        replicas=replicas,
        service=place.get("service", ""),
        namespace=place.get("namespace", ""),
        cluster=place.get("cluster", ""),
        team=place.get("team", ""),
    )


def _past(series: pd.Series, changes: Sequence[datetime], name: str) -> History:
    return history_of(grid_of(series, step_s=None, how="max", field=name), changes=changes)


def _driver(driver: pd.Series, usage: History) -> History:
    """The driver on the grid of the usage: what lies outside of it is left out."""
    import pandas as pd

    start, step, values = grid_of(driver, step_s=usage.step_s, how="mean", field="driver")
    at = start + 1000 * step * np.arange(len(values), dtype=np.int64)
    there = pd.Series(values, index=at).reindex(usage.starts()).to_numpy()
    return history_of((usage.start_ms, step, there))


def _limit(told: float | pd.Series | None, name: str) -> Limit | None:
    """A number for all times, or the steps at which a series of them changes."""
    import pandas as pd

    from detector.capacity.resource import Limit

    if told is None:
        return None
    if not isinstance(told, pd.Series):
        return Limit.of(told)
    at, values = milliseconds_of(told.index, name), numbers_of(told, name)
    known = dict(sorted(zip(at.tolist(), values.tolist(), strict=True)))
    kept = {ms: value for ms, value in known.items() if value == value}  # noqa: PLR0124 - NaN
    steps: list[tuple[int, float]] = []
    for ms, value in kept.items():
        if not steps or steps[-1][1] != value:
            steps.append((ms, value))
    return Limit(steps=tuple(steps))


def assess(
    resources: Iterable[Resource],
    *,
    horizon: str | float | pd.Timedelta = "90d",
    as_of: datetime | None = None,
    what_if: Sequence[str] = (),
    prices: Mapping[str, float] | None = None,
    currency: str = "",
    seed: int = 0,
) -> CapacityReport:
    """When each runs out within the horizon, how sure that is, and what to do.

    `as_of` is the end of the newest usage unless told. `what_if`: sentences such as "traffic +40%
    from 2026-12-01". `prices` a month by kind, for a core, a GiB or a piece. The same for the same
    arguments. `InputError` names what cannot be used; a resource of which nothing honest can be
    said has its `problem` in the frame.
    """
    from detector.capacity.assess import assess as assessed
    from detector.capacity.summary import composed
    from detector.capacity.whatif import parse

    every = list(resources)
    if not 1 <= len(every) <= _MOST:
        words = f"resources: {len(every)}, not between 1 and {_MOST}"
        raise InputError(words, field="resources")
    now, horizon_s = _now(every, as_of), round(seconds_of(horizon, "horizon"))
    asked = [parse(text, now=now) for text in what_if]
    costs = _prices(prices or {}, currency)
    found = [
        assessed(one, horizon_s=horizon_s, as_of=now, prices=costs, what_if=asked, seed=seed)
        for one in every
    ]
    return CapacityReport(
        composed(found, made_at=now, horizon_s=horizon_s, scope="by hand", what_if=what_if)
    )


def _now(resources: Sequence[Resource], told: datetime | None) -> int:
    if told is None:
        return max(int(one.usage.starts(1)[-1]) for one in resources)
    if told.utcoffset() is None:
        raise InputError(f"as_of: {told} has no time zone", field="as_of")
    return round(1000 * told.timestamp())


def _prices(told: Mapping[str, float], currency: str) -> Any:  # noqa: ANN401 - loaded late
    from detector.capacity.prices import Prices
    from detector.capacity.resource import Kind

    strange = set(told) - set(Kind)
    if strange:
        words = f"prices: {min(strange)!r} is none of {', '.join(Kind)}"
        raise InputError(words, field="prices")
    return Prices(currency=currency, a_month={Kind(kind): price for kind, price in told.items()})
