"""Harm of the canary: seen and not yet proved, or not yet known to be below its limit."""

from __future__ import annotations

import math

import numpy as np

from detector.gate.moment import Moment
from detector.gate.needs import waiting_text
from detector.gate.reason import Reason, ReasonCode
from detector.gate.state import State
from detector.gate.words import title
from models.sequential.rows import RowName

__all__ = ["burst", "suspicious", "unbounded"]

_SUSPICIOUS = math.log(5.0)
_EVEN = math.log(1.5)
_LATELY_S = 120.0
# 5 sd and 10 events beyond the limit: pods differ, and a pass that waits a minute costs little.
_BURST_S, _BURST_SD, _BURST_EVENTS = 60.0, 5.0, 10.0


def burst(m: Moment) -> Reason | None:
    """A signal is far worse, but only for a moment."""
    name = m.burst or _bursting(m)
    if name is None:
        return None
    return Reason(
        ReasonCode.BURST,
        f"{title(name)} rose in one short burst; it must last to count against the release.",
    )


def _bursting(m: Moment) -> str | None:
    """The error signal of which the canary shows far more than its limit just now.

    Evidence bounds what a bin can say, so a burst among quiet minutes is none; but nobody goes on
    in the middle of it.
    """
    errors = (n for n, s in m.states.items() if s.track.learned.row.name is RowName.ERROR)
    return next((name for name in errors if _bursts(m, name)), None)


def _bursts(m: Moment, name: str) -> bool:
    learned = m.states[name].track.learned
    ours = m.counted(m.window.frame.canary, name, _BURST_S)
    theirs = m.counted(m.window.frame.control, name, _BURST_S)
    if ours is None:
        return False
    n, x = ours
    rate = learned.rate + learned.eps0
    if theirs is not None:
        served, failed = theirs
        rate = max(rate, failed / max(served, 1.0))
    most = n * rate * math.exp(learned.row.limit)
    return x > most + _BURST_SD * math.sqrt(most) + _BURST_EVENTS


def suspicious(m: Moment) -> Reason | None:
    """A judged signal looks worse than the control: too little for a fail, too much for a pass."""
    worst = max(m.states.values(), key=_suspicion, default=None)
    if worst is None or _suspicion(worst) <= _SUSPICIOUS:
        return None
    return Reason(
        ReasonCode.SUSPICIOUS,
        f"{title(worst.track.name)}: worse than the control, not yet with enough evidence.",
    )


def _suspicion(state: State) -> float:
    return state.suspicion if state.track.judged else -math.inf


def unbounded(m: Moment) -> Reason | None:
    """Harm of a required signal is not yet known to be below its limit."""
    worst = max(m.uncleared, key=_distance, default=None)
    if worst is None:
        return None
    name, row = title(worst.track.name), worst.track.learned.row
    uneven = worst.unmasked < row.limit <= worst.bound or abs(worst.load) > _EVEN
    if uneven and row.masked_by_load:
        return Reason(
            ReasonCode.LOAD_NOT_COMPARABLE,
            f"{name}: not comparable, {_uneven(m, worst)}.",
        )
    if worst.outlook.requests is None:
        return Reason(
            ReasonCode.NEEDS_PODS,
            f"{name}: pods differ too much for {m.window.count} of them to prove it safe;"
            f" {_remedy(worst.outlook.units)}.",
        )
    return Reason(
        ReasonCode.LOW_TRAFFIC,
        f"{name}: harm is not yet known to be below its limit;"
        f" {waiting_text(m) or 'more requests are needed'}.",
    )


def _distance(state: State) -> float:
    return min(state.bound, 99.0) - state.track.learned.row.limit


def _remedy(pods: int | None) -> str:
    """What helps where requests do not."""
    if pods:
        return f"about {pods} canary pods would do"
    return "only a wider limit or a learned arm effect helps"


def _uneven(m: Moment, state: State) -> str:
    """How the load differs, now or before."""
    if abs(state.load) <= _EVEN:
        return "canary pods carried another load earlier in this attempt; even load will tell"
    return (
        f"a canary pod carries {math.exp(state.load):.1f} times a control pod's load;"
        f" about {_balanced(m)} canary pods would balance it"
    )


def _balanced(m: Moment) -> int:
    """Canary pods at which both arms' pods carry the same load."""
    ours = float(m.last(m.window.requests, _LATELY_S).sum())
    served = m.last(m.window.frame.control.requests.T, _LATELY_S).sum(axis=0)
    each = float(np.median(served[served > 0])) if (served > 0).any() else 1.0
    return max(1, math.ceil(ours / max(each, 1e-9)))
