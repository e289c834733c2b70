"""Incidents as they are told, for those that tell them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from detector.alerts.brief import BriefState, Cause, Gravity, IncidentBrief, Sign
from detector.gate.telling import Notice, NoticeKind

__all__ = ["AT", "CAUSE", "MINUTE", "brief", "cause", "told"]

# 2026-11-23 14:00 UTC.
AT = 1_795_442_400_000
MINUTE = 60_000
CAUSE = Cause(
    change="chg_1",
    kind="deployment",
    title="checkout v2.3.1",
    service="checkout",
    version="v2.3.1",
    at=AT - 4 * MINUTE,
    probability=0.83,
    reasons=("It began 4 minutes after it.", "Only pods of v2.3.1 show it."),
    link="https://ci.example.org/run/7?a=1&b=2",
    advice="kubectl argo rollouts undo checkout",
)


def cause(**changes: Any) -> Cause:  # noqa: ANN401 - as the fields are
    """A deployment of checkout."""
    return replace(CAUSE, **changes)


def brief(**changes: Any) -> IncidentBrief:  # noqa: ANN401 - as the fields are
    """Checkout and its caller, since four minutes after a deployment."""
    signs = (
        Sign(anomaly="a1", service="checkout", text="Errors: 12 % against 0.4 %.", since=AT),
        Sign(anomaly="a2", service="web", text="Latency doubled.", since=AT + MINUTE),
    )
    base: dict[str, Any] = {
        "id": "inc_0123456789abcdef",
        "tenant": "default",
        "state": BriefState.OPEN,
        "severity": Gravity.HIGH,
        "why": "opened",
        "nth": 0,
        "title": "checkout: errors up",
        "began": AT,
        "told_at": AT + 2 * MINUTE,
        "ended": None,
        "services": ("checkout", "web"),
        "signs": signs,
        "count": 2,
        "causes": (CAUSE,),
        "none": 0.12,
    }
    return IncidentBrief(**{**base, **changes})


def told(nth: int = 0, why: str = "opened", **changes: Any) -> Notice:  # noqa: ANN401
    """The notice of one thing that happened to it; `thread` and what else a brief has."""
    thread = changes.pop("thread", "inc_0123456789abcdef")
    if why == "resolved":
        changes = {"state": BriefState.RESOLVED, "ended": AT + 24 * MINUTE, **changes}
    of = brief(nth=nth, why=why, id=thread, **changes)
    return Notice(
        id=f"{thread}:{nth}",
        kind=NoticeKind.INCIDENT,
        at=of.told_at / 1000 + nth,
        tenant=of.tenant,
        title=of.title,
        text=of.signs[0].text,
        incident=of,
        thread=thread,
        nth=nth,
    )
