"""Constants of each kind of measurement: grids, tolerances, templates (all effects are logs).

Where a default is a judgement and not a derivation its sentence says what it protects against.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROWS", "Grid", "Row", "RowName", "Template"]


class RowName(StrEnum):
    """Rows of the constants' table."""

    ERROR = "error"
    LATENCY = "latency"
    TAIL95 = "tail95"
    TAIL99 = "tail99"
    EVENTS = "events"
    LOGS = "logs"
    GAUGE = "gauge"
    SLOPE = "slope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One shape of cold start: `height` log units at birth; `plateau` or exponential over `span` s.

    Its `prior` is the share of services that warm up like it.
    """

    prior: float
    height: float = 0.0
    span: float = 1.0
    plateau: bool = False


@cache
def _points(low: int, high: int, h: float) -> NDArray[np.float64]:
    points = np.arange(low, high + 1, dtype=np.float64) * np.float64(h)
    points.flags.writeable = False
    return points


@cache
def _growth(low: int, high: int, h: float) -> NDArray[np.float64]:
    growth = np.expm1(_points(low, high, h))
    growth.flags.writeable = False
    return growth


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Effects on a grid of width `h`: `theta` for one unit, `shift` for what all share."""

    h: float
    low: int
    high: int
    shift_low: int
    shift_high: int

    @property
    def theta(self) -> NDArray[np.float64]:
        """Unit effects, shape (J,)."""
        return _points(self.low, self.high, self.h)

    @property
    def growth(self) -> NDArray[np.float64]:
        """By which share of itself each unit effect makes a rate larger, shape (J,)."""
        return _growth(self.low, self.high, self.h)

    @property
    def shift(self) -> NDArray[np.float64]:
        """Common shifts, shape (D,)."""
        return _points(self.shift_low, self.shift_high, self.h)

    @property
    def zero(self) -> int:
        """Index of theta = 0."""
        return -self.low


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table of constants.

    `tolerate`: no fail below. `limit`: a pass needs the bound of harm below. `scale`: mean harm
    expected of a fault. `arm`: sd of what all treated units share in health. `weight`: share of
    alpha. `damp_s`: age at which a young unit counts for 1 - 1/e. `odd`: sd at birth that no
    template explains. `bet`: width of the bet that inverts into the bound. `rare`: one event in a
    bin is much. `idle`: events per second that a unit may have whatever its traffic, and with it as
    many as the control's units have in the same time; `starting`: more of them at its birth, which
    fade as it is heard (`damp_s`).
    """

    name: RowName
    grid: Grid
    tolerate: float
    limit: float
    scale: float
    arm: float
    weight: float
    eps0: float = 0.0
    damp_s: float = 0.0
    odd: float = 0.0
    bet: float = 0.25
    sigma_floor: float = 0.0
    arm_floor: float = 0.0
    caution: tuple[float, float] = (0.0, 0.0)
    masked_by_load: bool = False
    persistence_s: float = 90.0
    rare: bool = False
    idle: float = 0.0
    starting: float = 0.0
    templates: tuple[Template, ...] = (Template(prior=1.0),)

    def with_limits(self, tolerate: float, limit: float) -> Row:
        """The same row with other limits (log ratios)."""
        return replace(self, tolerate=tolerate, limit=limit)


def _grid(low: float, high: float, h: float, shift: tuple[float, float]) -> Grid:
    """Grid with exact zero; ends are rounded to whole steps."""
    return Grid(
        h=h,
        low=round(low / h),
        high=round(high / h),
        shift_low=round(shift[0] / h),
        shift_high=round(shift[1] / h),
    )


def _exponential(prior: float, height: float, span: float) -> Template:
    return Template(prior=prior, height=height, span=span)


def _plateau(prior: float, height: float, span: float) -> Template:
    return Template(prior=prior, height=height, span=span, plateau=True)


_SCALE_STARTS = (
    Template(prior=0.40),
    _exponential(0.12, 0.4, 60.0),
    _exponential(0.09, 0.4, 160.0),
    _exponential(0.11, 1.0, 60.0),
    _exponential(0.08, 1.0, 160.0),
    _exponential(0.07, 1.6, 110.0),
    _plateau(0.07, 0.5, 150.0),
    _plateau(0.06, 1.2, 150.0),
)
_TAIL_STARTS = (
    Template(prior=0.45),
    _exponential(0.10, 0.8, 60.0),
    _exponential(0.08, 0.8, 160.0),
    _exponential(0.10, 2.0, 60.0),
    _exponential(0.08, 2.0, 160.0),
    _exponential(0.06, 3.5, 110.0),
    _plateau(0.07, 1.2, 150.0),
    _plateau(0.06, 3.0, 150.0),
)
_COUNT_STARTS = (
    Template(prior=0.55),
    _exponential(0.12, 1.0, 40.0),
    _exponential(0.12, 2.5, 40.0),
    _exponential(0.07, 1.0, 110.0),
    _exponential(0.06, 2.5, 110.0),
    _exponential(0.04, 1.2, 180.0),
    _plateau(0.04, 1.5, 120.0),
)

ROWS: dict[RowName, Row] = {
    row.name: row
    for row in (
        Row(
            name=RowName.ERROR,
            grid=_grid(-1.8, 6.6, 0.12, (-0.6, 6.0)),
            tolerate=0.10,
            limit=0.41,
            scale=0.8,
            arm=0.08,
            weight=0.30,
            eps0=5e-4,
            damp_s=50.0,
            templates=_COUNT_STARTS,
        ),
        Row(
            name=RowName.LATENCY,
            grid=_grid(-0.5, 1.3, 0.025, (-0.15, 0.8)),
            tolerate=0.05,
            limit=0.20,
            scale=0.2,
            arm=0.02,
            weight=0.20,
            damp_s=90.0,
            odd=0.12,
            bet=0.05,
            sigma_floor=0.006,
            caution=(0.08, 0.20),
            masked_by_load=True,
            persistence_s=120.0,
            templates=_SCALE_STARTS,
        ),
        Row(
            name=RowName.TAIL95,
            grid=_grid(-1.3, 3.4, 0.08, (-0.4, 2.6)),
            tolerate=0.15,
            limit=0.70,
            scale=0.5,
            arm=0.08,
            weight=0.15,
            eps0=2e-3,
            damp_s=130.0,
            odd=0.4,
            caution=(0.25, 0.6),
            masked_by_load=True,
            persistence_s=120.0,
            templates=_TAIL_STARTS,
        ),
        Row(
            name=RowName.TAIL99,
            grid=_grid(-1.6, 4.4, 0.10, (-0.5, 3.6)),
            tolerate=0.25,
            limit=1.0,
            scale=0.7,
            arm=0.10,
            weight=0.05,
            eps0=1e-3,
            damp_s=130.0,
            odd=0.5,
            caution=(0.3, 0.8),
            masked_by_load=True,
            persistence_s=120.0,
            templates=_TAIL_STARTS,
        ),
        Row(
            name=RowName.EVENTS,
            grid=_grid(-1.5, 7.05, 0.15, (-0.6, 6.0)),
            tolerate=float(np.log(2.0)),
            limit=1.6,
            # A crash loop is hundreds of times the restart a day that is expected of any pod.
            scale=2.5,
            arm=0.3,
            rare=True,
            weight=0.10,
        ),
        Row(
            name=RowName.LOGS,
            grid=_grid(-1.8, 6.3, 0.15, (-0.6, 5.4)),
            tolerate=0.30,
            # Twice as many lines say less of users than twice as many failed requests.
            limit=0.70,
            scale=1.2,
            arm=0.08,
            weight=0.10,
            # One line in five thousand requests: below it a new text is no news.
            eps0=2e-4,
            # One line in ten minutes of a pod: timers and reconnects write without any request.
            idle=1 / 600,
            # One line in twenty seconds of a pod just born: what it reaches for is not there yet.
            starting=1 / 20,
            damp_s=50.0,
            templates=_COUNT_STARTS,
        ),
        Row(
            name=RowName.GAUGE,
            grid=_grid(-0.5, 1.3, 0.025, (-0.15, 0.8)),
            tolerate=0.08,
            limit=0.25,
            scale=0.2,
            arm=0.05,
            weight=0.05,
            damp_s=90.0,
            odd=0.12,
            bet=0.05,
            sigma_floor=0.008,
            persistence_s=120.0,
            templates=_SCALE_STARTS,
        ),
        Row(
            name=RowName.SLOPE,
            grid=_grid(-0.5, 1.2, 0.02, (-0.1, 0.6)),
            tolerate=0.03,
            limit=0.10,
            scale=0.1,
            arm=0.02,
            weight=0.05,
            sigma_floor=0.02,
            bet=0.05,
            persistence_s=120.0,
        ),
    )
}
