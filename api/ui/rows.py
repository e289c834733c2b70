"""A signal as a row of the page: words, and the places of bars and marks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from api.ui.wording import ICONS, amount, day_clock, effect_text, evidence_text, title, value_text
from detector.gate.promotion import MEMORY
from detector.gate.verdict import Effect, Outcome, SignalVerdict

__all__ = ["Interval", "Row", "row_of", "way"]

# A ratio beyond this, or a share below a thousandth, tells no more by being drawn to scale.
_TIMES_MAX = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An effect on a line; places are per cent of its width, None where there is no such mark.

    `nothing` is where canary and control are alike. An open end has no bound on that side.
    """

    low: float
    high: float
    value: float | None
    nothing: float
    tolerate: float
    limit: float
    open_low: bool
    open_high: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One signal in words; `evidence_share` is per cent of the way to a fail, None if advisory.

    `beside` says at what the effect is equal, where both sides as they stand tell another.
    """

    name: str
    title: str
    outcome: Outcome
    icon: str
    kind: str
    canary: str
    control: str
    effect: str
    beside: str
    span: str
    rule: str
    interval: Interval | None
    evidence: str
    needed: str
    evidence_share: float | None
    samples_canary: str
    samples_control: str
    scope: str
    since: str
    reason: str
    code: str


def row_of(signal: SignalVerdict, *, near: float) -> Row:
    """The row of a signal; clock times leave out the day of `near`."""
    effect, span, rule = effect_text(signal.effect)
    since = None if signal.since is None else signal.since.timestamp()
    share = _share(signal)
    return Row(
        name=signal.name,
        title=title(signal.name),
        outcome=signal.outcome,
        icon=ICONS[signal.outcome],
        kind=_kind(signal),
        canary=value_text(signal.canary, signal.unit),
        control=value_text(signal.control, signal.unit),
        effect=effect,
        beside=_beside(signal),
        span=span,
        rule=rule,
        interval=None if signal.effect is None else _interval(signal.effect),
        evidence="–" if share is None else evidence_text(signal.evidence or 0.0),
        needed="" if share is None else evidence_text(signal.needed or 0.0),
        evidence_share=share,
        samples_canary=amount(signal.samples.canary) if signal.judged else "",
        samples_control=amount(signal.samples.control),
        scope="" if signal.scope == "arm" else signal.scope,
        since="" if since is None or not share else day_clock(since, near=near),
        reason=signal.reason.text,
        code=str(signal.reason.code),
    )


def _kind(signal: SignalVerdict) -> str:
    if not signal.judged:
        return "advice only"
    return "required for a pass" if signal.required else "judged"


def _beside(signal: SignalVerdict) -> str:
    """A canary that serves less uses more for each request, and is no worse for it."""
    if signal.effect is None or signal.effect.value is None:
        return ""
    if signal.name == "cpu_per_request":
        return "at equal load"
    return "at equal age" if signal.name == MEMORY and signal.judged else ""


def _share(signal: SignalVerdict) -> float | None:
    """How far on the way to a fail, on the scale on which evidence adds up."""
    return way(signal.evidence, signal.needed) if signal.judged else None


def way(evidence: float | None, needed: float | None) -> float | None:
    """Per cent of the way to a fail; None where nothing is needed."""
    if evidence is None or needed is None or needed <= 1:
        return None
    if not evidence > 1:
        return 0.0
    return 100 * min(1.0, math.log(min(evidence, 1e300)) / math.log(needed))


def _interval(effect: Effect) -> Interval | None:
    """Differences on a plain scale, ratios on a logarithmic one."""
    if effect.kind == "difference":
        return _placed(effect, lambda x: x, least=-effect.limit, most=5 * effect.limit)
    return _placed(effect, _log, least=-math.log(_TIMES_MAX), most=math.log(_TIMES_MAX))


def _log(times: float) -> float:
    return math.log(max(times, 1e-9))


def _placed(
    effect: Effect, at: Callable[[float], float], *, least: float, most: float
) -> Interval | None:
    """Places between the lowest and the highest mark, as far as `least` to `most` allow."""
    nothing = 0.0
    tolerate, limit = at(effect.tolerate), at(effect.limit)
    if not 0 < limit < math.inf:
        return None
    low, value, high = (None if _is_open(x) else at(x or 0.0) for x in _three(effect))
    known = [x for x in (low, value, high) if x is not None]
    left = max(least, min([nothing - 0.4 * limit, *known]))
    right = min(max(most, 1.2 * limit), max([1.3 * limit, *known]))
    spread = 1.08 * (right - left)
    edge = left - 0.04 * (right - left)

    def place(x: float) -> float:
        return round(100 * min(1.0, max(0.0, (x - edge) / spread)), 2)

    return Interval(
        low=0.0 if low is None else place(low),
        high=100.0 if high is None else place(high),
        value=None if value is None else place(value),
        nothing=place(nothing),
        tolerate=place(tolerate),
        limit=place(limit),
        open_low=low is None or low < left,
        open_high=high is None or high > right,
    )


def _three(effect: Effect) -> tuple[float | None, float | None, float | None]:
    return effect.low, effect.value, effect.high


def _is_open(value: float | None) -> bool:
    return value is None or not math.isfinite(value)
