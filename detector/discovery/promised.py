"""The counters of a bound signal over a whole service: what an objective promises something of."""

from __future__ import annotations

from detector.errors import InputError
from detector.series import Matcher, MatchOp, Query
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind
from detector.slo.objective import Counted

__all__ = ["counters_of"]

Matchers = tuple[Matcher, ...]


def counters_of(plan: Plan, signal: str) -> Counted:
    """All and bad requests of the plan's service, whichever arm; `InputError` says why not."""
    bound = next((one for one in plan.signals if one.signal.name == signal), None)
    if bound is None:
        raise InputError(
            f"{signal} of {plan.service} is not bound: {_why(plan, signal)}", field="signal"
        )
    own = _service(plan)
    _check(bound, own, plan)
    bad = bound.bad_in or bound.total
    return Counted(
        total=_read(bound.total, own, ()), part=_read(bad, own, bound.bad), part_is_good=False
    )


# Probes are nobody's requests, and are left out where the series are read.
_NOT = {
    MatchOp.EQUAL: MatchOp.NOT_EQUAL,
    MatchOp.NOT_EQUAL: MatchOp.EQUAL,
    MatchOp.MATCHES: MatchOp.NOT_MATCHES,
    MatchOp.NOT_MATCHES: MatchOp.MATCHES,
}


def _read(family: Family, own: Matchers, more: Matchers) -> Query:
    served = tuple(Matcher(m.label, _NOT[m.op], m.value) for m in family.health)
    return Query(family.metric, (*family.matchers, *own, *more, *served))


def _why(plan: Plan, signal: str) -> str:
    told = (missing.why for missing in plan.missing if missing.name == signal)
    notes = " ".join(plan.notes) or "discovery knows no such signal"
    return next(told, notes)


def _service(plan: Plan) -> Matchers:
    """What all arms have in common: the service, and where it is."""
    arms = [set(arm) for arm in plan.control]
    return tuple(m for m in plan.canary if arms and all(m in arm for arm in arms))


def _check(bound: BoundSignal, own: Matchers, plan: Plan) -> None:
    name = bound.signal.name
    if bound.signal.kind is not Kind.RATIO:
        raise InputError(f"{name} counts no bad requests of all; only a ratio does", field="signal")
    families = (bound.total, bound.bad_in or bound.total)
    if bound.also or not own or any(family.joined for family in families):
        raise InputError(
            f"{name} of {plan.service} is not counted by one selector over the whole service; write"
            " its counters as an OpenSLO indicator",
            field="signal",
        )
