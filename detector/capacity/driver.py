"""How usage follows what drives it: CPU per request and its kin, steeper near saturation.

A straight line, or two that meet in a knee (Muggeo, 2003, "Estimating regression models with
unknown break-points"; here from a grid), fitted by Huber's weights (1964); the slope's interval by
leaving out a tenth of the time after the other (the grouped jackknife).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detector.capacity.assessed import DriverModel
from detector.capacity.resource import Resource
from detector.series import FloatArray
from models.forecast.history import History

__all__ = ["driven", "fitted", "inverse", "load_at"]

_LEAST_HOURS = 72
_KNEES = np.linspace(0.5, 0.95, 10)
_HUBER, _ROUNDS, _GROUPS = 1.345, 8, 10
# A knee has to pay for itself, and a driver has to explain something.
_KNEE_GAIN, _KNEE_BEND, _LEAST_EXPLAINED = 0.05, 0.1, 0.3
_NINETY = 1.833  # Student's t of nine degrees of freedom, 90 %.


def fitted(resource: Resource, count: int) -> DriverModel | None:
    """How usage follows the driver, from the first `count` steps; None where it does not.

    Steps on which both are known, of the last sixty days. None too for a driver on another grid.
    """
    driver = resource.driver
    if driver is None or driver.step_s != resource.usage.step_s:
        return None
    x, y = _joined(resource.usage, driver, count)
    if len(x) < _LEAST_HOURS or np.ptp(x) <= 0:
        return None
    knee = _knee(x, y)
    found = _curve(x, y, knee)
    explained = 1.0 - _spread(y - found @ _columns(x, knee)) / max(
        _spread(y - np.median(y)), 1e-300
    )
    if explained < _LEAST_EXPLAINED or found[1] <= 0:
        return None
    wide = _NINETY * _jackknife(x, y, knee)
    return DriverModel(
        name=resource.driver_name,
        base=float(found[0]),
        slope=float(found[1]),
        slope_low=max(float(found[1]) - wide, 0.0),
        slope_high=float(found[1]) + wide,
        explained=float(explained),
        seen=float(x.max()),
        knee=knee,
        bend=float(found[2]) if knee is not None else 0.0,
    )


def _joined(usage: History, driver: History, count: int) -> tuple[FloatArray, FloatArray]:
    """Driver and usage of the steps that both know."""
    shift = (usage.start_ms - driver.start_ms) // (1000 * usage.step_s)
    at = np.arange(max(0, count - 60 * usage.day), count)
    at = at[(at + shift >= 0) & (at + shift < len(driver.values))]
    x, y = driver.values[at + shift], usage.values[at]
    both = np.isfinite(x) & np.isfinite(y) & (x >= 0) & (y >= 0)
    return x[both], y[both]


def _columns(x: FloatArray, knee: float | None) -> FloatArray:
    lines = [np.ones(len(x)), x]
    return np.stack(lines if knee is None else [*lines, np.maximum(x - knee, 0.0)])


def _curve(x: FloatArray, y: FloatArray, knee: float | None) -> FloatArray:
    """Coefficients by Huber's weights."""
    columns = _columns(x, knee)
    weights = np.ones(len(x))
    found: FloatArray = np.zeros(len(columns))
    size = np.maximum(np.abs(columns).max(axis=1), 1e-300)
    columns = columns / size[:, None]
    for _ in range(_ROUNDS):
        weighted = columns * weights
        found = np.linalg.pinv(weighted @ columns.T, hermitian=True) @ (weighted @ y)
        off = np.abs(y - found @ columns)
        scale = float(np.median(off)) / 0.6745
        if scale <= 0:
            break
        weights = np.minimum(1.0, _HUBER * scale / np.maximum(off, 1e-300))
    scaled: FloatArray = found / size
    return scaled


def _knee(x: FloatArray, y: FloatArray) -> float | None:
    """Where the line bends upwards, None where no bend pays for itself."""
    line = _curve(x, y, None)
    straight = _spread(y - line @ _columns(x, None))
    best, least = None, straight * (1 - _KNEE_GAIN)
    for knee in np.unique(np.quantile(x, _KNEES)):
        found = _curve(x, y, float(knee))
        spread = _spread(y - found @ _columns(x, float(knee)))
        if spread < least and found[1] > 0 and found[2] > _KNEE_BEND * found[1]:
            best, least = float(knee), spread
    return best


def _spread(off: FloatArray) -> float:
    """The mean square, of which no single value is more than chance would make it."""
    scale = float(np.median(np.abs(off))) / 0.6745
    return float(np.mean(np.minimum(off**2, (3 * scale) ** 2))) if scale > 0 else 0.0


def _jackknife(x: FloatArray, y: FloatArray, knee: float | None) -> float:
    """The standard error of the slope, with tenths of the time left out."""
    slopes = np.array([_curve(x[kept], y[kept], knee)[1] for kept in _kept(len(x))])
    share = (_GROUPS - 1) / _GROUPS
    return float(np.sqrt(share * np.sum((slopes - slopes.mean()) ** 2)))


def _kept(size: int) -> Iterator[NDArray[np.bool_]]:
    group = np.arange(size) * _GROUPS // size
    return (group != left for left in range(_GROUPS))


def driven(model: DriverModel, load: FloatArray) -> FloatArray:
    """What is used at a load."""
    used: FloatArray = model.base + model.slope * load
    if model.knee is not None:
        used = used + model.bend * np.maximum(load - model.knee, 0.0)
    return used


def inverse(model: DriverModel, used: FloatArray) -> FloatArray:
    """At which load so much is used; 0 where less is used than without any.

    >>> model = DriverModel(name="", base=1.0, slope=2.0, slope_low=2.0, slope_high=2.0,
    ...     explained=1.0, seen=9.0, knee=3.0, bend=2.0)
    >>> inverse(model, driven(model, np.array([1.0, 3.0, 5.0]))).tolist()
    [1.0, 3.0, 5.0]
    """
    load: FloatArray = np.maximum((used - model.base) / model.slope, 0.0)
    if model.knee is None:
        return load
    steep = model.slope + model.bend
    return np.where(load > model.knee, model.knee + (load - model.knee) * model.slope / steep, load)


def load_at(model: DriverModel, limit: float) -> float:
    """The load at which usage reaches a limit."""
    return float(inverse(model, np.array([limit]))[0])
