"""Whether the canary is exposed, and has been for long enough: traffic, age, samples, time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detector.gate.frame import Arm
from detector.gate.moment import Moment
from detector.gate.needs import seconds_left, waiting_text
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage
from detector.gate.words import clock, duration

__all__ = ["collecting", "no_traffic", "partial", "warming_up"]

_LATELY_S = 120.0
_SETTLED_AGE_S, _SETTLED_SHARE = 180.0, 0.5
_SEEN_S, _SEEN = 300.0, 0.70


def no_traffic(m: Moment) -> Reason | None:
    """Nobody called the canary lately."""
    if float(m.last(m.window.requests, _LATELY_S).sum()) > 0:
        return None
    text = "The canary had no request in the last two minutes"
    return Reason(ReasonCode.LOW_TRAFFIC, f"{text}; {waiting_text(m) or 'waiting for traffic'}.")


def warming_up(m: Moment) -> Reason | None:
    """Most requests went to pods whose caches still fill."""
    recent = m.last(m.window.requests, _LATELY_S)
    ages = m.last(m.window.age, _LATELY_S)
    old = float(recent[ages >= _SETTLED_AGE_S].sum())
    if old >= _SETTLED_SHARE * float(recent.sum()):
        return None
    young = float(np.nanmin(m.window.age[-1])) if np.isfinite(m.window.age[-1]).any() else 0.0
    left, age = _SETTLED_AGE_S - young, duration(_SETTLED_AGE_S * m.scale)
    lasts = (
        "that is nearly over"
        if left <= m.window.step_s
        else f"about {duration(left * m.scale)} left"
    )
    return Reason(
        ReasonCode.WARMING_UP,
        f"Most of the canary's requests come from pods younger than {age}; {lasts}.",
    )


def partial(m: Moment) -> Reason | None:
    """Too many samples of a side are missing."""
    arms = {"canary": m.window.frame.canary, "control": m.window.frame.control}
    for name, arm in arms.items():
        if name == "control" and m.is_alone:
            continue
        share = _coverage(m, arm)
        if share < _SEEN:
            return Reason(
                ReasonCode.PARTIAL_DATA,
                f"Only {100 * share:.0f} % of the {name}'s samples of the last"
                f" {duration(_SEEN_S * m.scale)} are there.",
            )
    return None


def _coverage(m: Moment, arm: Arm) -> float:
    """Share of expected (pod, bin) samples that exist; pods silent for 5 minutes are gone."""
    recent, born = m.last(arm.seen.T, _SEEN_S), ~np.isnan(m.last(arm.age.T, _SEEN_S))
    alive = recent.max(axis=0, initial=0.0) > 0
    expected = np.count_nonzero(born[:, alive])
    return float(recent[:, alive].sum()) / expected if expected else 0.0


def collecting(m: Moment) -> Reason | None:
    """The exposure, or the whole attempt, was too short: whichever lacks more is told."""
    left = seconds_left(m)
    if left <= 0:
        return None
    of_exposure = seconds_left(replace(m, stage=Stage.STEP))
    what, since = (
        ("exposure", m.exposure_since) if of_exposure >= left else ("attempt", m.started_at)
    )
    return Reason(
        ReasonCode.COLLECTING,
        f"This {what} began at {clock(since)} and has to last {duration(left)} more.",
    )
