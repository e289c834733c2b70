"""An alert on a burn as a symptom, so that it becomes an incident or a part of one."""

from __future__ import annotations

from hashlib import sha256

from detector.incidents.symptom import Symptom
from detector.slo.burn import Burning
from detector.slo.following import Alert
from detector.slo.objective import Objective, OfSignal
from detector.slo.standing import Standing
from detector.slo.words import burn_words
from detector.stream.anomaly import AnomalyKind, Severity, Side

__all__ = ["burn_id", "burn_symptom"]

_DIGITS = 16
_SEVERITY = {Burning.PAGE: Severity.HIGH, Burning.TICKET: Severity.MEDIUM}


def burn_id(objective: Objective, alert: Alert) -> str:
    """The same for the same alert, whoever finds it, and however often."""
    named = f"{objective.service}\0{objective.name}".encode()
    return f"burn_{sha256(named).hexdigest()[:_DIGITS]}_{round(alert.begun)}"


def burn_symptom(standing: Standing, alert: Alert) -> Symptom:
    """It began when the budget began to burn; a page is high, a ticket is medium."""
    objective = standing.objective
    told = objective.indicator
    return Symptom(
        id=burn_id(objective, alert),
        service=objective.service,
        namespace=told.namespace if isinstance(told, OfSignal) else "",
        cluster="",
        metric=objective.name,
        kind=AnomalyKind.METRIC,
        side=Side.ABOVE,
        severity=_SEVERITY[alert.level],
        start=round(1000 * alert.onset),
        end=None if alert.ended is None else round(1000 * max(alert.ended, alert.onset)),
        share=1.0,
        versions=frozenset(),
        text=burn_words(standing, alert),
        slo=objective.name,
    )
