"""The weekly digest of a team: what it was told and what not, and how often that was right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detector.alerts.brief import Gravity
from detector.alerts.history import Case, Held, History, Hold
from detector.alerts.precision import Judged, RulePrecision, judged, precision_of

__all__ = ["Digest", "HeldBack", "digest_of", "teams_of"]

_LISTED = 50
# A rule that tells two incidents a week is known by a month of them; histories are kept for five
# weeks.
_RULES_MS = 4 * 7 * 86_400_000


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

    `held` are the gravest of `held_count`. Of those that it was told of `right` were incidents, as
    people said last, and `wrong` were none. `rules` are of the four weeks before `until`.
    """

    team: str
    since: int
    until: int
    told: int
    held_count: int
    held: tuple[HeldBack, ...]
    right: int
    wrong: int
    rules: tuple[RulePrecision, ...] = ()

    @property
    def precision(self) -> float | None:
        """The share of what was judged that was an incident; None where nobody judged."""
        count = self.right + self.wrong
        return self.right / count if count else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was told, and nothing held back."""
        return not self.told and not self.held_count


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
    said = [judged(case) for case in told]
    return Digest(
        team=team,
        since=since,
        until=until,
        told=len(told),
        held_count=len(held),
        held=tuple(_line(case, hold, public_url) for case, hold in held[:_LISTED]),
        right=said.count(Judged.REAL) + said.count(Judged.TRACED),
        wrong=said.count(Judged.NONE),
        rules=precision_of(cases, team, until - _RULES_MS, until),
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


def _line(case: Case, hold: Hold, public_url: str) -> HeldBack:
    return HeldBack(
        incident=case.id,
        title=case.title,
        severity=case.severity,
        reason=hold.reason,
        words=hold.words,
        link=f"{public_url.rstrip('/')}/incidents/{case.id}" if public_url else "",
    )
