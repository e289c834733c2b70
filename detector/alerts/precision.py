"""How often each rule that tells people was right, by what they said of the incidents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from detector.alerts.history import Case, WordKind

__all__ = ["Judged", "RulePrecision", "judged", "precision_of"]


class Judged(StrEnum):
    """What people said of an incident in the end: it was one, they found its change, it was none.

    Who looks for the change that caused it, or says that none did, takes it for an incident.
    """

    REAL = "real"
    TRACED = "traced"
    NONE = "none"


_SAID = {
    WordKind.ACKNOWLEDGED: Judged.REAL,
    WordKind.NO_CHANGE: Judged.REAL,
    WordKind.CAUSED_BY: Judged.TRACED,
    WordKind.NO_INCIDENT: Judged.NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePrecision:
    """Of one rule and who it leads to: incidents that it told or held, and what they were.

    `right` of those `told` were incidents, `traced` of these to a change by a person, `wrong` were
    none. `missed` of those `held` were incidents, `spared` were none. Of the others nobody said it.
    """

    route: str
    receiver: str
    told: int
    right: int
    traced: int
    wrong: int
    held: int
    missed: int
    spared: int

    @property
    def precision(self) -> float | None:
        """The share of what was told and judged that was an incident; None where nobody judged."""
        judged_ones = self.right + self.wrong
        return self.right / judged_ones if judged_ones else None


def judged(case: Case) -> Judged | None:
    """By the last word that says so; None where there is none."""
    return next((_SAID[one.kind] for one in reversed(case.words) if one.kind in _SAID), None)


def precision_of(
    cases: Iterable[Case], team: str, since: int, until: int
) -> tuple[RulePrecision, ...]:
    """Of each rule of a team, by what was first told or held in [since, until), unix ms.

    An escalation is the same incident told again, and counts for nobody. What was held and told
    later is told.
    """
    found: dict[tuple[str, str], Counter[str]] = {}
    for case in cases:
        for route, receiver, what in _happened(case, team, since, until):
            found.setdefault((route, receiver), Counter())[what] += 1
    return tuple(_rule(*key, counts) for key, counts in sorted(found.items()))


def _happened(case: Case, team: str, since: int, until: int) -> Iterator[tuple[str, str, str]]:
    """What each rule did with it, and whether that was right, as words to be counted."""
    said = judged(case)
    ending = "" if said is None else f" {said.value}"
    for one in case.told:
        if one.team == team and one.step == 0 and since <= one.at < until:
            yield one.route, one.receiver, f"told{ending}"
    for hold in case.held:
        is_there = hold.team == team and since <= hold.since < until
        if is_there and not case.was_told(hold.receiver):
            yield hold.route, hold.receiver, f"held{ending}"


def _rule(route: str, receiver: str, counts: Counter[str]) -> RulePrecision:
    traced = counts["told traced"]
    return RulePrecision(
        route=route,
        receiver=receiver,
        told=sum(count for what, count in counts.items() if what.startswith("told")),
        right=counts["told real"] + traced,
        traced=traced,
        wrong=counts["told none"],
        held=sum(count for what, count in counts.items() if what.startswith("held")),
        missed=counts["held real"] + counts["held traced"],
        spared=counts["held none"],
    )
