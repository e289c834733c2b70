"""An incident is held while a wider one that explains it is open; Alertmanager's inhibit rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from detector.alerts.history import Case
from detector.alerts.matching import suits
from detector.alerts.settings import Inhibition

__all__ = ["inhibitor"]


def inhibitor(
    rules: Iterable[Inhibition],
    incident: str,
    labels: Mapping[str, str],
    services: tuple[str, ...],
    cases: Iterable[Case],
) -> Case | None:
    """The open incident that holds this one; none is held by itself, or by what is none.

    One that matches the source of a rule as well as its target is not held by that rule, so that
    two of a kind do not hold each other.
    """
    aimed = [
        rule
        for rule in rules
        if suits(rule.target, labels, services) and not suits(rule.source, labels, services)
    ]
    if not aimed:
        return None
    others = [case for case in cases if case.lasts and case.id != incident]
    return next((case for case in others for rule in aimed if _holds(rule, case, labels)), None)


def _holds(rule: Inhibition, source: Case, labels: Mapping[str, str]) -> bool:
    same = all(source.labels.get(name, "") == labels.get(name, "") for name in rule.equal)
    return same and suits(rule.source, source.labels, source.services)
