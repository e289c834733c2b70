"""A signal of a service as a query over the whole service, as discovery binds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from detector.discovery.expression import Arm, expression
from detector.discovery.promised import counters_of
from detector.errors import InputError
from detector.gate.request import VerdictRequest
from detector.selector import format_query
from detector.series import Matcher, MatchOp
from detector.signals.plan import BoundSignal, Family, Plan
from detector.slo.objective import Counted
from pipelines.flows.discovery import Discovery
from pipelines.flows.services import Services

__all__ = ["query_of", "signal_query", "whole_query"]

_REQUESTS, _ERRORS = "requests", "error_rate"
_LATELY_S = 600.0
_NOT = {
    MatchOp.EQUAL: MatchOp.NOT_EQUAL,
    MatchOp.NOT_EQUAL: MatchOp.EQUAL,
    MatchOp.MATCHES: MatchOp.NOT_MATCHES,
    MatchOp.NOT_MATCHES: MatchOp.MATCHES,
}
# The canary of nobody: what is foretold is the service as a whole.
_NOBODY = '{__none__="nothing"}'


def signal_query(
    services: Services,
    service: str,
    signal: str,
    *,
    namespace: str | None,
    now: float,
    timeout_s: float,
) -> str:
    """What to read; `InputError` where the signal is none, or not bound, `SourceError`."""
    request = VerdictRequest(service=service, namespace=namespace, canary=_NOBODY)
    discover = Discovery(services.packs, services.source)
    plan = discover(services.catalog, request, start=now - _LATELY_S, end=now, timeout_s=timeout_s)
    if signal in {_REQUESTS, _ERRORS}:
        return query_of(counters_of(plan, _ERRORS), signal)
    return whole_query(plan, signal)


def query_of(counted: Counted, signal: str) -> str:
    """Requests a second, or the share of them that failed.

    >>> from detector.series import Query
    >>> query_of(Counted(total=Query("a"), part=Query("b"), part_is_good=False), "requests")
    'sum(rate(a[5m]))'
    """
    total = f"sum(rate({format_query(counted.total)}[5m]))"
    if signal == _REQUESTS:
        return total
    # No series of failures beside counted requests is no failure.
    return f"(sum(rate({format_query(counted.part)}[5m])) or 0 * {total}) / {total}"


def whole_query(plan: Plan, signal: str) -> str:
    """Any bound signal of the plan's service, whichever arm; `InputError` says why not."""
    bound = next((one for one in plan.signals if one.signal.name == signal), None)
    if bound is None:
        known = dict.fromkeys([_REQUESTS, *(one.signal.name for one in plan.signals)])
        why = next((one.why for one in plan.missing if one.name == signal), "")
        told = f"is not bound: {why}" if why else f"is none of {plan.service}"
        raise InputError(
            f"{signal} {told}; there are {', '.join(known)}, or give a query", field="signal"
        )
    if any(family.joined for family in _families(bound)):
        raise InputError(
            f"{signal} of {plan.service} is read by the names of pods, which were others in the"
            " past: /v1/capacity has its cpu and memory, or give a query",
            field="signal",
        )
    return expression(_served(bound), Arm(matchers=_service(plan), pods=frozenset()))


def _served(bound: BoundSignal) -> BoundSignal:
    """The same without probes, which are nobody's requests."""
    return replace(
        bound,
        total=_bare(bound.total),
        bad_in=None if bound.bad_in is None else _bare(bound.bad_in),
        load=None if bound.load is None else _bare(bound.load),
        also=tuple(map(_bare, bound.also)),
    )


def _bare(family: Family) -> Family:
    served = tuple(Matcher(one.label, _NOT[one.op], one.value) for one in family.health)
    return replace(family, matchers=(*family.matchers, *served))


def _families(bound: BoundSignal) -> Iterator[Family]:
    """All that it is read from."""
    read = (bound.total, bound.bad_in, bound.load, *bound.also)
    yield from (family for family in read if family is not None)


def _service(plan: Plan) -> tuple[Matcher, ...]:
    """What all arms have in common: the service, and where it is."""
    arms = [set(arm) for arm in plan.control]
    return tuple(one for one in plan.canary if arms and all(one in arm for arm in arms))
