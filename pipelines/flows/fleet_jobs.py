"""What is done to each series of a fleet: a forecast of it, or forecasts at moments of its past.

What comes of it travels, and is kept, as bytes with the number of their form.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TypeVar

import msgspec
import numpy as np

from detector.capacity.doubts import doubts_of
from detector.errors import InputError, StoreError
from detector.series import FloatArray
from models.forecast.ensemble import forecast
from models.forecast.fleet import Common
from models.forecast.history import History
from models.forecast.outcome import Forecast
from models.hindsight import Hindsight, hindsight

__all__ = [
    "Backtested",
    "Backtesting",
    "Forecasted",
    "Forecasting",
    "backtested_of",
    "forecasted_of",
]

SCHEMA = 1
_NUMBERS = "<f8"
Kind = TypeVar("Kind", bound="_Form")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasting:
    """A forecast of the next `ahead` steps, with what each stays below at some probabilities.

    `common`: what the fleet has in common; `of`: the digest of what that was learned from.
    """

    ahead: int
    levels: tuple[float, ...] = (0.05, 0.1, 0.5, 0.9, 0.95)
    of: str = ""
    common: Common | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if any(not 0 < level < 1 for level in self.levels):
            raise InputError("levels: each between 0 and 1", field="levels")

    def __call__(self, history: History) -> bytes:
        """The forecast of a series; `ShortHistoryError` where there is too little to tell."""
        told = forecast(history, self.ahead, self.common)
        return _kept(_forecasted(told, self.levels, doubts_of(history, told)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtesting:
    """Forecasts of `ahead` steps at `origins` moments of the past, `every` steps apart."""

    ahead: int
    origins: int = 5
    every: int = 168
    coverage: float = 0.9

    def __post_init__(self) -> None:
        if self.origins < 1 or self.every < 1 or not 0 < self.coverage < 1:
            raise InputError(
                "origins and every: 1 or more; coverage: between 0 and 1", field="origins"
            )

    def __call__(self, history: History) -> bytes:
        """How good they were."""
        told = hindsight(
            history,
            self.ahead,
            forecast,
            origins=self.origins,
            every=self.every,
            coverage=self.coverage,
        )
        return _kept(_Hindsights(form=SCHEMA, coverage=self.coverage, origins=told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasted:
    """A forecast that was kept: `point` (H,) and by probability what each step stays below.

    `assumptions`: what it rests on, in sentences; none of what was kept before they were told.
    """

    start_ms: int
    step_s: int
    point: FloatArray
    quantiles: dict[float, FloatArray]
    weights: dict[str, float]
    shifts: dict[int, float]
    mase: float
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtested:
    """How good forecasts of a series were: each, and the mean over all that were compared."""

    coverage: float
    origins: tuple[Hindsight, ...]

    def mean(self, figure: str) -> float:
        """The mean of a figure over the origins that have it."""
        told = np.array([asdict(one)[figure] for one in self.origins], np.float64)
        known = told[np.isfinite(told)]
        return float(known.mean()) if len(known) else float("nan")


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    form: int


class _Forecasts(_Form, frozen=True, kw_only=True):
    start_ms: int
    step_s: int
    point: bytes
    levels: list[float]
    quantiles: list[bytes]
    weights: dict[str, float]
    shifts: dict[int, float]
    mase: float
    assumptions: tuple[str, ...] = ()


class _Hindsights(_Form, frozen=True, kw_only=True):
    coverage: float
    origins: tuple[Hindsight, ...]


def forecasted_of(kept: bytes) -> Forecasted:
    """What `Forecasting` made; `StoreError` for other bytes, or those of a newer version."""
    told = _read(kept, _Forecasts)
    quantiles = zip(told.levels, map(_array, told.quantiles), strict=True)
    return Forecasted(
        start_ms=told.start_ms,
        step_s=told.step_s,
        point=_array(told.point),
        quantiles=dict(quantiles),
        weights=told.weights,
        shifts=told.shifts,
        mase=told.mase,
        assumptions=told.assumptions,
    )


def backtested_of(kept: bytes) -> Backtested:
    """What `Backtesting` made; errors as of `forecasted_of`."""
    told = _read(kept, _Hindsights)
    return Backtested(coverage=told.coverage, origins=told.origins)


def _forecasted(
    told: Forecast, levels: tuple[float, ...], assumptions: tuple[str, ...]
) -> _Forecasts:
    return _Forecasts(
        form=SCHEMA,
        start_ms=told.start_ms,
        step_s=told.step_s,
        point=_bytes(told.point),
        levels=list(levels),
        quantiles=[_bytes(told.quantile(level)) for level in levels],
        weights={name: float(weight) for name, weight in sorted(told.weights.items())},
        shifts={int(at): float(by) for at, by in sorted(told.shifts.items())},
        mase=float(told.mase),
        assumptions=assumptions,
    )


def _kept(form: _Form) -> bytes:
    return msgspec.msgpack.encode(form)


def _read(kept: bytes, kind: type[Kind]) -> Kind:
    try:
        found = msgspec.msgpack.decode(kept, type=_Form).form
        if found > SCHEMA:
            raise StoreError(f"a result has form {found}; this version reads up to {SCHEMA}")
        return msgspec.msgpack.decode(kept, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"a result cannot be read: {error}") from error


def _bytes(values: FloatArray) -> bytes:
    return values.astype(_NUMBERS).tobytes()


def _array(kept: bytes) -> FloatArray:
    return np.frombuffer(kept, _NUMBERS).astype(np.float64)
