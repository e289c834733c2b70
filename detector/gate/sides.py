"""Whether both sides are there, and show something that can be compared and judged."""

from __future__ import annotations

import math

from detector.gate.frame import Frame
from detector.gate.moment import Moment
from detector.gate.reason import Reason, ReasonCode
from detector.gate.words import clock, duration

__all__ = [
    "incompatible",
    "no_canary",
    "no_control",
    "nothing_judged",
    "signal_missing",
    "stale",
    "unseen",
]

_STALE_S, _STALE_INTERVALS = 120.0, 3.0


def stale(m: Moment) -> Reason | None:
    """The newest sample of a side is too old; one that never came is another rule's."""
    step = m.window.frame.step
    slack = max(_STALE_S * m.scale, _STALE_INTERVALS * step) + step
    arms = {"canary": m.window.frame.canary, "control": m.window.frame.control}
    for name, arm in arms.items():
        if name == "control" and m.is_alone:
            continue
        age = m.as_of - arm.newest
        if arm.pods and slack < age < math.inf:
            return Reason(
                ReasonCode.STALE_DATA,
                f"The newest sample of the {name} is {duration(age)} old (from"
                f" {clock(arm.newest)}).",
            )
    return None


def no_canary(m: Moment) -> Reason | None:
    """No sample of the canary was ever seen."""
    if m.window.frame.canary.pods and m.window.frame.canary.newest > -math.inf:
        return None
    return unseen(m.plan.service, m.window.frame)


def unseen(service: str, frame: Frame) -> Reason:
    """The reason where the canary has no series, or none in which a number stands."""
    if frame.notes.get("not_finite", 0):
        text = f"The canary's series of {service} hold no number yet, but NaN or infinite values."
        return Reason(ReasonCode.NO_CANARY_DATA, f"{text} Look at what its pods expose.")
    return Reason(
        ReasonCode.NO_CANARY_DATA,
        f"No series of {service} matches the canary yet; check its selector.",
    )


def no_control(m: Moment) -> Reason | None:
    """No control pod ever had a request, and nothing is remembered in its place."""
    if m.is_alone and any(s.required for s in m.states.values()) and m.standing.recalled:
        return None
    if m.window.frame.control.pods and m.window.frame.control.requests.sum() > 0:
        return None
    return Reason(
        ReasonCode.NO_CONTROL_DATA,
        "Nothing to compare with: no control pod of this service had requests.",
    )


def signal_missing(m: Moment) -> Reason | None:
    """A required signal is not there."""
    if not m.missing:
        return None
    names = ", ".join(m.missing)
    why = "; ".join(f"{x.name}: {x.why}" for x in m.plan.missing if x.name in m.missing)
    return Reason(
        ReasonCode.SIGNAL_MISSING,
        f"Required but absent: {names}{f' ({why})' if why else ''}. A policy may set required:"
        " false for it.",
    )


def incompatible(m: Moment) -> Reason | None:
    """The sides' histograms share too few buckets to be compared."""
    lost = m.incompatible or m.window.frame.notes.get("incompatible_histograms", 0)
    if not lost:
        return None
    return Reason(
        ReasonCode.INCOMPATIBLE_HISTOGRAMS,
        "Canary and control share fewer than 4 latency buckets; use the same buckets on both.",
    )


def nothing_judged(m: Moment) -> Reason | None:
    """A policy may show every signal and judge none: then nothing could have failed."""
    if any(state.track.judged for state in m.states.values()):
        return None
    shown = ", ".join(sorted(m.states))
    there = f"only shown: {shown}" if shown else "none of its signals is there"
    return Reason(
        ReasonCode.SIGNAL_MISSING,
        f"The policy {m.policy.name} judges nothing of {m.plan.service} ({there}); set judged: true"
        " for a signal that must not get worse.",
    )
