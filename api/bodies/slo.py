"""How objectives stand, as JSON; the classes document it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from api.bodies.numbers import digits, time_text
from detector.incidents.burns import burn_id
from detector.slo.burn import Burning
from detector.slo.following import Alert
from detector.slo.objective import Objective
from detector.slo.standing import Pace
from detector.slo.words import burn_words, left_words
from pipelines.slo.burning import Seen

__all__ = ["SlosAnswer", "slos_body"]


class ErrorBudgetAnswer(Answer):
    """What may fail in the window, and what did."""

    total: float = Field(description="Events that were counted.")
    bad: float = Field(description="Those that failed.")
    allowed: float = Field(description="How many may.")
    left: float | None = Field(
        description="Share that is left, below 0 when it is overspent; null: unknown."
    )
    known: float = Field(description="Share of the window that was counted.")


class PaceAnswer(Answer):
    """How fast the budget burns over a pair of windows: both above `threshold` are an alert.

    The threshold is that of usual traffic: it rises where a window holds less.
    """

    level: Literal["ticket", "page"]
    threshold: float = Field(description="How many times too fast is an alert.")
    long_s: float
    short_s: float
    long: float | None = Field(description="How many times too fast; null: unknown.")
    short: float | None


class BudgetGoneAnswer(Answer):
    """In how many seconds the budget is gone if it goes on as lately; null: not in this window."""

    middle_s: float | None
    low_s: float | None = Field(description="The soonest, at 90 %.")
    high_s: float | None = Field(description="The latest, at 90 %.")


class BurnAlertAnswer(Answer):
    """An alert on a burn: the one that lasts, or the last one."""

    id: str = Field(description="As a symptom of its incident.")
    level: Literal["ticket", "page"] = Field(description="The gravest that it was.")
    onset: str = Field(description="Since when it burns.")
    begun: str = Field(description="Since when that was told.")
    ended: str | None = Field(description="Null while it lasts.")
    text: str = Field(description="All of it in a sentence.")
    incident: str | None = Field(description="Its id at `/v1/incidents`; null where none is known.")


class SloAnswer(Answer):
    """An objective, and how it stands."""

    name: str
    service: str
    target: float = Field(description="Share that has to be good.")
    window: str = Field(description="As it was written.", examples=["28d"])
    state: Literal["unknown", "quiet", "ticket", "page"] = Field(
        description="How it burns now; unknown is never quiet."
    )
    why: str = Field(description="Why it is unknown; empty where it is not.")
    flaw: str | None = Field(description="The same as a code.", examples=["stale_data"])
    looked_at: str | None = Field(description="Null: not yet.")
    counted_to: str | None = Field(description="End of the newest five minutes that were counted.")
    budget: ErrorBudgetAnswer
    budget_text: str = Field(description="What is left, and until when, in a sentence.")
    burn: list[PaceAnswer]
    gone_in: BudgetGoneAnswer | None = Field(description="Null: unknown.")
    alert: BurnAlertAnswer | None = Field(description="Null where there was none yet.")


class SlosAnswer(Answer):
    """All objectives of the configuration, in its order."""

    slos: list[SloAnswer]


def slos_body(seen: Sequence[Seen], incidents: Mapping[str, str]) -> dict[str, Any]:
    """By objective; `incidents` are those of alerts, by the alerts' ids."""
    return {"slos": [_slo(one, incidents) for one in seen]}


def _slo(seen: Seen, incidents: Mapping[str, str]) -> dict[str, Any]:
    objective, standing = seen.objective, seen.standing
    budget = standing.budget
    return {
        "name": objective.name,
        "service": objective.service,
        "target": digits(objective.target),
        "window": objective.window.text,
        "state": standing.burning.value,
        "why": seen.why if standing.burning is Burning.UNKNOWN else "",
        "flaw": None if standing.flaw is None else standing.flaw.value,
        "looked_at": _time(seen.looked_at),
        "counted_to": _time(standing.counted_to),
        "budget": {
            "total": digits(budget.total),
            "bad": digits(budget.bad),
            "allowed": digits(budget.allowed),
            "left": _number(budget.left),
            "known": digits(budget.known),
        },
        "budget_text": left_words(standing),
        "burn": [_pace(pace) for pace in standing.paces],
        "gone_in": None
        if standing.gone is None
        else {
            "middle_s": _finite(standing.gone.middle_s),
            "low_s": _finite(standing.gone.low_s),
            "high_s": _finite(standing.gone.high_s),
        },
        "alert": None if seen.alert is None else _alert(seen, seen.alert, objective, incidents),
    }


def _pace(pace: Pace) -> dict[str, Any]:
    return {
        "level": pace.pair.alert.value,
        "threshold": pace.pair.times,
        "long_s": pace.pair.long_s,
        "short_s": pace.pair.short_s,
        "long": _number(pace.long),
        "short": _number(pace.short),
    }


def _alert(
    seen: Seen, alert: Alert, objective: Objective, incidents: Mapping[str, str]
) -> dict[str, Any]:
    id = burn_id(objective, alert)
    return {
        "id": id,
        "level": alert.level.value,
        "onset": _time(alert.onset),
        "begun": _time(alert.begun),
        "ended": _time(alert.ended),
        "text": burn_words(seen.standing, alert),
        "incident": incidents.get(id),
    }


def _number(value: float | None) -> float | None:
    return None if value is None else digits(value)


def _finite(seconds: float) -> float | None:
    return None if math.isinf(seconds) else digits(seconds)


def _time(at: float | None) -> str | None:
    return None if at is None else time_text(round(1000 * at))
