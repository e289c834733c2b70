"""What is kept of who was told of which incident, of what was held, and of what people said."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import StrEnum

from detector.alerts.brief import Gravity

__all__ = ["Case", "Held", "History", "Hold", "Ranked", "Telling", "Word", "WordKind", "pruned"]

# Budgets look four weeks back; one more for the digest.
_KEPT_MS = 5 * 7 * 86_400_000
_MOST = 50_000
_WORDS = 100


class WordKind(StrEnum):
    """What a person said: I am at it; later; this is none; it was that change; it was none."""

    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    NO_INCIDENT = "no_incident"
    CAUSED_BY = "caused_by"
    NO_CHANGE = "no_change"


class Held(StrEnum):
    """Why somebody is not told."""

    UNROUTED = "unrouted"
    NO_INCIDENT = "no_incident"
    SNOOZED = "snoozed"
    MAINTENANCE = "maintenance"
    INHIBITED = "inhibited"
    QUIET = "quiet"
    BUDGET = "budget"
    OVER = "over"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Somebody said it at unix ms; `until` of a snooze."""

    kind: WordKind
    person: str
    at: int
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A receiver was told first at unix ms; `paid` where it took one of the team's budget.

    `step` is 0, or the number of the step of the `escalation`. `route` is the rule that led there.
    """

    receiver: str
    team: str
    at: int
    paid: bool = False
    escalation: str = ""
    step: int = 0
    route: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A receiver is not told, since unix ms; `until` when to look again, `by` which incident.

    `route` is the rule that leads there.
    """

    receiver: str
    team: str
    reason: Held
    words: str
    since: int
    until: int | None = None
    by: str = ""
    route: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """How it ranked when a team's budget was first asked at unix ms, and the most it did since."""

    team: str
    at: int
    first: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An incident as telling sees it; `seen` is when something was last decided of it."""

    id: str
    title: str
    severity: Gravity
    services: tuple[str, ...]
    labels: dict[str, str]
    is_open: bool
    began: int
    seen: int
    told: tuple[Telling, ...] = ()
    held: tuple[Hold, ...] = ()
    ranked: tuple[Ranked, ...] = ()
    words: tuple[Word, ...] = ()

    def was_told(self, receiver: str) -> bool:
        """Whether the receiver heard of it."""
        return any(one.receiver == receiver for one in self.told)

    @property
    def lasts(self) -> bool:
        """Whether it is open and nobody called it no incident."""
        return self.is_open and all(one.kind is not WordKind.NO_INCIDENT for one in self.words)

    def held_among(self, receivers: Collection[str]) -> Case:
        """The same without holds of others."""
        return replace(self, held=tuple(one for one in self.held if one.receiver in receivers))

    def hold_of(self, receiver: str) -> Hold | None:
        """Why the receiver is not told, if it is not."""
        return next((one for one in self.held if one.receiver == receiver), None)

    def with_hold(self, hold: Hold) -> Case:
        """The same with one receiver held; `since` stays where the reason does."""
        before = self.hold_of(hold.receiver)
        if before is not None and before.reason is hold.reason:
            hold = replace(hold, since=before.since)
        return replace(self, held=(*self.released(hold.receiver).held, hold))

    def released(self, receiver: str) -> Case:
        """The same with the receiver held no more."""
        return replace(self, held=tuple(one for one in self.held if one.receiver != receiver))

    def with_telling(self, telling: Telling) -> Case:
        """The same after a receiver was told."""
        return replace(self.released(telling.receiver), told=(*self.told, telling))

    def ranked_by(self, team: str) -> Ranked | None:
        """How it ranked when the team's budget was asked."""
        return next((one for one in self.ranked if one.team == team), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The cases of one tenant by the ids of their incidents."""

    cases: dict[str, Case] = field(default_factory=dict)

    def with_case(self, case: Case) -> History:
        """The same with this one as it is now."""
        return History(cases={**self.cases, case.id: case})

    def heard(self, incident: str, word: Word) -> History:
        """The same after somebody said something of an incident that it knows.

        Who was told of one that is snoozed is reminded when the snooze is over.
        """
        case = self.cases.get(incident)
        if case is None:
            return self
        case = replace(case, words=(*case.words, word)[-_WORDS:])
        if word.kind is WordKind.SNOOZED:
            for one in case.told:
                case = case.with_hold(_snooze(one, word))
        return self.with_case(case)


def _snooze(told: Telling, word: Word) -> Hold:
    return Hold(
        receiver=told.receiver,
        team=told.team,
        reason=Held.SNOOZED,
        words=f"{word.person} snoozed it",
        since=word.at,
        until=word.until,
    )


def pruned(history: History, now: int) -> History:
    """Without what is over and five weeks old, and never more than the newest 50 000."""
    kept = [one for one in history.cases.values() if one.is_open or one.seen > now - _KEPT_MS]
    newest = sorted(kept, key=lambda one: (one.seen, one.id))[-_MOST:]
    return History(cases={one.id: one for one in newest})
