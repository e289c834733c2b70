"""One signal as the verdict shows it: both sides, the effect, what is said of it, the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from detector.gate.design import Standing
from detector.gate.judgement import FirstFail
from detector.gate.kills import KILLED, KILLED_IN
from detector.gate.reason import Reason, ReasonCode, up
from detector.gate.rule import Candidate
from detector.gate.state import State
from detector.gate.verdict import Outcome, Samples, SignalVerdict, TemplateVerdict
from detector.gate.weaker import beside
from detector.gate.words import (
    compare,
    effect_of,
    fail_text,
    level_of,
    note_words,
    scope_name,
    tally_requests,
    unit_of,
)
from detector.series import FloatArray

__all__ = ["Failed", "Reader"]

_SUSPICIOUS = math.log(5.0)
# Kinds of log lines that are told of a signal.
_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The fail that stands: when it was certain, and from where on it was found."""

    first: FirstFail
    found: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Tells signals of one attempt; `start` and `step` (unix seconds) are its bins'.

    `rows` names the canary's pods, `edges` are the finite upper edges of its histograms, `killed`
    counts its OOM kills.
    """

    start: float
    step: float
    rows: tuple[str, ...]
    edges: FloatArray | None
    failed: Failed | None
    standing: Standing = field(default_factory=Standing)
    killed: int = 0

    def signal(self, state: State) -> SignalVerdict:
        """The signal with all that is known of it."""
        canary, control = self._levels(state)
        ours, theirs = tally_requests(state, state.tally)
        outcome, reason = self._said(state, self._sides(state, canary, control))
        return SignalVerdict(
            name=state.track.signal,
            outcome=outcome,
            required=state.required,
            judged=state.track.judged,
            unit=unit_of(state.track),
            canary=canary,
            control=control,
            effect=effect_of(state, canary, control),
            evidence=_exp(state.strongest.log_e) if state.track.judged else 1.0,
            needed=_exp(state.strongest.log_needed),
            samples=Samples(canary=ours, control=theirs),
            scope=scope_name(state.strongest.scope, self.rows),
            since=datetime.fromtimestamp(self._since(state.strongest), UTC),
            reason=reason,
            details=_details(state),
        )

    def lines(self, whole: State, each: Sequence[State]) -> SignalVerdict:
        """The signal of log lines: all together, or the template that is more telling.

        It is required where all together are: a single template is known only by its harm.
        """
        ranked = sorted(each, key=self._telling, reverse=True)
        top = max([whole, *ranked[:1]], key=self._telling)
        told = tuple([self._template(state) for state in ranked[:_TOLD]])
        return replace(self.signal(top), required=whole.required, templates=told)

    def _telling(self, state: State) -> tuple[bool, bool, float]:
        """What failed the attempt tells most, then what is suspicious, then all together."""
        failed = self.failed
        named = failed is not None and failed.found.track is state.track
        suspicious = state.track.judged and state.suspicion > _SUSPICIOUS
        first = suspicious or not state.track.template
        return named, first, state.strongest.excess if suspicious else -math.inf

    def _template(self, state: State) -> TemplateVerdict:
        tally, judged = state.tally, state.track.judged
        return TemplateVerdict(
            id=state.track.template,
            is_new=state.track.is_new,
            lines=Samples(canary=float(tally.canary[1]), control=float(tally.control[1])),
            requests=Samples(canary=float(tally.canary[0]), control=float(tally.control[0])),
            scope=scope_name(state.strongest.scope, self.rows),
            since=datetime.fromtimestamp(self._since(state.strongest), UTC),
            evidence=_exp(state.strongest.log_e) if judged else 1.0,
            needed=_exp(state.strongest.log_needed),
        )

    def fail(self, failed: Failed, state: State | None) -> Reason:
        """The first fail in words, with the numbers as they stand in its signal's `state`."""
        if state is None:
            return failed.first.reason
        canary, control = self._levels(state)
        text = fail_text(
            state,
            effect_of(state, canary, control),
            scope_name(failed.found.scope, self.rows),
            self._since(failed.found),
            self._sides(state, canary, control),
        )
        if self.killed and failed.first.signal == KILLED_IN:
            text = f"{text} {note_words(KILLED, self.killed)}"
        return Reason(up(failed.first.signal), text)

    def failure(self, failed: Failed, states: Mapping[str, State]) -> Reason:
        """The first fail in words; where all log lines did it, with the template that did most."""
        found = failed.found.track
        reason = self.fail(failed, states.get(found.name))
        each = [s for s in states.values() if s.track.template and s.track.signal == found.name]
        most = max(each, key=self._telling, default=None)
        if most is None:
            return reason
        ours = f"{most.tally.canary[1]:.0f} of template {most.track.template}"
        return replace(reason, text=f"{reason.text} The canary wrote {ours}.")

    def _levels(self, state: State) -> tuple[float | None, float | None]:
        """What both sides show; where no control served, what stood in for it."""
        return (
            level_of(state.track, state.tally.canary, self.edges),
            level_of(state.track, self._control(state), self.edges),
        )

    def _control(self, state: State) -> FloatArray:
        said = self.standing.recalled.get(state.track.name)
        if said is None or state.tally.control.any():
            return state.tally.control
        return said.tally

    def _sides(self, state: State, canary: float | None, control: float | None) -> str:
        """Both sides in one phrase, with what the other side is where it is no control."""
        sides = compare(state, canary, control)
        said = self.standing.recalled.get(state.track.name)
        lone = said is not None and not state.tally.control.any()
        return f"{sides} {beside(self.standing)}" if lone else sides

    def _since(self, candidate: Candidate) -> float:
        return self.start + candidate.start.bin * self.step

    def _said(self, state: State, sides: str) -> tuple[Outcome, Reason]:
        failed = self.failed
        if failed is not None and failed.first.signal == state.track.signal:
            own = state if state.track is failed.found.track else None
            return Outcome.FAIL, self.fail(failed, own)
        if state.track.judged and state.suspicion > _SUSPICIOUS:
            text = f"{sides}: worse than the control, not yet with enough evidence."
            return Outcome.INCONCLUSIVE, Reason(ReasonCode.SUSPICIOUS, text)
        if state.cleared:
            return Outcome.PASS, Reason(ReasonCode.HEALTHY, f"{sides}: harm is below its limit.")
        code = ReasonCode.NEEDS_PODS if state.outlook.requests is None else ReasonCode.LOW_TRAFFIC
        text = f"{sides}: harm is not yet known to be below its limit."
        return Outcome.INCONCLUSIVE, Reason(code, text)


def _details(state: State) -> dict[str, float | str | None]:
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
        "load_explains": _exp(state.excused),
        "base_rate": learned.rate if state.track.on_counts else None,
        "judged_on_history": state.on_history,
        "needs_requests": state.outlook.requests,
    }


def _exp(log: float) -> float | None:
    return math.exp(min(log, 700.0)) if log < math.inf else None
