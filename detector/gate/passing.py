"""When a rollout may go on: every reason that holds a pass back, in the order people read them.

Section 7 of the method. Each rule is one function that gives a reason or None.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.gate.policy import Policy
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage
from detector.gate.state import State
from detector.gate.unrest import RESTLESS
from detector.gate.verdict import Needs
from detector.gate.window import Window
from detector.gate.words import clock, duration, title
from detector.series import FloatArray
from detector.signals.plan import Plan
from models.sequential.bound import Outlook
from models.sequential.rows import RowName

__all__ = ["Moment", "holds", "needs_of", "waiting_text"]

_SUSPICIOUS = math.log(5.0)
_BURN = 10.0
_BURN_EVENTS = 10.0
_SEEN = 0.70
_SETTLED_AGE_S = 180.0
_SETTLED_SHARE = 0.5
_STARVED = 0.05
_EVEN = math.log(1.5)
# 5 sd and 10 events beyond the limit: pods differ, and a pass that waits a minute costs little.
_BURST_S, _BURST_SD, _BURST_EVENTS = 60.0, 5.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the rules look at; times are unix seconds, `bins_s` engine seconds per bin."""

    plan: Plan
    policy: Policy
    stage: Stage
    as_of: float
    evaluated_to: float
    started_at: float
    exposure_since: float
    window: Window
    states: Mapping[str, State]
    missing: tuple[str, ...]
    incompatible: bool
    burst: str | None

    @property
    def scale(self) -> float:
        """Real seconds of one engine second."""
        return self.policy.time_scale

    def last(self, values: FloatArray, seconds: float) -> FloatArray:
        """The last `seconds` (engine) of an array that has time first."""
        return values[-max(2, round(seconds / self.window.step_s)) :]


def holds(moment: Moment) -> Iterator[Reason]:
    """Reasons that hold a pass back, most telling first; nothing means pass."""
    rules = (
        _no_canary,
        _no_control,
        _signal_missing,
        _incompatible,
        _nothing_judged,
        _shared_incident,
        _budget_burning,
        _control_exhausted,
        _burst,
        _suspicious,
        _no_traffic,
        _warming_up,
        _partial,
        _collecting,
        _unbounded,
    )
    for rule in rules:
        reason = rule(moment)
        if reason is not None:
            yield reason


def _no_canary(m: Moment) -> Reason | None:
    if m.window.frame.canary.pods and m.window.frame.canary.newest > -math.inf:
        return None
    return Reason(
        ReasonCode.NO_CANARY_DATA,
        f"No series of {m.plan.service} matches the canary yet; check its selector.",
    )


def _no_control(m: Moment) -> Reason | None:
    if m.window.frame.control.pods and m.window.frame.control.requests.sum() > 0:
        return None
    return Reason(
        ReasonCode.NO_CONTROL_DATA,
        "Nothing to compare with: no control pod of this service had requests.",
    )


def _signal_missing(m: Moment) -> Reason | None:
    if not m.missing:
        return None
    names = ", ".join(m.missing)
    why = "; ".join(f"{x.name}: {x.why}" for x in m.plan.missing if x.name in m.missing)
    return Reason(
        ReasonCode.SIGNAL_MISSING,
        f"Required but absent: {names}{f' ({why})' if why else ''}. A policy may set required:"
        " false for it.",
    )


def _incompatible(m: Moment) -> Reason | None:
    lost = m.incompatible or m.window.frame.notes.get("incompatible_histograms", 0)
    if not lost:
        return None
    return Reason(
        ReasonCode.INCOMPATIBLE_HISTOGRAMS,
        "Canary and control share fewer than 4 latency buckets; use the same buckets on both.",
    )


def _nothing_judged(m: Moment) -> Reason | None:
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


def _shared_incident(m: Moment) -> Reason | None:
    for state in m.states.values():
        lately, restless = state.track.incidents, state.track.learned.unrest > RESTLESS
        if not state.required or restless:
            continue
        if m.last(lately, 120.0).sum() * m.window.step_s >= 60.0:
            return Reason(
                ReasonCode.SHARED_INCIDENT,
                f"{title(state.track.name)} of the control moved as well: both arms share an"
                " incident, a pass waits for its end.",
            )
    return None


