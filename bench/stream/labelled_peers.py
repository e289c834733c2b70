"""What people would use instead, on the same rows: scores of test rows, higher is odder.

Each learns from the train rows (taken as usual) and sees no label. River's detectors go on
learning over the test rows, as they are made to; STL looks at the whole series, also ahead.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stream.machines import Machine

__all__ = ["FAST", "SLOW", "Scorer"]

Floats = NDArray[np.float64]
Scorer = Callable[[Machine], Floats]

_DAY_S = 86_400.0
_SIGMAS = 3.0


def isolation_forest(machine: Machine) -> Floats:
    """scikit-learn's, as it comes, on the metrics as they are."""
    from sklearn.ensemble import IsolationForest

    grown = IsolationForest(random_state=0).fit(machine.train)
    scores: Floats = -grown.score_samples(machine.test)
    return scores


def largest_z(machine: Machine) -> Floats:
    """The metric farthest from its mean of the train rows, in its spreads."""
    spread = machine.train.std(axis=0)
    z = np.abs(machine.test - machine.train.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    return np.asarray(z.max(axis=1))


def half_space_trees(machine: Machine) -> Floats:
    """river's HalfSpaceTrees behind a running min-max scaler, one row after the other."""
    from river import anomaly, preprocessing

    model = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=0)
    moving = np.ptp(machine.train, axis=0) > 0
    scores = []
    for row in np.vstack([machine.train, machine.test])[:, moving]:
        values = dict(enumerate(row.tolist()))
        scores.append(model.score_one(values))
        model.learn_one(values)
    return np.array(scores[len(machine.train) :])


def holt_winters(machine: Machine) -> Floats:
    """river's HoltWinters with the season of a day for each metric; the largest surprise."""
    moving = np.flatnonzero(np.ptp(machine.train, axis=0) > 0).tolist()
    return np.asarray(np.max([_surprise(machine, metric) for metric in moving], axis=0))


def _surprise(machine: Machine, metric: int) -> Floats:
    """One-step errors over the test rows in spreads of the errors over the train rows."""
    from river import time_series

    season = round(_DAY_S / machine.step_s)
    kind: Any = time_series.HoltWinters
    model = kind(alpha=0.3, beta=0.01, gamma=0.1, seasonality=season)
    # It divides by its first level, though its season is added: a level of 0 must not occur.
    series = 1.0 + np.concatenate([machine.train[:, metric], machine.test[:, metric]])
    errors = np.zeros(len(series))
    for number, value in enumerate(series.tolist()):
        if number > 2 * season:
            errors[number] = value - model.forecast(1)[0]
        model.learn_one(value)
    return _in_spreads(errors[2 * season + 1 :], len(machine.test))


def stl_three_sigma(machine: Machine) -> Floats:
    """statsmodels' STL by day for each metric: how many sigmas beyond three, over all metrics."""
    beyond = [
        np.maximum(_stl(machine, metric) - _SIGMAS, 0.0)
        for metric in range(machine.train.shape[1])
        if np.ptp(machine.train[:, metric]) > 0
    ]
    return np.asarray(np.sum(beyond, axis=0))


def _stl(machine: Machine, metric: int) -> Floats:
    from statsmodels.tsa.seasonal import STL

    series = np.concatenate([machine.train[:, metric], machine.test[:, metric]])
    season = round(_DAY_S / machine.step_s)
    jump = max(season // 10, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = STL(series, period=season, trend_jump=jump, low_pass_jump=jump).fit()
    return _in_spreads(np.asarray(parts.resid), len(machine.test))


def _in_spreads(errors: Floats, tested: int) -> Floats:
    """The last `tested` errors in spreads of those before them."""
    spread = errors[:-tested].std()
    size: Floats = np.abs(errors[-tested:]) / (spread if spread > 0 else np.inf)
    return size


FAST: Mapping[str, Scorer] = {"largest_z": largest_z, "sklearn_isolation_forest": isolation_forest}
SLOW: Mapping[str, Scorer] = {
    "river_half_space_trees": half_space_trees,
    "river_holt_winters": holt_winters,
    "statsmodels_stl_3_sigma": stl_three_sigma,
}
