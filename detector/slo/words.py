"""Alerts on burns, and why a budget is not known, in sentences."""

from __future__ import annotations

import math

from detector.slo.budget import Budget, Exhaustion
from detector.slo.burn import Burning
from detector.slo.counts import Flaw
from detector.slo.following import Alert
from detector.slo.standing import Pace, Standing

__all__ = ["burn_words", "flaw_words", "left_words", "pace_of", "span_words"]

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86_400.0
_FLAWS = {
    Flaw.NO_EVENTS: "there were no requests",
    Flaw.NO_DATA: "the source has no such counters",
    Flaw.NO_OBJECTIVE: "there is no such objective",
    Flaw.SOURCE_FAILED: "the source does not answer, or refuses the query",
    Flaw.PARTIAL_DATA: "the source warns that series may be missing",
    Flaw.STALE_DATA: "the counters fell silent",
    Flaw.GOOD_ABOVE_TOTAL: "more were good than there were, so a query is wrong",
    Flaw.NEGATIVE: "counts are below zero",
    Flaw.NOT_A_NUMBER: "counts are no numbers",
}


def flaw_words(flaw: Flaw) -> str:
    """Why it is not known."""
    return _FLAWS[flaw]


def burn_words(standing: Standing, alert: Alert) -> str:
    """What an alert tells: how fast it burns, what is left, and until when."""
    name, budget = standing.objective.name, left_words(standing)
    if alert.ended is not None:
        lasted = span_words(max(alert.ended - alert.onset, _MINUTE_S))
        return f"{name} burnt its error budget too fast for {lasted}; that is over. {budget}"
    pace = pace_of(standing, alert.level)
    if pace is None or pace.long is None:
        return f"{name} burns its error budget too fast. {budget}"
    short = "" if pace.short is None else f" ({_times(pace.short)} over {_span(pace.pair.short_s)})"
    may = standing.objective.budget
    return (
        f"{name} burns its error budget {_times(pace.long)} times too fast over"
        f" {_span(pace.pair.long_s)}{short}: {_percent(pace.long * may)} fail where"
        f" {_percent(may)} may. {budget}"
    )


def pace_of(standing: Standing, level: Burning) -> Pace | None:
    """The pair of that level that is furthest beyond what it allows; None where none is known."""
    known = [pace for pace in standing.paces if pace.long is not None and pace.pair.alert is level]
    return max(known, key=lambda one: (one.long or 0.0) / one.pair.times, default=None)


def left_words(standing: Standing) -> str:
    """What is left of the budget, and until when."""
    budget, window = standing.budget, standing.objective.window.text
    if budget.left is None:
        why = "" if budget.flaw is None else f": {flaw_words(budget.flaw)}"
        return f"What is left of the budget of {window} is not known{why}."
    if budget.left <= 0:
        return f"The budget of {window} is gone: {_count(budget)}."
    gone = "" if standing.gone is None else f", {_gone_words(standing.gone)}"
    return f"{_percent(budget.left)} of the budget of {window} is left{gone}."


def _count(budget: Budget) -> str:
    return f"{budget.bad:,.0f} bad of {budget.allowed:,.0f} allowed"


def _gone_words(gone: Exhaustion) -> str:
    if math.isinf(gone.middle_s):
        return "enough for as long as it lasts at this rate"
    late = "never" if math.isinf(gone.high_s) else span_words(gone.high_s)
    early, middle = span_words(gone.low_s), span_words(gone.middle_s)
    between = "" if early == middle == late else f" ({early} to {late})"
    return f"gone in {middle}{between} if it goes on as lately"


def span_words(seconds: float) -> str:
    """A time in minutes, hours or days.

    >>> [span_words(one) for one in (300.0, 7200.0, 259_200.0)]
    ['5 min', '2 h', '3 days']
    """
    if seconds < 2 * _HOUR_S:
        return f"{max(seconds, _MINUTE_S) / _MINUTE_S:.0f} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds / _HOUR_S:.0f} h"
    return f"{seconds / _DAY_S:.0f} days"


def _span(seconds: float) -> str:
    """As people call the windows."""
    return "1 h" if seconds == _HOUR_S else span_words(seconds)


def _times(pace: float) -> str:
    return f"{pace:,.0f}" if pace >= 10 else f"{pace:.2g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