def _budget_burning(m: Moment) -> Reason | None:
    state = next((s for s in m.states.values() if s.track.learned.row.name is RowName.ERROR), None)
    if state is None:
        return None
    name = state.track.name
    arms = [m.window.frame.canary.counts.get(name), m.window.frame.control.counts.get(name)]
    n, x = (
        sum(float(m.last(getattr(a, k).T, 300.0).sum()) for a in arms if a is not None)
        for k in ("n", "x")
    )
    budget = 1 - m.policy.slo
    # What the service always burned is its habit, and tells nothing of this release.
    usual = state.track.learned.rate * n
    if x < _BURN_EVENTS or x <= _BURN * budget * n + usual:
        return None
    return Reason(
        ReasonCode.BUDGET_BURNING,
        f"The whole service burns its error budget {x / n / max(budget, 1e-9):.0f} times too fast;"
        " no pass while it does.",
    )


def _control_exhausted(m: Moment) -> Reason | None:
    ours = float(m.last(m.window.requests, 300.0).sum())
    theirs = float(m.last(m.window.control, 300.0).sum())
    if m.policy.allow_control_exhausted or theirs >= _STARVED * (ours + theirs):
        return None
    return Reason(
        ReasonCode.CONTROL_EXHAUSTED,
        f"The control serves {100 * theirs / max(ours + theirs, 1e-9):.1f} % of the requests, too"
        " few to compare with; stop at 90 %.",
    )


def _burst(m: Moment) -> Reason | None:
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
    for name, state in m.states.items():
        learned = state.track.learned
        ours = m.window.frame.canary.counts.get(name)
        theirs = m.window.frame.control.counts.get(name)
        if learned.row.name is not RowName.ERROR or ours is None:
            continue
        n, x = (float(m.last(v.T, _BURST_S).sum()) for v in (ours.n, ours.x))
        rate = learned.rate + learned.eps0
        if theirs is not None:
            served, failed = (float(m.last(v.T, _BURST_S).sum()) for v in (theirs.n, theirs.x))
            rate = max(rate, failed / max(served, 1.0))
        most = n * rate * math.exp(learned.row.limit)
        if x > most + _BURST_SD * math.sqrt(most) + _BURST_EVENTS:
            return name
    return None


def _suspicious(m: Moment) -> Reason | None:
    worst = max(m.states.values(), key=_suspicion, default=None)
    if worst is None or _suspicion(worst) <= _SUSPICIOUS:
        return None
    return Reason(
        ReasonCode.SUSPICIOUS,
        f"{title(worst.track.name)}: worse than the control, not yet with enough evidence.",
    )


def _suspicion(state: State) -> float:
    return state.suspicion if state.track.judged else -math.inf


def _no_traffic(m: Moment) -> Reason | None:
    if float(m.last(m.window.requests, 120.0).sum()) > 0:
        return None
    text = "The canary had no request in the last two minutes"
    return Reason(ReasonCode.LOW_TRAFFIC, f"{text}; {waiting_text(m) or 'waiting for traffic'}.")


def _warming_up(m: Moment) -> Reason | None:
    recent = m.last(m.window.requests, 120.0)
    ages = m.last(m.window.age, 120.0)
    old = float(recent[np.nan_to_num(ages) >= _SETTLED_AGE_S].sum())
    if old >= _SETTLED_SHARE * float(recent.sum()):
        return None
    young = float(np.nanmin(m.window.age[-1])) if np.isfinite(m.window.age[-1]).any() else 0.0
    left = max(_SETTLED_AGE_S - young, m.window.step_s) * m.scale
    return Reason(
        ReasonCode.WARMING_UP,
        f"Most of the canary's requests come from pods younger than 3 minutes; about"
        f" {duration(left)} left.",
    )


def _partial(m: Moment) -> Reason | None:
    for name, arm in (("canary", m.window.frame.canary), ("control", m.window.frame.control)):
        share = _coverage(m, arm.seen.T, arm.age.T)
        if share < _SEEN:
            return Reason(
                ReasonCode.PARTIAL_DATA,
                f"Only {100 * share:.0f} % of the {name}'s samples of the last 5 minutes are"
                " there.",
            )
    return None


def _coverage(m: Moment, seen: FloatArray, age: FloatArray) -> float:
    """Share of expected (pod, bin) samples that exist; pods silent for 5 minutes are gone."""
    recent, born = m.last(seen, 300.0), ~np.isnan(m.last(age, 300.0))
    alive = recent.max(axis=0, initial=0.0) > 0
    expected = np.count_nonzero(born[:, alive])
    return float(recent[:, alive].sum()) / expected if expected else 0.0


