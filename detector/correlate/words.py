"""Why a service is suspected, in sentences."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from detector.correlate.evidence import Kind, Scene
from detector.correlate.finding import Finding
from detector.correlate.weighing import Weighed

__all__ = ["reasons"]

# Odds of e ** 2.2 are nine to one: what is believed of one service in ten becomes likely.
_ODD = 2.2
_FEW = 3


def reasons(service: str, kind: Kind, scene: Scene, found: Weighed) -> tuple[str, ...]:
    """What is odd about it, whether its callees would account for it, and who feels it."""
    said = [_own(service, kind, found), _callees(service, kind, scene, found)]
    said += [_callers(service, kind, scene, found), _complained(service, kind, scene)]
    return tuple(text for text in said if text)


def _own(service: str, kind: Kind, found: Weighed) -> str:
    pile = found.piles[kind].get(service)
    if pile is None:
        return f"nothing is known of the {kind.value} of {service}"
    if pile.odds < _ODD:
        return f"the {kind.value} of {service} is about as usual"
    odd = [one for one in pile.findings if one.odds >= _ODD][:_FEW]
    return f"{service}: " + "; ".join(_finding(one) for one in odd)


def _finding(one: Finding) -> str:
    since = f" since {datetime.fromtimestamp(one.onset / 1000, UTC):%H:%M}" if one.onset else ""
    if one.occasion is not None:
        shares = f"{_percent(one.now)} of {one.occasion}, usually in {_percent(one.usual)}"
        return f"{one.name} in {shares}{since}"
    return f"{one.name} {_amount(one)}{since}"


def _amount(one: Finding) -> str:
    times = one.now / one.usual if one.usual else math.inf
    if math.isfinite(times) and times >= 2.0:
        return f"{times:.3g} times its usual {one.usual:.3g}"
    return f"{one.now:.3g}, usually {one.usual:.3g}"


def _percent(share: float) -> str:
    if math.isnan(share):
        return "none"
    return f"{100.0 * share:.3g} %"


def _callees(service: str, kind: Kind, scene: Scene, found: Weighed) -> str:
    called = {call.callee for call in scene.calls if call.caller == service} - {service}
    if not called:
        return ""
    odd = _odd_ones(called, kind, found)
    if not odd:
        return (
            f"its {len(called)} callees are normal" if len(called) > 1 else "its callee is normal"
        )
    return f"{_listed(odd)}, which it calls, {_is(odd)} odd, too"


def _callers(service: str, kind: Kind, scene: Scene, found: Weighed) -> str:
    calling = {call.caller for call in scene.calls if call.callee == service} - {service}
    if not calling or kind is Kind.RESOURCE:
        return ""
    odd = _odd_ones(calling, kind, found)
    return f"{len(odd)} of {len(calling)} callers show it" + (f": {_listed(odd)}" if odd else "")


def _odd_ones(services: set[str], kind: Kind, found: Weighed) -> list[str]:
    piles = found.piles[kind]
    odd = [name for name in services if name in piles and piles[name].odds >= _ODD]
    return sorted(odd, key=lambda name: (-piles[name].odds, name))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _complained(service: str, kind: Kind, scene: Scene) -> str:
    told = scene.complaint
    if told is None:
        return ""
    if told.service == service:
        return f"the complaint is of its own {told.kind.value}"
    if told.kind is not kind:
        return f"the complaint is of {told.kind.value}, which this would not show by first"
    return ""
