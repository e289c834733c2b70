"""What runs out when, as one small drawing: a line of time, and on it a bar for each resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.reports.words import Wall
from detector.capacity.assessed import Assessment, Exhaustion
from detector.capacity.report import Report
from detector.reports.state import State, state_of

__all__ = ["LANES", "Lane", "Runway", "runway_of"]

# On paper they leave room for what is to be done.
LANES = 6
_TICKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One resource; places are shares of the horizon, `open` where it may last beyond it.

    `middle` is None where it rather lasts.
    """

    title: str
    label: str
    tint: str
    begin: float
    end: float
    middle: float | None
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Runway:
    """The most urgent ones; `ticks` are shares of the horizon with days as words."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    more: int


def runway_of(report: Report, wall: Wall) -> Runway | None:
    """None where nothing runs out."""
    urgent = [one for one in report.assessments if _is_urgent(one)]
    if not urgent:
        return None
    return Runway(
        lanes=tuple(_lane(one, wall) for one in urgent[:LANES]),
        ticks=tuple(_ticks(report, wall)),
        more=max(0, len(urgent) - LANES),
    )


def _is_urgent(told: Assessment) -> bool:
    return state_of(told) in {State.OUT, State.LIKELY, State.POSSIBLE}


def _lane(told: Assessment, wall: Wall) -> Lane:
    out = told.exhaustion
    assert out is not None
    is_out = out.since is not None
    begin, middle, end = (_share(told, at) for at in (out.p10, out.p50, out.p90))
    return Lane(
        title=told.identity.title,
        label=_label(out, wall),
        tint="inconclusive" if state_of(told) is State.POSSIBLE else "fail",
        begin=0.0 if is_out else begin or 0.0,
        end=1.0 if is_out or end is None else end,
        middle=0.0 if is_out else middle,
        open=not is_out and end is None,
    )


def _share(told: Assessment, at: int | None) -> float | None:
    if at is None:
        return None
    return min(1.0, max(0.0, (at - told.as_of) / (1000 * told.horizon_s)))


def _label(out: Exhaustion, wall: Wall) -> str:
    if out.since is not None:
        return f"since {wall.short(out.since)}"
    if out.p50 is not None:
        return wall.short(out.p50)
    return "perhaps" if out.p10 is None else f"perhaps from {wall.short(out.p10)}"


def _ticks(report: Report, wall: Wall) -> Iterator[tuple[float, str]]:
    for number in range(_TICKS + 1):
        share = number / _TICKS
        at = report.made_at + round(1000 * report.horizon_s * share)
        yield share, "today" if number == 0 else wall.short(at)
