"""The weekly digest of a team: what it was told and what not, and how often that was right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detector.alerts.brief import Gravity
from detector.alerts.history import Case, Held, History, Hold, WordKind

__all__ = ["Digest", "HeldBack", "digest_of", "teams_of"]

_LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """An incident that the team was not told of, and why."""

    incident: str
    title: str
    severity: Gravity
    reason: Held
    words: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Of one team from `since` to before `until`, unix ms.

    `held` are the gravest of `held_count`. `acknowledged` and `no_incident` count those that the
    team was told of, by the last such word of each.
    """

    team: str
    since: int
    until: int
    told: int
    held_count: int
    held: tuple[HeldBack, ...]
    acknowledged: int
    no_incident: int

    @property
    def precision(self) -> float | None:
        """The share of what was judged that was an incident; None where nobody judged."""
        judged = self.acknowledged + self.no_incident
        return self.acknowledged / judged if judged else None


def teams_of(history: History) -> tuple[str, ...]:
    """Every team that was told of something, or was not."""
    told = {one.team for case in history.cases.values() for one in case.told}
    held = {one.team for case in history.cases.values() for one in case.held}
    return tuple(sorted((told | held) - {""}))


def digest_of(history: History, team: str, since: int, until: int, public_url: str = "") -> Digest:
    """What the team reads once a week; held back is what it never heard of."""
    cases = history.cases.values()
    told = [case for case in cases if _first_told(case, team, since, until)]
    held = [
        (case, hold) for case in cases if (hold := _held_back(case, team, since, until)) is not None
    ]
    held.sort(key=lambda pair: (-pair[0].severity.rank, -_highest(pair[0], team), pair[0].id))
    verdicts = [_judged(case) for case in told]
    return Digest(
        team=team,
        since=since,
        until=until,
        told=len(told),
        held_count=len(held),
        held=tuple(_line(case, hold, public_url) for case, hold in held[:_LISTED]),
        acknowledged=verdicts.count(WordKind.ACKNOWLEDGED),
        no_incident=verdicts.count(WordKind.NO_INCIDENT),
    )


def _first_told(case: Case, team: str, since: int, until: int) -> bool:
    times = [one.at for one in case.told if one.team == team]
    return bool(times) and since <= min(times) < until


def _held_back(case: Case, team: str, since: int, until: int) -> Hold | None:
    if any(one.team == team for one in case.told):
        return None
    return _earliest(one for one in case.held if one.team == team and since <= one.since < until)


def _earliest(holds: Iterable[Hold]) -> Hold | None:
    return min(holds, key=lambda one: one.since, default=None)


def _highest(case: Case, team: str) -> float:
    ranked = case.ranked_by(team)
    return 0.0 if ranked is None else ranked.highest


def _judged(case: Case) -> WordKind | None:
    kinds = (WordKind.ACKNOWLEDGED, WordKind.NO_INCIDENT)
    return next((one.kind for one in reversed(case.words) if one.kind in kinds), None)


def _line(case: Case, hold: Hold, public_url: str) -> HeldBack:
    return HeldBack(
        incident=case.id,
        title=case.title,
        severity=case.severity,
        reason=hold.reason,
        words=hold.words,
        link=f"{public_url.rstrip('/')}/incidents/{case.id}" if public_url else "",
    )
