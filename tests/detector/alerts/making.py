"""Briefs and routes for tests of who is told."""

from __future__ import annotations

from dataclasses import replace

from detector.alerts.brief import BriefState, Gravity, IncidentBrief
from detector.alerts.settings import AlertRules, Budget, Route
from detector.selector import parse_selector
from detector.series import Matcher

__all__ = ["DAY", "HOUR", "MINUTE", "MONDAY", "brief", "closed", "match", "rules"]

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
# 2026-11-23 00:00 UTC.
MONDAY = 1_795_392_000_000


def match(text: str) -> tuple[Matcher, ...]:
    """As a person writes them."""
    return parse_selector(text)


def brief(
    number: int = 1,
    severity: Gravity = Gravity.MEDIUM,
    services: tuple[str, ...] = ("cart",),
    **labels: str,
) -> IncidentBrief:
    """An open incident."""
    return IncidentBrief(
        id=f"inc_{number}",
        tenant="default",
        state=BriefState.OPEN,
        severity=severity,
        why="opened",
        nth=0,
        title=f"{services[0]} is ill",
        began=MONDAY,
        told_at=MONDAY,
        ended=None,
        services=services,
        signs=(),
        count=1,
        causes=(),
        none=1.0,
        labels=(("service", services[0]), *labels.items()),
    )


def closed(one: IncidentBrief) -> IncidentBrief:
    """The same, over."""
    return replace(one, state=BriefState.RESOLVED, why="resolved", ended=MONDAY + DAY)


def rules(a_week: int | None = None, **other: object) -> AlertRules:
    """All goes to `chat` of the team `shop`."""
    budgets = {} if a_week is None else {"shop": Budget(a_week=a_week)}
    made = AlertRules(route=Route(receiver="chat", team="shop"), budgets=budgets)
    return replace(made, **other)  # type: ignore[arg-type]