def _collecting(m: Moment) -> Reason | None:
    left = _seconds_left(m)
    if left <= 0:
        return None
    what = "attempt" if m.stage is Stage.FINAL else "exposure"
    return Reason(
        ReasonCode.COLLECTING,
        f"This {what} began at {clock(m.exposure_since)}; {duration(left)} more are needed.",
    )


def _seconds_left(m: Moment) -> float:
    """Seconds until the time rules let a pass through."""
    step = m.policy.min_step_s * m.scale - (m.evaluated_to - m.exposure_since)
    total = m.policy.min_total_s * m.scale - (m.evaluated_to - m.started_at)
    return max(step, total if m.stage is Stage.FINAL else 0.0, 0.0)


def _unbounded(m: Moment) -> Reason | None:
    """Harm of a required signal is not yet known to be below its limit."""
    open_ = [s for s in m.states.values() if s.required and not s.cleared]
    if not open_:
        return None
    worst = max(open_, key=_distance)
    name, limit = title(worst.track.name), worst.track.learned.row.limit
    uneven = worst.unmasked < limit <= worst.bound or abs(worst.load) > _EVEN
    if uneven and worst.track.learned.row.masked_by_load:
        return Reason(
            ReasonCode.LOAD_NOT_COMPARABLE,
            f"{name}: not comparable, {_uneven(m, worst)}.",
        )
    requests, pods = worst.outlook.requests, worst.outlook.units
    if requests is None:
        more = (
            f"about {pods} canary pods would do"
            if pods
            else "only a wider limit or a learned arm effect helps"
        )
        return Reason(
            ReasonCode.NEEDS_PODS,
            f"{name}: pods differ too much for {m.window.count} of them to prove it safe; {more}.",
        )
    return Reason(
        ReasonCode.LOW_TRAFFIC,
        f"{name}: harm is not yet known to be below its limit;"
        f" {waiting_text(m) or 'more requests are needed'}.",
    )


def _uneven(m: Moment, state: State) -> str:
    """How the load differs, now or before."""
    if abs(state.load) <= _EVEN:
        return "canary pods carried another load earlier in this attempt; even load will tell"
    return (
        f"a canary pod carries {math.exp(state.load):.1f} times a control pod's load;"
        f" about {_balanced(m)} canary pods would balance it"
    )


def _distance(state: State) -> float:
    return min(state.bound, 99.0) - state.track.learned.row.limit


def _balanced(m: Moment) -> int:
    """Canary pods at which both arms' pods carry the same load."""
    ours = float(m.last(m.window.requests, 120.0).sum())
    served = m.last(m.window.frame.control.requests.T, 120.0).sum(axis=0)
    each = float(np.median(served[served > 0])) if (served > 0).any() else 1.0
    return max(1, math.ceil(ours / max(each, 1e-9)))


def needs_of(m: Moment) -> Needs:
    """What a pass still needs: the most over the required signals."""
    open_ = [s for s in m.states.values() if s.required and not s.cleared]
    left = _seconds_left(m)
    if not open_:
        return Needs(requests=0, seconds=math.ceil(left), canary_pods=None)
    outlooks: Sequence[Outlook] = [s.outlook for s in open_]
    if any(o.requests is None for o in outlooks):
        pods = [o.units for o in outlooks if o.requests is None]
        known = [p for p in pods if p is not None]
        return Needs(
            requests=None,
            seconds=None,
            canary_pods=max(known) if len(known) == len(pods) and known else None,
        )
    requests = max(o.requests or 0.0 for o in outlooks)
    rate = _rate(m)
    seconds = max(requests / rate, left) if rate > 0 else None
    return Needs(
        requests=math.ceil(requests),
        seconds=None if seconds is None else math.ceil(seconds),
        canary_pods=None,
    )


def _rate(m: Moment) -> float:
    """Canary requests per second of the last two minutes."""
    recent = m.last(m.window.requests, 120.0)
    return float(recent.sum()) / (len(recent) * m.window.step_s * m.scale)


def waiting_text(m: Moment) -> str | None:
    """`waiting for traffic: 12 of 200 requests, about 9 minutes`, None if nothing waits for it."""
    needs = needs_of(m)
    if not needs.requests:
        return None
    seen = max((s.counted for s in m.states.values() if s.required), default=0.0)
    text = f"waiting for traffic: {seen:.0f} of {seen + needs.requests:.0f} requests"
    return text if needs.seconds is None else f"{text}, about {duration(needs.seconds)}"
