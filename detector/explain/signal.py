"""One signal of a verdict in words: what was seen, and how what it must reach came about."""

from __future__ import annotations

import math
from collections.abc import Iterator

from detector.gate.attempt import Attempt
from detector.gate.policy import SignalPolicy
from detector.gate.verdict import Effect, Outcome, SignalVerdict, Verdict
from detector.gate.words import limit_words, title

__all__ = ["account", "blamed", "bound_of", "deciding", "is_self_check", "threshold"]


def deciding(verdict: Verdict) -> SignalVerdict | None:
    """The signal that the verdict rests on: the failed one, or a required one with its outcome."""
    found = [s for s in verdict.signals if s.judged and s.outcome is verdict.outcome]
    required = [s for s in found if s.required]
    return next(iter(required or found), None)


def blamed(signal: SignalVerdict) -> str:
    """How it is called at the beginning of a sentence."""
    return title(signal.name)


def account(verdict: Verdict) -> Iterator[str]:
    """What each signal showed, the deciding one first."""
    first = deciding(verdict)
    for signal in sorted(verdict.signals, key=lambda s: s is not first):
        yield from _shown(signal)


def _shown(signal: SignalVerdict) -> Iterator[str]:
    what = signal.outcome.value if signal.judged else "only shown"
    yield f"{signal.name}: {what}. {_sentence(signal.reason.text)}"
    samples = signal.samples
    if signal.judged and samples.canary + samples.control > 0:
        unit = "pod-hours" if signal.unit == "per pod-hour" else "requests"
        yield (
            f"  {samples.canary:,.0f} {unit} of the canary against {samples.control:,.0f} of the"
            f" control; evidence of harm {_number(signal.evidence)}, a fail needs"
            f" {_number(signal.needed)}"
        )


def threshold(verdict: Verdict, attempt: Attempt) -> Iterator[str]:
    """For the deciding signal: what is tolerated, what a pass must rule out, what a fail needs."""
    signal = deciding(verdict)
    if signal is None or signal.effect is None:
        return
    wish = attempt.policy.signals.get(signal.name, SignalPolicy())
    tolerate, limit = limit_words(signal.effect)
    yield f"tolerated {tolerate}: {_origin(wish.tolerate, wish.tolerate_points, signal, attempt)}"
    yield f"limit of a pass {limit}: {_origin(wish.limit, wish.limit_points, signal, attempt)}"
    yield from _needed(signal, attempt, 1.0 if verdict.aa is None else max(verdict.aa.raised, 1.0))
    yield from (note for note in verdict.notes if is_self_check(note))
    yield from _noise(signal)


def is_self_check(note: str) -> bool:
    """Whether a note is the sentence of the service's self-check (`aa_words`)."""
    return note.startswith("A/A check of ")


def _origin(
    ratio: float | None, points: float | None, signal: SignalVerdict, attempt: Attempt
) -> str:
    """Who said so."""
    if points is not None:
        return f"`{points:g}` points in the policy {attempt.policy.name}"
    if ratio is not None:
        return f"`{ratio:g}` in the policy {attempt.policy.name}"
    rate = signal.details.get("base_rate")
    if signal.effect is not None and signal.effect.kind == "difference" and _is_number(rate):
        usual, slo = 100 * float(rate or 0.0), 100 * attempt.policy.slo
        return f"the default, from the usual {usual:.2g} % and the slo of {slo:g} %"
    return f"the default of {signal.name}"


def _needed(signal: SignalVerdict, attempt: Attempt, raised: float) -> Iterator[str]:
    """Where the number comes from that evidence has to reach."""
    if signal.needed is None or not signal.needed > 0:
        return
    alpha, plain = attempt.policy.alpha, signal.needed / raised
    share = 1 / (alpha * plain)
    more = f", times {raised:.3g} for the self-check" if raised > 1 else ""
    yield (
        f"a fail needs evidence of {_number(signal.needed)}: a healthy rollout may fail with"
        f" {100 * alpha:g} %, divided over all signals, pods and beginnings of a fault; this one"
        f" has {100 * share:.2g} % of it, and 1 / ({alpha:g} x {share:.2g}) is"
        f" {_number(plain)}{more}"
    )
    if signal.outcome is Outcome.INCONCLUSIVE and (signal.evidence or 0.0) > 1:
        yield f"it had {_number(signal.evidence)} of that"


def bound_of(signal: SignalVerdict) -> Iterator[str]:
    """What a pass asks of the signal, beside what was known of it."""
    bound, limit = signal.details.get("bound"), signal.details.get("limit")
    if _is_number(bound) and _is_number(limit):
        yield (
            f"A pass needs harm bounded below its limit, x{float(limit or 0):.3g} of the usual; the"
            f" bound was x{float(bound or 0):.3g}"
        )


def _noise(signal: SignalVerdict) -> Iterator[str]:
    """What differs in health, as it was learned of this service."""
    pod, arm = signal.details.get("pod_sd"), signal.details.get("arm_sd")
    pods = signal.details.get("control_pods")
    if not (_is_number(pod) and _is_number(arm) and _is_number(pods)):
        return
    yield (
        f"stable pods differ by {_percent(pod)} among themselves (learned from {_plain(pods)} of"
        f" them), and canaries in health by {_percent(arm)} more; only what exceeds that counts"
    )
    smallest, effect = signal.details.get("smallest_detectable"), signal.effect
    if _is_number(smallest) and effect is not None and signal.outcome is not Outcome.FAIL:
        yield f"with these samples harm of {_harm(smallest, effect)} or more would have been found"


def _harm(times: float | str | None, effect: Effect) -> str:
    """A ratio of harm, beside how the effect is told."""
    return f"x{float(times or 1.0):.2f}" + ("" if effect.kind == "ratio" else " of the usual")


def _percent(sd: float | str | None) -> str:
    return f"{100 * math.expm1(float(sd or 0.0)):.1f} %"


def _plain(value: float | str | None) -> str:
    return f"{float(value or 0.0):.0f}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _number(value: float | None) -> str:
    """A number whose size is what matters."""
    if value is None:
        return "none"
    if not math.isfinite(value):
        return "beyond all bounds"
    if value >= 1e6 or 0 < value < 0.01:
        return f"{value:.0e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _sentence(text: str) -> str:
    """A capital first, but `x1.05` is a number."""
    return text if text[1:2].isdigit() else text[:1].upper() + text[1:]
