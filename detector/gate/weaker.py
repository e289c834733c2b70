"""Weaker designs: what holds their pass back besides, and the words by which they are labelled."""

from __future__ import annotations

import math

from detector.gate.design import Design, Standing
from detector.gate.forecast import Basis
from detector.gate.moment import Moment
from detector.gate.reason import Reason, ReasonCode
from detector.signals.plan import ArmName
from models.sequential.rows import RowName

__all__ = ["against", "beside", "design_notes", "held", "recalling", "unfair", "unguarded"]

# Engine seconds after which what was seen of other services is too old to tell.
_ELSEWHERE_S = 180.0
_HOUR_S, _DAY_S = 3600.0, 86_400.0
_ABSOLUTE = (
    "Weaker comparison: there is neither control nor history, so the canary is judged by the"
    " absolute bounds of the policy."
)


def unfair(m: Moment) -> Reason | None:
    """A cohort that is not a fair draw is compared with other people, not with another version."""
    if not m.standing.is_unfair:
        return None
    ours, theirs = (m.window.frame.notes.get(f"users_{arm.value}", 0) for arm in ArmName)
    return Reason(
        ReasonCode.PARTIAL_DATA,
        f"{ours} users with the flag and {theirs} without are not the split that was told; events"
        " are lost on one side, or the weight is wrong. Nothing is judged until they agree.",
    )


def recalling(m: Moment) -> Reason | None:
    """What the service did before is still to be read."""
    if not m.standing.is_waiting:
        return None
    return Reason(
        ReasonCode.COLLECTING,
        "No control serves beside the canary any more; what the service did before is being read.",
    )


def unguarded(m: Moment) -> Reason | None:
    """Against history an incident looks like the release: other services must not have moved."""
    if m.standing.design not in (Design.EXHAUSTED, Design.HISTORY):
        return None
    seen = m.standing.elsewhere
    if seen is not None and seen.moved:
        return Reason(
            ReasonCode.SHARED_INCIDENT,
            f"{_listed(seen.moved)} of the same cluster moved as well since the release began, and"
            " without a control nothing tells an incident from the release; a pass waits.",
        )
    if m.policy.allow_control_exhausted:
        return None
    if seen is None or not seen.services or m.evaluated_to - seen.at > _ELSEWHERE_S * m.scale:
        return Reason(
            ReasonCode.CONTROL_EXHAUSTED,
            "No control serves beside the canary, and no other service of the cluster with enough"
            " traffic shows whether an incident is under way; a policy with"
            " allow_control_exhausted: true passes without.",
        )
    return None


def held(m: Moment) -> Reason | None:
    """What would be a fail beside a calm cluster is none while the others got worse as well."""
    seen = m.standing.elsewhere
    if seen is None or not m.standing.is_held:
        return None
    others = f"{_listed(seen.worse)} of the same cluster" if seen.worse else "the cluster"
    return Reason(
        ReasonCode.SHARED_INCIDENT,
        f"The canary is worse than its past, and so was {others} at the same time: without a"
        " control that is no proof against the release. What follows is judged by itself.",
    )


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def against(standing: Standing) -> str:
    """What a pass leans on, for its sentence; nothing where a control serves."""
    match standing.design:
        case Design.CONCURRENT:
            return ""
        case Design.ABSOLUTE:
            return " of the absolute bounds (a weaker comparison: there is no control)"
        case Design.EXHAUSTED | Design.HISTORY:
            return " against its own history (a weaker comparison: there is no control)"


def beside(standing: Standing) -> str:
    """What the canary is shown beside."""
    return "promised" if standing.design is Design.ABSOLUTE else "before"


def design_notes(standing: Standing) -> tuple[str, ...]:
    """The label of a weaker design with what it rests on."""
    match standing.design:
        case Design.CONCURRENT:
            return ()
        case Design.ABSOLUTE:
            return (_ABSOLUTE,)
        case Design.EXHAUSTED | Design.HISTORY:
            return (_history_note(standing), *_unused_stream(standing))


def _history_note(standing: Standing) -> str:
    told = standing.recalled.values()
    quiet = max((one.quiet for one in told), default=0)
    text = (
        "Weaker comparison: no control serves beside the canary, so it is held against what the"
        f" service did {_when(standing)}."
    )
    text = f"{text} {_foretold(standing)}" if told else text
    latency = standing.recalled.get(RowName.LATENCY.value)
    if latency is None or not quiet:
        return text
    off = f"{100 * math.expm1(latency.before):.0f} %"
    return (
        f"{text} At {quiet} quiet times such a comparison was off by up to about {off} in latency."
    )


def _foretold(standing: Standing) -> str:
    """Whose past foretells: that of the stream, the gate's own, or by signal the one or other."""
    streamed = [name for name, one in standing.recalled.items() if one.days]
    days = max((one.days for one in standing.recalled.values()), default=0.0)
    source = "" if standing.memory is None else _span(standing.memory.span_s)
    if not streamed:
        return f"It is foretold from {source} of the metric source."
    if len(streamed) == len(standing.recalled):
        return f"It is foretold from {_span(days * _DAY_S)} of the stream."
    others = [name for name in standing.recalled if name not in streamed]
    return (
        f"{_listed(tuple(streamed))} are foretold from {_span(days * _DAY_S)} of the stream,"
        f" {_listed(tuple(others))} from {source} of the metric source."
    )


def _span(seconds: float) -> str:
    """In hours below two days, else in days.

    >>> _span(21_600.0), _span(1_036_800.0)
    ('6 h', '12 days')
    """
    return f"{seconds / _HOUR_S:.0f} h" if seconds < 2 * _DAY_S else f"{seconds / _DAY_S:.0f} days"


def _unused_stream(standing: Standing) -> tuple[str, ...]:
    """Why the stream did not foretell, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for name, one in standing.recalled.items():
        if one.unused:
            by_reason.setdefault(one.unused, []).append(name)
    return tuple(
        f"The stream was not used for {_listed(tuple(names))}: {why}."
        for why, names in by_reason.items()
    )


def _when(standing: Standing) -> str:
    """The minutes before, and what past days tell of this hour, over all signals."""
    told = standing.recalled.values()
    bases = {Basis.TWO_HOURS if one.basis is Basis.WEEKS else one.basis for one in told}
    before = " or ".join(basis.value for basis in Basis if basis in bases) or Basis.TWO_HOURS.value
    weeks = max((one.times for one in told if one.basis is Basis.WEEKS), default=0)
    hours = max((one.times for one in told if one.basis is not Basis.WEEKS), default=0)
    same = f" and at the same hour of {_times(weeks)}" if weeks else ""
    moved = f", moved as at this hour of {hours} past days" if hours else ""
    return f"in the {before} before{moved}{same}"


def _times(weeks: int) -> str:
    return "a past week" if weeks == 1 else f"{weeks} past weeks"
