"""What stands between an incident and a receiver that was not told of it yet, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from detector.alerts.brief import IncidentBrief
from detector.alerts.budget import Worth, ledger_of, rank_of, worth
from detector.alerts.history import Case, Held, Hold, Ranked, Word, WordKind
from detector.alerts.inhibition import inhibitor
from detector.alerts.routing import Destination
from detector.alerts.settings import AlertRules
from detector.alerts.silences import silenced
from detector.alerts.windows import maintained, maintenance_end, quiet_end

__all__ = ["Scene", "charged", "obstacle", "word_hold"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a decision is made of at `now`, unix ms; `others` are all cases but this one."""

    brief: IncidentBrief
    rules: AlertRules
    others: tuple[Case, ...]
    now: int
    is_news: bool


def obstacle(scene: Scene, case: Case, to: Destination) -> Hold | None:
    """Why a receiver is not told now, the budget apart; None where nothing stands in the way."""
    return (
        word_hold(scene, case, to.receiver, to.team)
        or _over(scene, case, to)
        or _maintenance(scene, case, to)
        or _inhibited(scene, case, to)
        or _quiet(scene, case, to)
        or _learned(scene, to)
    )


def word_hold(scene: Scene, case: Case, receiver: str, team: str) -> Hold | None:
    """What a person said against telling it."""
    word = silenced(case.words, scene.now, is_over=not case.is_open)
    if word is None:
        return None
    is_none = word.kind is WordKind.NO_INCIDENT
    return Hold(
        receiver=receiver,
        team=team,
        reason=Held.NO_INCIDENT if is_none else Held.SNOOZED,
        words=f"{word.person} called it no incident" if is_none else _snoozed(word),
        since=scene.now,
        until=None if is_none else word.until,
    )


def _learned(scene: Scene, to: Destination) -> Hold | None:
    """It is slighter than what the rule is worth a word for, as people said of what it told."""
    least = scene.rules.learned.get((to.route, to.receiver))
    if least is None or scene.brief.severity.rank >= least.rank:
        return None
    return Hold(
        receiver=to.receiver,
        team=to.team,
        reason=Held.LEARNED,
        words=f"below {least.value} hardly any that this rule told was an incident",
        since=scene.now,
    )


def charged(scene: Scene, case: Case, to: Destination) -> tuple[Case, Hold | None, bool]:
    """The case after a team's budget was asked, why it is held if it is, and whether it paid.

    A team pays once for an incident, however many of its receivers hear it. What was held is asked
    for again only when it ranks higher than before.
    """
    budget = scene.rules.budgets.get(to.team)
    if budget is None or any(one.paid and one.team == to.team for one in case.told):
        return case, None, False
    rank, before = rank_of(scene.brief), case.ranked_by(to.team)
    held = case.hold_of(to.receiver)
    if before is not None and rank <= before.highest:
        return case, held or _unworthy(scene, to, _SAME), False
    found = worth(
        ledger_of(scene.others, to.team, scene.now), budget.a_week, rank, case.id, scene.now
    )
    case = _with_rank(case, to.team, rank, scene.now)
    if found.is_told:
        return case, None, True
    return case, _unworthy(scene, to, _worth_words(found, budget.a_week)), False


_SAME = "the team's budget held it, and it has not got worse since"


def _with_rank(case: Case, team: str, rank: float, now: int) -> Case:
    before = case.ranked_by(team)
    at, first = (now, rank) if before is None else (before.at, before.first)
    ranked = Ranked(team=team, at=at, first=first, highest=rank)
    return replace(case, ranked=(*(one for one in case.ranked if one.team != team), ranked))


def _unworthy(scene: Scene, to: Destination, words: str) -> Hold:
    return _hold(scene, to, Held.BUDGET, words)


def _worth_words(found: Worth, a_week: int) -> str:
    if found.left == 0:
        return f"the team was told of {a_week} incidents in seven days, which is its budget"
    return (
        f"{found.left} of {a_week} incidents a week are left, kept for the worst"
        f" {found.most:.0%}; this one is among the worst {found.tail:.0%} of four weeks"
    )


def _over(scene: Scene, case: Case, to: Destination) -> Hold | None:
    if case.is_open:
        return None
    # Why it was not told while it lasted is the better answer, and what the digest lists.
    before = case.hold_of(to.receiver)
    if before is not None:
        return replace(before, until=None)
    return _hold(scene, to, Held.OVER, "it was over before it was told")


def _maintenance(scene: Scene, case: Case, to: Destination) -> Hold | None:
    window = maintained(scene.rules.maintenance, case.labels, case.services, scene.now)
    if window is None:
        return None
    until = maintenance_end(window, scene.now)
    why = f" ({window.reason})" if window.reason else ""
    words = f"maintenance {window.name}{why} until {_when(until)}"
    return _hold(scene, to, Held.MAINTENANCE, words, until)


def _inhibited(scene: Scene, case: Case, to: Destination) -> Hold | None:
    rules = scene.rules.inhibit
    source = inhibitor(rules, case.id, case.labels, case.services, scene.others)
    if source is None:
        return None
    words = f"held while {source.id} lasts: {source.title}"
    return replace(_hold(scene, to, Held.INHIBITED, words), by=source.id)


def _quiet(scene: Scene, case: Case, to: Destination) -> Hold | None:
    quiet = scene.rules.quiet.get(to.quiet)
    until = None if quiet is None else quiet_end(quiet, case.severity, scene.now)
    if until is None:
        return None
    words = f"quiet hours {to.quiet} until {_when(until)}"
    return _hold(scene, to, Held.QUIET, words, until)


def _hold(
    scene: Scene, to: Destination, reason: Held, words: str, until: int | None = None
) -> Hold:
    return Hold(
        receiver=to.receiver,
        team=to.team,
        reason=reason,
        words=words,
        since=scene.now,
        until=until,
    )


def _snoozed(word: Word) -> str:
    return f"{word.person} snoozed it until {_when(word.until)}"


def _when(at: int | None) -> str:
    if at is None:
        return "further notice"
    return f"{_EPOCH + timedelta(milliseconds=at):%Y-%m-%d %H:%M} UTC"
