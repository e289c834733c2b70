"""Where to look after a verdict: queries to paste, and the place the harm points to."""

from __future__ import annotations

from collections.abc import Iterator

from detector.explain.signal import deciding
from detector.gate.attempt import Attempt
from detector.gate.verdict import Outcome, SignalVerdict, Verdict
from detector.selector import format_query
from detector.series import Matcher, Query
from detector.signals.plan import BoundSignal, Plan
from detector.signals.signal import Kind

__all__ = ["where_to_look"]


def where_to_look(verdict: Verdict, attempt: Attempt) -> Iterator[str]:
    """What a developer does next; nothing after a pass."""
    if verdict.outcome is Outcome.PASS:
        return
    signal = deciding(verdict)
    if verdict.outcome is Outcome.FAIL and signal is not None:
        yield _place(signal)
    bound = _bound(attempt.plan, signal)
    if bound is not None and attempt.plan is not None:
        yield "in Prometheus, canary and control:"
        arms = (attempt.plan.canary, *attempt.plan.control[:1])
        yield from dict.fromkeys(f"  {_query(bound, arm)}" for arm in arms)
    yield f"docs/troubleshooting.md#{verdict.reason.code} says more of this reason"


def _place(signal: SignalVerdict) -> str:
    if signal.scope != "arm":
        return f"only {signal.scope} is worse: its node, its zone and its start before the code"
    return {
        "error_rate": "logs of the canary's pods at error level since then, beside the diff",
        "restarts": "`kubectl describe pod` of the canary: why was it restarted, OOM or a probe?",
    }.get(signal.name, "a trace or a profile of a canary pod beside one of the control")


def _bound(plan: Plan | None, signal: SignalVerdict | None) -> BoundSignal | None:
    if plan is None or signal is None:
        return None
    return next((b for b in plan.signals if b.signal.name == signal.name), None)


def _query(bound: BoundSignal, arm: tuple[Matcher, ...]) -> str:
    """The signal of one arm as PromQL, as people would write it."""
    family = bound.total
    own = () if family.joined else arm
    selected = format_query(Query(family.metric, (*family.matchers, *own)))
    match bound.signal.kind:
        case Kind.RATIO:
            bad_in = bound.bad_in or family
            bad = format_query(Query(bad_in.metric, (*bad_in.matchers, *own, *bound.bad)))
            return f"sum(rate({bad}[5m])) / sum(rate({selected}[5m]))"
        case Kind.LATENCY:
            return f"histogram_quantile(0.95, sum by (le) (rate({selected}[5m])))"
        case _:
            return f"sum(rate({selected}[5m]))"
