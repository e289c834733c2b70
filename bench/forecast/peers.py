"""What a library would have told: point and interval of each, as it comes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["PEERS", "Told"]

Floats = NDArray[np.float64]
# Point, lower and upper, (H,) each.
Told = tuple[Floats, Floats, Floats]
Peer = Callable[[Floats, int, int], Told]


class _Model(Protocol):
    def forecast(self, y: Floats, h: int, *, level: list[int]) -> dict[str, Floats]: ...


def _of(model: _Model, values: Floats, ahead: int, coverage: int) -> Told:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = model.forecast(y=values, h=ahead, level=[coverage])
    return told["mean"], told[f"lo-{coverage}"], told[f"hi-{coverage}"]


def _seasonal_naive(values: Floats, ahead: int, coverage: int) -> Told:
    from statsforecast.models import SeasonalNaive

    return _of(SeasonalNaive(season_length=168), values, ahead, coverage)


def _auto_ets(values: Floats, ahead: int, coverage: int) -> Told:
    from statsforecast.models import AutoETS

    return _of(AutoETS(season_length=24), values, ahead, coverage)


def _auto_theta(values: Floats, ahead: int, coverage: int) -> Told:
    from statsforecast.models import AutoTheta

    return _of(AutoTheta(season_length=168), values, ahead, coverage)


def _mstl(values: Floats, ahead: int, coverage: int) -> Told:
    from statsforecast.models import MSTL

    return _of(MSTL(season_length=[24, 168]), values, ahead, coverage)


def _mstl_arima(values: Floats, ahead: int, coverage: int) -> Told:
    from statsforecast.models import MSTL, AutoARIMA

    return _of(MSTL([24, 168], trend_forecaster=AutoARIMA()), values, ahead, coverage)


def _prophet(values: Floats, ahead: int, coverage: int) -> Told:
    import pandas as pd
    from prophet import Prophet

    for noisy in ("cmdstanpy", "prophet"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    clock = pd.date_range("2026-01-05", periods=len(values) + ahead, freq="h")
    model = Prophet(interval_width=coverage / 100)
    model.fit(pd.DataFrame({"ds": clock[: len(values)], "y": values}))
    told = model.predict(pd.DataFrame({"ds": clock[len(values) :]}))
    return tuple(told[name].to_numpy() for name in ("yhat", "yhat_lower", "yhat_upper"))


_FOUND: Mapping[str, Mapping[str, Peer]] = {
    "statsforecast": {
        "seasonal_naive": _seasonal_naive,
        "auto_ets": _auto_ets,
        "auto_theta": _auto_theta,
        "mstl": _mstl,
        "mstl_arima": _mstl_arima,
    },
    "prophet": {"prophet": _prophet},
}
# Those whose library is installed.
PEERS: Mapping[str, Peer] = {
    name: peer
    for library, peers in _FOUND.items()
    if find_spec(library)
    for name, peer in peers.items()
}
