"""How an objective stands: what is left of its budget, how fast that burns, and until when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.slo.budget import Budget, Exhaustion, budget_of, exhaustion, unknown_budget
from detector.slo.burn import PAIRS, Burning, Course, Pair, burning, rates
from detector.slo.counts import Counts, Flaw
from detector.slo.objective import Objective
from detector.slo.window import Rolling

__all__ = ["LONGEST_S", "Pace", "Standing", "course_of", "standing_of"]

# The longest window of the pairs.
LONGEST_S = max(pair.long_s for pair in PAIRS)
# A source that has nothing for so long is silent: two bins may be late.
_SILENT_BINS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many times too fast the budget burns over both windows of a pair; None: unknown."""

    pair: Pair
    long: float | None
    short: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """As of the newest bin that was counted, which ended at `counted_to` (unix seconds).

    `flaw` says why `burning` is unknown, which a source that fell silent makes it, too. `gone` is
    when nothing is left.
    """

    objective: Objective
    budget: Budget
    paces: tuple[Pace, ...]
    burning: Burning
    gone: Exhaustion | None
    counted_to: float | None
    flaw: Flaw | None


def standing_of(objective: Objective, counts: Counts | Flaw, begin: float) -> Standing:
    """By what was counted, where the window of the budget began at unix seconds.

    Counts may reach further back, as far as windows of burns do.
    """
    if isinstance(counts, Flaw):
        return _unknown(objective, counts)
    held, budget = counts.since(begin), objective.budget
    whole, left = course_of(counts, budget), budget_of(held, budget)
    course = whole.last(whole.bins(LONGEST_S))
    state = _state(course)
    flaw = None if state is not Burning.UNKNOWN else _why(counts)
    return Standing(
        objective=objective,
        budget=left,
        paces=tuple(
            Pace(pair=pair, long=_pace(course, pair.long_s), short=_pace(course, pair.short_s))
            for pair in PAIRS
        ),
        burning=state,
        gone=exhaustion(held, budget, is_rolling=isinstance(objective.window, Rolling)),
        counted_to=_counted_to(counts),
        flaw=flaw,
    )


def _unknown(objective: Objective, flaw: Flaw) -> Standing:
    return Standing(
        objective=objective,
        budget=unknown_budget(flaw),
        paces=tuple(Pace(pair=pair, long=None, short=None) for pair in PAIRS),
        burning=Burning.UNKNOWN,
        gone=None,
        counted_to=None,
        flaw=flaw,
    )


def course_of(counts: Counts, budget: float) -> Course:
    """Counts as burns are judged by; usual is what all of them hold on average."""
    usual = float(np.nanmean(counts.total)) / counts.step_s if counts.known else 0.0
    return Course(
        bad=counts.bad, total=counts.total, usual=usual, step_s=counts.step_s, budget=budget
    )


def _pace(course: Course, span_s: float) -> float | None:
    bad, total, _ = rates(course.bad, course.total, course.bins(span_s))
    return float(bad[-1] / (course.budget * total[-1])) if total[-1] > 0 else None


def _counted_to(counts: Counts) -> float | None:
    known = np.flatnonzero(np.isfinite(counts.total))
    if not len(known):
        return None
    return counts.end - counts.step_s * float(len(counts.total) - 1 - known[-1])


def _state(course: Course) -> Burning:
    """How it burns; windows of days would be quiet about a source that is silent for hours."""
    if not np.isfinite(course.total[-_SILENT_BINS:]).any():
        return Burning.UNKNOWN
    return list(Burning)[int(burning(course)[-1])]


def _why(counts: Counts) -> Flaw:
    is_silent = not np.isfinite(counts.total[-_SILENT_BINS:]).any()
    return Flaw.STALE_DATA if is_silent else Flaw.NO_EVENTS
