"""The one change that would let a rollout be decided next time, from what kept this one open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from detector.gate.reason import Reason, ReasonCode
from detector.gate.ruling import underlying
from detector.gate.verdict import Needs, Verdict
from detector.gate.words import duration

__all__ = ["Cure", "cure_of", "is_waiting_vain"]

# Reasons that another sample does not take away.
_VAIN = frozenset(
    {
        ReasonCode.QUERY_REJECTED,
        ReasonCode.NO_CONTROL_DATA,
        ReasonCode.SIGNAL_MISSING,
        ReasonCode.INCOMPATIBLE_HISTOGRAMS,
        ReasonCode.CONTROL_EXHAUSTED,
        ReasonCode.NEEDS_PODS,
        ReasonCode.SCAN_LIMIT,
        ReasonCode.SCAN_MISSING,
        ReasonCode.CAPACITY_SHORT,
    }
)


# How discovery begins to tell what there is in place of what was asked for.
_INSTEAD = ("Nearest", "No request metric names", "None of the source's", "is not in the")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """The reason that was in the way (its code), and what to change, in one or two sentences."""

    code: str
    text: str


def is_waiting_vain(reason: Reason, needs: Needs) -> bool:
    """Whether only a change by a person lets this be decided."""
    return reason.code in _VAIN and not needs.requests


def cure_of(verdict: Verdict) -> Cure:
    """What would have let an undecided verdict be decided; past a deadline, what stood before."""
    reason = underlying(verdict.reason)
    told = _CURES.get(reason.code, _unknown)
    return Cure(code=str(reason.code), text=told(verdict, reason))


def _unknown(verdict: Verdict, reason: Reason) -> str:
    del verdict
    return f"Look into {reason.code}: {reason.text}"


def _low_traffic(verdict: Verdict, reason: Reason) -> str:
    """A number: of requests, and of the time in which they come."""
    del reason
    needs, seen = verdict.needs, _seen(verdict)
    if not needs.requests:
        return (
            "No requests reached the canary: send it traffic before the question, or ask later."
            if not seen
            else "Give the canary more traffic, or the step more time."
        )
    more = f"It lacked {needs.requests:,} requests to the canary (it had {seen:,.0f})"
    if needs.seconds:
        return f"{more}: let the step last {duration(needs.seconds)} longer, or raise its weight."
    return f"{more}: raise the first weight, or send it synthetic load."


def _needs_pods(verdict: Verdict, reason: Reason) -> str:
    del reason
    pods = verdict.needs.canary_pods
    open_ = [s.name for s in verdict.signals if s.required and s.reason.code == "needs_pods"]
    if pods:
        return f"Run at least {pods} canary pods; one pod tells its node from the release poorly."
    which = open_[0] if open_ else "the open signal"
    return (
        f"No number of pods proves {which} at its limit: raise `limit` of {which} in the policy, or"
        " make it advisory with `required: false`."
    )


def _signal_missing(verdict: Verdict, reason: Reason) -> str:
    absent = reason.text.removeprefix("Required but absent: ").split(" (")[0].split(". ")[0]
    return (
        f"Expose {absent} of {verdict.service}, or set `required: false` for it in the policy;"
        f" `serinus discover --service {verdict.service}` shows what was bound."
    )


def _no_canary(verdict: Verdict, reason: Reason) -> str:
    """With what exists instead, where discovery told that (`detector.discovery.nearest`)."""
    told = _instead(reason.text)
    if told:
        return f"Ask with a selector that matches. {told}"
    return (
        "The canary's selector matches no series: mend it;"
        f" `serinus discover --service {verdict.service}` shows what there is."
    )


def _instead(text: str) -> str:
    """The text from the sentence on that names what exists; empty where none does."""
    sentences = text.split(". ")
    for number, sentence in enumerate(sentences):
        if any(word in sentence for word in _INSTEAD):
            return ". ".join(sentences[number:])
    return ""


def _plain(text: str) -> Callable[[Verdict, Reason], str]:
    def told(verdict: Verdict, reason: Reason) -> str:
        del verdict, reason
        return text

    return told


_CURES: Mapping[str, Callable[[Verdict, Reason], str]] = {
    ReasonCode.OVERRIDDEN: _plain("A person decided; let the override expire."),
    ReasonCode.ROLLBACK: _plain("Nothing: a return to a stable revision passes."),
    ReasonCode.FIRST_STEP: _plain("Nothing: the first answer comes before any traffic."),
    ReasonCode.SOURCE_UNAVAILABLE: _plain(
        "The metric source did not answer: mend it, or give it more time (limits.source_s)."
    ),
    ReasonCode.QUERY_REJECTED: _plain(
        "The metric source refused our queries: raise its limits, or narrow the selector."
    ),
    ReasonCode.STALE_DATA: _plain(
        "Samples came too late: look whether both sides are still scraped, and how often."
    ),
    ReasonCode.NO_CANARY_DATA: _no_canary,
    ReasonCode.NO_CONTROL_DATA: _plain(
        "Nothing to compare with: name the stable version with `control`, and let it serve."
    ),
    ReasonCode.SIGNAL_MISSING: _signal_missing,
    ReasonCode.INCOMPATIBLE_HISTOGRAMS: _plain(
        "Canary and control have other latency buckets: keep the buckets over one release."
    ),
    ReasonCode.SHARED_INCIDENT: _plain(
        "The control was ill as well: mend what both depend on before the next rollout."
    ),
    ReasonCode.BUDGET_BURNING: _plain(
        "The whole service fails more than its `slo` allows: mend it, or state the slo it has."
    ),
    ReasonCode.SCAN_LIMIT: _plain(
        "A scanner found more than the policy's `scans` allows: mend it in a new revision, or"
        " suppress it where the scanner is run, and tell the new report of it."
    ),
    ReasonCode.SCAN_MISSING: _plain(
        "The policy's `scans` requires a report: `serinus scan FILE` in the pipeline tells it, of"
        " the same service and revision as the question."
    ),
    ReasonCode.CAPACITY_SHORT: _plain(
        "A resource of the service would run out within what the policy's `capacity` allows: raise"
        " its limit, or let the next revision use less."
    ),
    ReasonCode.CAPACITY_UNKNOWN: _plain(
        "The policy's `capacity` waits for an assessment: see at `/v1/capacity` why there is none."
    ),
    ReasonCode.CONTROL_EXHAUSTED: _plain(
        "The control had no traffic left: stop at a weight of 90 %, or set"
        " `allow_control_exhausted: true`."
    ),
    ReasonCode.BURST: _plain("Something came in one burst: give the step some minutes more."),
    ReasonCode.SUSPICIOUS: _plain(
        "A signal looked worse without proof: give the step more time or traffic, and look at it."
    ),
    ReasonCode.WARMING_UP: _plain(
        "Pods were younger than 3 minutes: pause a few minutes before the first question."
    ),
    ReasonCode.PARTIAL_DATA: _plain(
        "Samples were missing: look for scrapes that time out or pods that are not scraped."
    ),
    ReasonCode.COLLECTING: _plain(
        "Time was too short: let the step last longer than `min_step_s`, the last one than"
        " `min_total_s`."
    ),
    ReasonCode.LOAD_NOT_COMPARABLE: _plain(
        "Canary pods carried another load than the control's: run as many as their weight asks for."
    ),
    ReasonCode.NEEDS_PODS: _needs_pods,
    ReasonCode.LOW_TRAFFIC: _low_traffic,
    ReasonCode.DEADLINE_REACHED: _plain("Set a later deadline."),
    ReasonCode.HEALTHY: _plain("Nothing: it passed."),
}


def _seen(verdict: Verdict) -> float:
    """Canary requests that counted, of the signal with most."""
    return max((s.samples.canary for s in verdict.signals if s.required), default=0.0)
