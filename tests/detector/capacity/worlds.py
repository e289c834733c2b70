"""Resources whose truth is known, for tests."""

from __future__ import annotations

import numpy as np

from detector.capacity.resource import Kind, Limit, Resource
from detector.series import FloatArray
from models.baseline.calendar import DAY_MS
from models.forecast.history import History

__all__ = ["GIB", "NOW", "START", "days_ahead", "disk", "hours", "web"]

GIB = 2.0**30
# 1 September 2026, midnight UTC, and sixty days later.
START = 1_788_220_800_000
NOW = START + 60 * DAY_MS


def hours(values: FloatArray, *, changes: tuple[int, ...] = ()) -> History:
    """By the hour, up to `NOW`."""
    return History(
        values=np.asarray(values, dtype=np.float64),
        start_ms=NOW - 3_600_000 * len(values),
        changes=changes,
    )


def disk(
    *, limit: float | Limit = 200.0, growth: float = 1.0, days: int = 60, first: float = 100.0
) -> Resource:
    """A volume in GiB that is `growth` fuller each day, with a little noise."""
    rng = np.random.default_rng(7)
    steps = growth / 24 + rng.normal(0, 0.01, 24 * days)
    return Resource(
        name="data",
        kind=Kind.DISK,
        unit="GiB",
        service="db",
        usage=hours(np.maximum(first + np.cumsum(steps), 0.0)),
        limit=limit if isinstance(limit, Limit) else Limit.of(limit),
    )


def web(
    *, limit: float = 4.0, requested: float | None = None, growth: float = 0.0, replicas: int = 1
) -> Resource:
    """Cores of a service by its requests: 0.2 and 0.004 each, between 100 and 300 a second."""
    rng = np.random.default_rng(8)
    hour = np.arange(60 * 24)
    load = 200 - 100 * np.cos(hour * np.pi / 12) + rng.normal(0, 5, len(hour)) + growth * hour / 24
    return Resource(
        name="cpu",
        kind=Kind.CPU,
        unit="cores",
        service="web",
        replicas=replicas,
        usage=hours(np.maximum(0.2 + 0.004 * load + rng.normal(0, 0.01, len(hour)), 0.0)),
        limit=Limit.of(limit),
        requested=None if requested is None else Limit.of(requested),
        driver=hours(load),
        driver_name="requests/s",
    )


def days_ahead(moment: int | None) -> float:
    """From `NOW` on; infinite for none."""
    return float("inf") if moment is None else (moment - NOW) / DAY_MS
