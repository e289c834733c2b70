"""What befalls the whole service: a pass waits for its end, whatever the canary shows."""

from __future__ import annotations

from detector.gate.design import Design
from detector.gate.moment import Moment
from detector.gate.reason import Reason, ReasonCode
from detector.gate.unrest import RESTLESS
from detector.gate.words import title
from models.sequential.rows import RowName

__all__ = ["budget_burning", "control_exhausted", "shared_incident"]

_LATELY_S, _SHAKEN_S = 120.0, 60.0
_BURN_S, _BURN, _BURN_EVENTS = 300.0, 10.0, 10.0
_STARVED_S, _STARVED = 300.0, 0.05


def shared_incident(m: Moment) -> Reason | None:
    """A required signal of the control moved just now, and does not do so by habit."""
    for state in m.states.values():
        lately, restless = state.track.incidents, state.track.learned.unrest > RESTLESS
        if not state.required or restless:
            continue
        if m.last(lately, _LATELY_S).sum() * m.window.step_s >= _SHAKEN_S:
            return Reason(
                ReasonCode.SHARED_INCIDENT,
                f"{title(state.track.name)} of the control moved as well: both arms share an"
                " incident, a pass waits for its end.",
            )
    return None


def budget_burning(m: Moment) -> Reason | None:
    """Both sides together fail far more often than the service promises and is used to."""
    state = next((s for s in m.states.values() if s.track.learned.row.name is RowName.ERROR), None)
    if state is None:
        return None
    arms = (m.window.frame.canary, m.window.frame.control)
    counted = [m.counted(arm, state.track.name, _BURN_S) for arm in arms]
    n, x = (sum(pair[at] for pair in counted if pair is not None) for at in (0, 1))
    budget = 1 - m.policy.slo
    # What the service always burned is its habit, and tells nothing of this release.
    usual = state.track.learned.rate * n
    if x < _BURN_EVENTS or x <= _BURN * budget * n + usual:
        return None
    return Reason(
        ReasonCode.BUDGET_BURNING,
        f"The whole service burns its error budget {x / n / max(budget, 1e-9):.0f} times too fast;"
        " no pass while it does.",
    )


def control_exhausted(m: Moment) -> Reason | None:
    """The control hardly serves any more, so nothing says what is normal."""
    ours = float(m.last(m.window.requests, _STARVED_S).sum())
    theirs = float(m.last(m.window.control, _STARVED_S).sum())
    if m.standing.design in (Design.HISTORY, Design.ABSOLUTE):
        return None
    if m.policy.allow_control_exhausted or theirs >= _STARVED * (ours + theirs):
        return None
    return Reason(
        ReasonCode.CONTROL_EXHAUSTED,
        f"The control serves {100 * theirs / max(ours + theirs, 1e-9):.1f} % of the requests, too"
        " few to compare with; stop at 90 %.",
    )
