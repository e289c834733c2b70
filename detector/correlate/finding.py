"""How odd one measurement of one service is, and from when on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.correlate.evidence import Gauge, Kind, Tally
from detector.stream.anomaly import Side
from models.ranking.branching import correlation, weight_of_change
from models.ranking.departure import Normal, Tail, normal_of, surprise, tail_of, weight_of

__all__ = ["Finding", "found_in_gauge", "found_in_tally", "tails"]

Array = NDArray[np.float64]

# A bin this many spreads out is part of the incident.
_ONSET_SPREADS = 3.0
# Of faults nine in ten harm; what got better is odd, but less of a lead.
_HARMS, _HELPS = math.log(2 * 0.9), math.log(2 * 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One measurement, judged. `odds`: natural log odds that it brings for *this is abnormal*.

    `usual` and `now` in its own unit; `scores` (m,) in spreads outward, empty of a tally; `excess`
    (m,) how much more than usual, of additive gauges and of failures, else empty; `onset` unix ms
    of the first abnormal bin, None where there is none. `noise` is what a bin usually differs by.
    """

    service: str
    name: str
    kind: Kind
    side: Side
    odds: float
    usual: float
    now: float
    occasion: str | None
    onset: int | None
    scores: Array
    excess: Array
    noise: float


def tails(gauges: Sequence[Gauge]) -> dict[str, Tail]:
    """How wild the past of each family was, in spreads of its own series, to the side of harm."""
    scores: dict[str, list[Array]] = {}
    for gauge in gauges:
        past = gauge.past[np.isfinite(gauge.past)]
        for sign in (1, -1) if gauge.side is None else (1 if gauge.side is Side.ABOVE else -1,):
            normal = normal_of(past, sign)
            if normal is not None and normal.spread > 0.0:
                away = sign * (past - normal.middle) / normal.spread
                scores.setdefault(gauge.family or gauge.name, []).append(away)
    found = {family: tail_of(np.concatenate(parts)) for family, parts in scores.items()}
    return {family: tail for family, tail in found.items() if tail is not None}


def found_in_gauge(gauge: Gauge, at: tuple[int, ...], tail: Tail | None = None) -> Finding | None:
    """The finding towards the side of harm, or the odder one of both; None without values."""
    sides = (Side.ABOVE, Side.BELOW) if gauge.side is None else (gauge.side,)
    found = [judged for side in sides if (judged := _towards(gauge, side, at, tail, len(sides)))]
    return max(found, key=lambda one: one.odds, default=None)


def _towards(
    gauge: Gauge, side: Side, at: tuple[int, ...], tail: Tail | None, looks: int
) -> Finding | None:
    sign = 1 if side is Side.ABOVE else -1
    normal = normal_of(gauge.past[np.isfinite(gauge.past)], sign)
    seen = gauge.during[np.isfinite(gauge.during)]
    if normal is None or len(seen) == 0:
        return None
    away = sign * (gauge.during - _reference(gauge, normal, sign))
    scores = _spreads(away, gauge, normal, sign)
    chance = min(1.0, surprise(scores[~np.isnan(scores)], normal, tail) * looks)
    return Finding(
        service=gauge.service, name=gauge.name, kind=gauge.kind, side=side,
        odds=weight_of(chance), usual=normal.middle, now=_worst(seen, sign), occasion=None,
        onset=_onset(scores, at), scores=scores,
        excess=np.where(np.isfinite(away), np.maximum(away, 0.0), 0.0)
        if gauge.additive else np.empty(0),
        noise=normal.spread or 1.0,
    )  # fmt: skip


def _reference(gauge: Gauge, normal: Normal, sign: int) -> float:
    """Where it usually is, or was just before, whichever leaves less to be explained."""
    before = gauge.before[np.isfinite(gauge.before)]
    if len(before) == 0:
        return normal.middle
    return sign * max(sign * normal.middle, sign * float(np.median(before)))


def _spreads(away: Array, gauge: Gauge, normal: Normal, sign: int) -> Array:
    if normal.spread > 0.0:
        return away / normal.spread
    return np.where(np.isnan(away), np.nan, np.where(away > 0.0, np.inf, 0.0))


def _worst(seen: Array, sign: int) -> float:
    """The mean of the two furthest: what was judged."""
    return float((sign * np.sort(sign * seen)[-2:]).mean())


def _onset(scores: Array, at: tuple[int, ...]) -> int | None:
    out = np.flatnonzero(np.nan_to_num(scores, nan=0.0, posinf=np.inf) > _ONSET_SPREADS)
    return at[int(out[0])] if len(out) and len(at) > out[0] else None


def found_in_tally(tally: Tally, at: tuple[int, ...]) -> Finding:
    """What a Bayes factor says of its rate; odds 0 where there were no occasions to compare."""
    within = correlation(tally.past_events, tally.past_occasions)
    odds, change = weight_of_change(
        (tally.past_events, tally.past_occasions), (tally.events, tally.occasions), within
    )
    side = Side.ABOVE if change >= 0.0 else Side.BELOW
    usual = _ratio(tally.past_events, tally.past_occasions)
    excess = np.maximum(tally.events - usual * tally.occasions, 0.0)
    return Finding(
        service=tally.service, name=tally.name, kind=tally.kind, side=side,
        odds=odds + _direction(tally.side, side) if odds else 0.0, usual=usual,
        now=_ratio(tally.events, tally.occasions), occasion=tally.occasion,
        onset=_departed(tally, usual, side, at), scores=np.empty(0),
        excess=excess if tally.kind is Kind.ERRORS else np.empty(0),
        noise=_noise(tally, usual, within),
    )  # fmt: skip


def _noise(tally: Tally, usual: float, within: float) -> float:
    """Events by which a bin usually differs, one at least."""
    many = float(tally.occasions.max(initial=1.0))
    share = usual if 0.0 < usual < 1.0 else 0.0
    worth = 1.0 + max(many - 1.0, 0.0) * within
    return math.sqrt(max(1.0, many * share * (1.0 - share) * worth))


def _ratio(events: Array, occasions: Array) -> float:
    total = float(occasions.sum())
    return float(events.sum()) / total if total else math.nan


def _direction(harmful: Side | None, side: Side) -> float:
    if harmful is None:
        return 0.0
    return _HARMS if harmful is side else _HELPS


def _departed(tally: Tally, usual: float, side: Side, at: tuple[int, ...]) -> int | None:
    sign = 1.0 if side is Side.ABOVE else -1.0
    noise = np.sqrt(np.maximum(tally.occasions * usual * (1.0 - usual), 0.25))
    away = sign * (tally.events - tally.occasions * usual) / noise
    out = np.flatnonzero(away > 2.0)
    return at[int(out[0])] if len(out) and len(at) > out[0] else None
