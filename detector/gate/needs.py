"""What a pass still needs: requests, seconds or canary pods, and the words for waiting."""

from __future__ import annotations

import math

from detector.gate.moment import Moment
from detector.gate.request import Stage
from detector.gate.verdict import Needs
from detector.gate.words import duration

__all__ = ["needs_of", "seconds_left", "waiting_text"]

_LATELY_S = 120.0


def seconds_left(m: Moment) -> float:
    """Seconds until the time rules let a pass through."""
    step = m.policy.min_step_s * m.scale - (m.evaluated_to - m.exposure_since)
    total = m.policy.min_total_s * m.scale - (m.evaluated_to - m.started_at)
    return max(step, total if m.stage is Stage.FINAL else 0.0, 0.0)


def needs_of(m: Moment) -> Needs:
    """What a pass still needs: the most over the required signals."""
    left = seconds_left(m)
    outlooks = [s.outlook for s in m.uncleared]
    if not outlooks:
        return Needs(requests=0, seconds=math.ceil(left), canary_pods=None)
    beyond_requests = [o.units for o in outlooks if o.requests is None]
    if beyond_requests:
        return Needs(requests=None, seconds=None, canary_pods=_pods(beyond_requests))
    requests = max(o.requests or 0.0 for o in outlooks)
    rate = _rate(m)
    return Needs(
        requests=math.ceil(requests),
        seconds=math.ceil(max(requests / rate, left)) if rate > 0 else None,
        canary_pods=None,
    )


def _pods(units: list[int | None]) -> int | None:
    """Pods that would do for every signal; None where no number does for one of them."""
    known = [pods for pods in units if pods is not None]
    return max(known) if len(known) == len(units) else None


def _rate(m: Moment) -> float:
    """Canary requests per second of the last two minutes."""
    recent = m.last(m.window.requests, _LATELY_S)
    return float(recent.sum()) / (len(recent) * m.window.step_s * m.scale)


def waiting_text(m: Moment) -> str | None:
    """`waiting for traffic: 12 of 200 requests, about 9 minutes`, None if nothing waits for it."""
    needs = needs_of(m)
    if not needs.requests:
        return None
    seen = max((s.counted for s in m.states.values() if s.required), default=0.0)
    text = f"waiting for traffic: {seen:.0f} of {seen + needs.requests:.0f} requests"
    return text if needs.seconds is None else f"{text}, about {duration(needs.seconds)}"
