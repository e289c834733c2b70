"""From sums to a judgement: every signal described, then the outcome and its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from detector.gate.advice import advise
from detector.gate.judgement import FirstFail, Judgement
from detector.gate.passing import Moment, holds, needs_of, waiting_text
from detector.gate.policy import Policy
from detector.gate.reason import Reason, ReasonCode, up
from detector.gate.request import Stage
from detector.gate.rule import Board, Candidate
from detector.gate.state import State, state_of
from detector.gate.verdict import Effect, Needs, Outcome, Samples, SignalVerdict
from detector.gate.window import Window
from detector.gate.words import (
    clock,
    compare,
    duration,
    effect_of,
    fail_text,
    level_of,
    note_words,
    scope_name,
    tally_requests,
    unit_of,
)
from detector.series import FloatArray
from detector.signals.plan import Plan
from models.sequential.shares import Start

__all__ = ["Present", "describe"]

_STALE_S, _STALE_INTERVALS = 120.0, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """All that is known of an attempt at its newest boundary.

    `told`: when the exposure of the newest told weight begins, unix seconds; its bins may still
    be to come, and a pass on what was seen before them would let a controller skip the step.
    """

    plan: Plan
    policy: Policy
    start: float
    step: float
    window: Window
    boards: Mapping[str, Board]
    live: tuple[Start, ...]
    done: int
    first_fail: FirstFail | None
    failed: Candidate | None
    burst: Candidate | None
    incompatible: bool
    rows: tuple[str, ...]
    edges: FloatArray | None
    told: float | None = None

    @property
    def evaluated_to(self) -> float:
        """End of the newest judged bin, unix seconds."""
        return self.start + self.done * self.step

    @property
    def exposure_since(self) -> float:
        """Start of the current exposure, unix seconds."""
        newest = next((s for s in reversed(self.live) if s.step), None)
        judged = self.start + (newest.bin if newest else 0) * self.step
        return judged if self.told is None else max(judged, self.told)


def describe(now: Present, *, as_of: float, stage: Stage, deadline: float | None) -> Judgement:
    """The judgement at `as_of`."""
    if not now.done or not now.live:
        return _nothing_yet(now)
    scale = now.policy.time_scale
    if deadline is not None and as_of >= deadline - now.policy.min_step_s * scale:
        stage = Stage.FINAL
    states = _states(now)
    moment = Moment(
        plan=now.plan,
        policy=now.policy,
        stage=stage,
        as_of=as_of,
        evaluated_to=now.evaluated_to,
        started_at=now.start,
        exposure_since=now.exposure_since,
        window=now.window,
        states=states,
        missing=_missing(now),
        incompatible=now.incompatible,
        burst=now.burst.track.name if now.burst else None,
    )
    judged = (_signal(now, state) for state in states.values())
    signals = (*judged, *advise(now.plan, now.window, scale))
    reasons = list(holds(moment))
    stale = _stale(now, as_of)
    if stale is not None:
        reasons.insert(0, stale)
    outcome, reason = _decide(now, states, reasons)
    return Judgement(
        outcome=outcome,
        reason=reason,
        signals=signals,
        needs=needs_of(moment) if outcome is Outcome.INCONCLUSIVE else Needs(),
        exposure_since=now.exposure_since,
        evaluated_to=now.evaluated_to,
        first_fail=now.first_fail,
        notes=_notes(now),
        waiting=waiting_text(moment) if outcome is Outcome.INCONCLUSIVE else None,
    )


def _nothing_yet(now: Present) -> Judgement:
    frame = now.window.frame
    if not frame.canary.pods:
        reason = Reason(
            ReasonCode.NO_CANARY_DATA,
            f"No series of {now.plan.service} matches the canary yet; check its selector.",
        )
    else:
        reason = Reason(
            ReasonCode.COLLECTING,
            f"The attempt began at {clock(now.start)}; its first {duration(now.step)} are not"
            " complete yet.",
        )
    return Judgement(
        outcome=Outcome.INCONCLUSIVE,
        reason=reason,
        signals=(),
        needs=Needs(
            requests=None,
            seconds=math.ceil(now.policy.min_step_s * now.policy.time_scale),
            canary_pods=None,
        ),
        exposure_since=None,
        evaluated_to=None,
        first_fail=None,
        notes=_notes(now),
    )


def _states(now: Present) -> dict[str, State]:
    window, level = now.window, now.policy.pass_level
    effective = int(window.effective[-1]) if len(window.effective) else 1
    load = float(np.median(window.load[-1])) if window.load.size else 0.0
    return {
        name: state_of(board, now.live, effective, level, window.step_s, load)
        for name, board in now.boards.items()
    }


def _missing(now: Present) -> tuple[str, ...]:
    """Required signals that have no track."""
    wanted = {"error_rate", "latency"} | {
        name for name, wish in now.policy.signals.items() if wish.required
    }
    optional = {name for name, wish in now.policy.signals.items() if wish.required is False}
    # Histograms that do not fit are there: `incompatible_histograms` says what to mend.
    unfit = {"latency"} if now.window.frame.notes.get("incompatible_histograms") else set()
    return tuple(sorted(wanted - optional - unfit - set(now.boards)))


def _decide(
    now: Present, states: Mapping[str, State], reasons: list[Reason]
) -> tuple[Outcome, Reason]:
    if now.first_fail is not None and now.failed is not None:
        return Outcome.FAIL, _fail_reason(now, states)
    if reasons:
        return Outcome.INCONCLUSIVE, reasons[0]
    seen = sum(s.counted for s in states.values() if s.track.name == "error_rate")
    return Outcome.PASS, Reason(
        ReasonCode.HEALTHY,
        f"No signal is worse than its limit after {seen:.0f} canary requests"
        f" since {clock(now.start)}.",
    )


def _fail_reason(now: Present, states: Mapping[str, State]) -> Reason:
    """The first fail in words, with the numbers as they stand."""
    first, failed = now.first_fail, now.failed
    if first is None or failed is None:
        raise ValueError("no fail to describe")
    state = states.get(first.signal)
    if state is None:
        return first.reason
    canary, control = _levels(now, state)
    effect = effect_of(state, canary, control)
    since = now.start + failed.start.bin * now.step
    where = scope_name(failed.scope, now.rows)
    text = fail_text(state, effect, where, since, compare(state, canary, control))
    return Reason(up(first.signal), text)


def _levels(now: Present, state: State) -> tuple[float | None, float | None]:
    return (
        level_of(state.track, state.tally.canary, now.edges),
        level_of(state.track, state.tally.control, now.edges),
    )


def _signal(now: Present, state: State) -> SignalVerdict:
    canary, control = _levels(now, state)
    effect = effect_of(state, canary, control)
    ours, theirs = tally_requests(state, state.tally)
    since = now.start + state.strongest.start.bin * now.step
    outcome, reason = _signal_outcome(now, state, effect, since, compare(state, canary, control))
    return SignalVerdict(
        name=state.track.name,
        outcome=outcome,
        required=state.required,
        judged=state.track.judged,
        unit=unit_of(state.track),
        canary=canary,
        control=control,
        effect=effect,
        evidence=_exp(state.strongest.log_e) if state.track.judged else 1.0,
        needed=_exp(state.strongest.log_needed),
        samples=Samples(canary=ours, control=theirs),
        scope=scope_name(state.strongest.scope, now.rows),
        since=datetime.fromtimestamp(since, UTC),
        reason=reason,
        details=_details(now, state),
    )


def _signal_outcome(
    now: Present, state: State, effect: Effect, since: float, sides: str
) -> tuple[Outcome, Reason]:
    name = state.track.name
    if now.first_fail is not None and now.first_fail.signal == name:
        return Outcome.FAIL, _fail_reason(now, {name: state})
    if state.track.judged and state.suspicion > math.log(5.0):
        text = f"{sides}: worse than the control, not yet with enough evidence."
        return Outcome.INCONCLUSIVE, Reason(ReasonCode.SUSPICIOUS, text)
    if state.cleared:
        return Outcome.PASS, Reason(ReasonCode.HEALTHY, f"{sides}: harm is below its limit.")
    code = ReasonCode.NEEDS_PODS if state.outlook.requests is None else ReasonCode.LOW_TRAFFIC
    return Outcome.INCONCLUSIVE, Reason(
        code, f"{sides}: harm is not yet known to be below its limit."
    )


def _details(now: Present, state: State) -> dict[str, float | str | None]:
    """The numbers of section 8, for people who ask why."""
    learned = state.track.learned
    lam = state.track.lately.weight[-1] if state.track.lately is not None else None
    return {
        "bound": _exp(state.bound),
        "bound_exposure": _exp(state.bound_now),
        "limit": _exp(learned.row.limit),
        "tolerate": _exp(learned.row.tolerate),
        "smallest_detectable": _exp(state.smallest),
        "evidence_db": 10 * state.strongest.log_e / math.log(10),
        "needed_db": 10 * state.strongest.log_needed / math.log(10),
        "pod_sd": learned.noise.tau,
        "scrape_sd": learned.noise.sigma,
        "arm_sd": learned.arm,
        "control_pods": float(learned.pods),
        "reference_weight": None if lam is None else float(lam),
        "load_ratio": math.exp(state.load),
        "base_rate": learned.rate if state.track.on_counts else None,
        "judged_on_history": state.on_history,
        "needs_requests": state.outlook.requests,
    }


def _exp(log: float) -> float | None:
    return math.exp(min(log, 700.0)) if log < math.inf else None


def _stale(now: Present, as_of: float) -> Reason | None:
    """The newest sample of a side is too old."""
    slack = max(_STALE_S * now.policy.time_scale, _STALE_INTERVALS * now.step) + now.step
    for name, arm in (("canary", now.window.frame.canary), ("control", now.window.frame.control)):
        age = as_of - arm.newest
        if arm.pods and age > slack:
            return Reason(
                ReasonCode.STALE_DATA,
                f"The newest sample of the {name} is {duration(age)} old (from"
                f" {clock(arm.newest)}).",
            )
    return None


def _notes(now: Present) -> tuple[str, ...]:
    frame = now.window.frame
    counted = [note_words(name, n) for name, n in sorted(frame.notes.items()) if n]
    return (*now.plan.notes, *counted)
