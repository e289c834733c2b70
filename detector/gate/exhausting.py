"""What promotion would do to the resources of a service: a reason that holds a final pass.

The canary's effect on CPU per request is carried to all traffic, and with it the futures of what
is used; so is memory that its pods hold beyond older ones: a step, by at least so much. A canary
that holds no more says nothing, as it may be young: then memory goes on as the service's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from detector.capacity.assessed import Assessment
from detector.capacity.moments import lasting
from detector.capacity.report import Report
from detector.capacity.resource import Kind
from detector.capacity.rule import CapacityRule
from detector.capacity.whatif import Load, carried
from detector.errors import InputError
from detector.gate.judgement import Judgement
from detector.gate.reason import Reason, ReasonCode
from detector.gate.verdict import Effect
from models.baseline.calendar import DAY_MS

__all__ = ["Promoted", "exhaustion_of", "promoted"]

_CPU = "cpu_per_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """A resource that runs out at `at` (unix ms) with the canary's effect, at `before` without."""

    assessment: Assessment
    at: int
    before: int | None
    load: Load | None


def exhaustion_of(
    rule: CapacityRule,
    report: Report | None,
    judgement: Judgement,
    *,
    services: frozenset[str],
    namespace: str,
    as_of: float,
) -> Reason | None:
    """Why a final pass is held at unix seconds, by the report that was there then.

    `services`: as the service and its workload are called; an empty `namespace` is any.
    """
    age_s = None if report is None else as_of - report.made_at / 1000
    if report is None or age_s is None or age_s > rule.max_age_s:
        return _unknown(rule, age_s)
    loads = _effects(judgement)
    until = round(1000 * (as_of + rule.within_s))
    mine = [
        one
        for one in report.assessments
        if one.identity.service in services and one.identity.kind in rule.kinds
    ]
    if namespace:
        mine = [one for one in mine if one.identity.namespace in {namespace, ""}]
    found = sorted(_found(mine, loads, until, round(1000 * as_of)), key=lambda one: one.at)
    return _reason(found[0]) if found else None


def promoted(one: Assessment, factor: float, as_of: int) -> int | None:
    """When the P50 of usage, so many times as much, reaches the limit; None within the outlook.

    In unix ms, at once where that is before `as_of`.
    """
    if one.outlook is None or one.limit is None:
        return None
    for day, used in enumerate(one.outlook.p50):
        at = one.outlook.start_ms + 1000 * one.outlook.step_s * day
        if factor * used >= one.limit.at(at + DAY_MS // 2):
            return max(at, as_of)
    return None


def _found(
    assessments: Sequence[Assessment], loads: Mapping[Kind, Load], until: int, as_of: int
) -> Iterator[Promoted]:
    """Those that run out by then; not where the canary is known to use no more than the control."""
    for one in assessments:
        mine = loads.get(one.identity.kind)
        if mine is not None and mine.factor <= 1:
            continue
        before = promoted(one, 1.0, as_of)
        at = before if mine is None else promoted(one, mine.factor, as_of)
        if at is not None and at <= until:
            yield Promoted(assessment=one, at=at, before=before, load=mine)


def _effects(judgement: Judgement) -> Mapping[Kind, Load]:
    """The canary's CPU per request and memory, times the control's; not of what is not known.

    Capacity was assessed before the canary served: nothing of its effect is in there.
    """
    signal = next((one for one in judgement.signals if one.name == _CPU), None)
    cpu = _load(Kind.CPU, None if signal is None else signal.effect)
    words = "its pods hold {:.0f} % more than older ones by now"
    memory = _load(Kind.MEMORY, judgement.memory, words)
    return {load.kind: load for load in (cpu, memory) if load is not None and load.kind is not None}


def _load(kind: Kind, effect: Effect | None, text: str = "") -> Load | None:
    if effect is None or effect.kind != "ratio":
        return None
    if effect.value is None or effect.low is None or effect.high is None:
        return None
    told = text.format(100 * (effect.value - 1))
    try:
        return carried(effect.value, effect.low, effect.high, kind=kind, text=told)
    except InputError:
        return None


def _reason(found: Promoted) -> Reason:
    title = found.assessment.identity.title
    when = _day(found.at)
    if found.load is None:
        text = f"Promotion would go on with {title} running out about {when}."
    else:
        without = (
            "not within the horizon" if found.before is None else f"about {_day(found.before)}"
        )
        text = (
            f"Promotion would exhaust {title} about {when}: {found.load.text}."
            f" Without it {without}."
        )
    return Reason(ReasonCode.CAPACITY_SHORT, text)


def _unknown(rule: CapacityRule, age_s: float | None) -> Reason | None:
    if not rule.hold_unknown:
        return None
    why = "was not assessed yet"
    if age_s is not None:
        why = f"was last assessed {lasting(age_s)} ago, at most {lasting(rule.max_age_s)} allowed"
    return Reason(ReasonCode.CAPACITY_UNKNOWN, f"The policy looks at capacity, which {why}.")


def _day(at: int) -> str:
    """As people plan with it.

    >>> _day(1_796_342_400_000)
    'Friday 4 December 2026'
    """
    when = datetime.fromtimestamp(at / 1000, UTC)
    return f"{when:%A} {when.day} {when:%B %Y}"
