"""The list of rollouts, made from what the gate knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.ui.wording import ICONS, about, day_clock, exactly
from detector.gate.record import Page
from detector.gate.verdict import Outcome, Verdict

__all__ = ["ListRow", "ListView", "list_row", "list_view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One rollout in the list."""

    attempt: str
    outcome: Outcome
    icon: str
    final: bool
    service: str
    rollout: str
    revision: str
    reason: str
    since: str
    since_exact: str
    asked: str
    asked_exact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """The list of rollouts, as it was filtered."""

    rows: tuple[ListRow, ...]
    service: str
    outcome: str
    older: str | None
    is_first: bool
    notices: tuple[str, ...]
    now: str


def list_view(
    page: Page, *, service: str, outcome: str, is_first: bool, notices: Sequence[str], now: float
) -> ListView:
    """The list as it is shown at `now`."""
    return ListView(
        rows=tuple(list_row(verdict, now) for verdict in page.verdicts),
        service=service,
        outcome=outcome,
        older=page.next,
        is_first=is_first,
        notices=tuple(notices),
        now=day_clock(now),
    )


def list_row(verdict: Verdict, now: float) -> ListRow:
    """One rollout as it stands."""
    asked = verdict.as_of.timestamp()
    since = asked if verdict.started_at is None else verdict.started_at.timestamp()
    return ListRow(
        attempt=verdict.attempt,
        outcome=verdict.outcome,
        icon=ICONS[verdict.outcome],
        final=verdict.final,
        service=verdict.service,
        rollout=verdict.rollout or "",
        revision=verdict.revision or "",
        reason=verdict.reason.text,
        since="–" if verdict.started_at is None else day_clock(since, near=now),
        since_exact=exactly(since),
        asked=about(asked - now),
        asked_exact=exactly(asked),
    )
