"""From sums to a judgement: every signal described, then the outcome and its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from detector.gate.advice import advise
from detector.gate.attempt import stage_at
from detector.gate.design import Design, Standing
from detector.gate.ensemble import Ensemble
from detector.gate.heavier import heavier
from detector.gate.judgement import FirstFail, Judgement
from detector.gate.kills import KILLED
from detector.gate.moment import Moment
from detector.gate.needs import needs_of, waiting_text
from detector.gate.passing import holds
from detector.gate.policy import Policy
from detector.gate.reading import Failed, Reader
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage
from detector.gate.rule import Board, Candidate
from detector.gate.sides import unseen
from detector.gate.state import State, states_of
from detector.gate.verdict import Needs, Outcome, SignalVerdict
from detector.gate.weaker import against, design_notes
from detector.gate.window import Window
from detector.gate.words import clock, note_words
from detector.series import FloatArray
from detector.signals.plan import Plan
from models.sequential.shares import Start

__all__ = ["Present", "describe"]


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
    ensembles: tuple[Ensemble, ...]
    live: tuple[Start, ...]
    done: int
    first_fail: FirstFail | None
    failed: Candidate | None
    burst: Candidate | None
    incompatible: bool
    rows: tuple[str, ...]
    edges: FloatArray | None
    told: float | None = None
    standing: Standing = field(default_factory=Standing)

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

    @property
    def reader(self) -> Reader:
        """What tells its signals."""
        first, found = self.first_fail, self.failed
        return Reader(
            start=self.start,
            step=self.step,
            rows=self.rows,
            edges=self.edges,
            failed=None if first is None or found is None else Failed(first=first, found=found),
            standing=self.standing,
            killed=self.window.frame.notes.get(KILLED, 0),
        )


def describe(now: Present, *, as_of: float, stage: Stage, deadline: float | None) -> Judgement:
    """The judgement at `as_of`."""
    if not now.done or not now.live:
        return _nothing_yet(now)
    moment = _moment(now, as_of, stage_at(stage, as_of, deadline, now.policy))
    reader = now.reader
    outcome, reason = _decide(moment, reader)
    undecided = outcome is Outcome.INCONCLUSIVE
    return Judgement(
        outcome=outcome,
        reason=reason,
        signals=(
            *_signals(reader, moment.states),
            *advise(now.plan, now.window, moment.scale, besides=frozenset(now.boards)),
        ),
        needs=needs_of(moment) if undecided else Needs(),
        exposure_since=now.exposure_since,
        evaluated_to=now.evaluated_to,
        first_fail=now.first_fail,
        notes=_notes(now),
        waiting=waiting_text(moment) if undecided else None,
        memory=None if undecided or now.policy.capacity is None else heavier(now.window),
    )


def _signals(reader: Reader, states: Mapping[str, State]) -> Iterator[SignalVerdict]:
    """Every signal; kinds of log lines are told within that of all lines."""
    for state in states.values():
        name = state.track.signal
        if not state.track.template:
            each = [s for s in states.values() if s.track.template and s.track.signal == name]
            yield reader.lines(state, each) if each else reader.signal(state)


def _decide(moment: Moment, reader: Reader) -> tuple[Outcome, Reason]:
    """A fail stands; else the first reason against a pass; else it is one."""
    states = moment.states
    if reader.failed is not None:
        return Outcome.FAIL, reader.failure(reader.failed, states)
    held = next(holds(moment), None)
    if held is not None:
        return Outcome.INCONCLUSIVE, held
    seen = sum(s.counted for s in states.values() if s.track.name == "error_rate")
    return Outcome.PASS, Reason(
        ReasonCode.HEALTHY,
        f"No signal is worse than its limit{against(moment.standing)} after {seen:.0f} canary"
        f" requests since {clock(moment.started_at)}.",
    )


def _nothing_yet(now: Present) -> Judgement:
    """Before the first whole bin."""
    began = f"The attempt began at {clock(now.start)}; its first samples are still coming in."
    return Judgement(
        outcome=Outcome.INCONCLUSIVE,
        reason=(
            Reason(ReasonCode.COLLECTING, began)
            if now.window.frame.canary.pods
            else unseen(now.plan.service, now.window.frame)
        ),
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


def _moment(now: Present, as_of: float, stage: Stage) -> Moment:
    return Moment(
        plan=now.plan,
        policy=now.policy,
        stage=stage,
        as_of=as_of,
        evaluated_to=now.evaluated_to,
        started_at=now.start,
        exposure_since=now.exposure_since,
        window=now.window,
        states=_states(now),
        missing=_missing(now),
        incompatible=now.incompatible,
        burst=now.burst.track.name if now.burst else None,
        standing=now.standing,
    )


def _states(now: Present) -> dict[str, State]:
    window, level = now.window, now.policy.pass_level
    effective = int(window.effective[-1]) if len(window.effective) else 1
    load = median(window.load[-1].tolist()) if window.load.size else 0.0
    return states_of(now.boards, now.ensembles, now.live, effective, level, window.step_s, load)


def _missing(now: Present) -> tuple[str, ...]:
    """Required signals that have no track."""
    usual = {"error_rate"} if now.standing.design is Design.ABSOLUTE else {"error_rate", "latency"}
    wanted = usual | {name for name, wish in now.policy.signals.items() if wish.required}
    optional = {name for name, wish in now.policy.signals.items() if wish.required is False}
    # Histograms that do not fit are there: `incompatible_histograms` says what to mend.
    unfit = {"latency"} if now.window.frame.notes.get("incompatible_histograms") else set()
    missing = wanted - optional - unfit - set(now.boards)
    needed = now.policy.pass_needs
    if needed is not None:
        missing = set(() if needed.holds(set(now.boards)) else needed.names - set(now.boards))
    return tuple(sorted(missing))


def _notes(now: Present) -> tuple[str, ...]:
    frame = now.window.frame
    counted = [note_words(name, n) for name, n in sorted(frame.notes.items()) if n]
    return (*design_notes(now.standing), *_unheard(now), *now.plan.notes, *counted)


def _unheard(now: Present) -> Iterator[str]:
    """That log lines are only shown: what a service wrote before bounds no new version's texts."""
    if now.standing.design is Design.CONCURRENT:
        return
    named = {bound.signal.name for bound in now.plan.signals if bound.apart}
    for name in sorted(named - set(now.standing.recalled)):
        yield f"{name} is shown and not judged where no control serves beside the canary."
