"""Who is told of what now, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from detector.alerts.brief import BriefState, IncidentBrief
from detector.alerts.escalation import due_steps, next_step_at
from detector.alerts.history import Case, Held, History, Hold, Telling
from detector.alerts.holding import Scene, charged, obstacle, word_hold
from detector.alerts.matching import labels_of
from detector.alerts.routing import Destination, destinations
from detector.alerts.settings import AlertRules

__all__ = ["Decision", "Tell", "TellKind", "decide", "review", "waiting", "wake_at", "why_not"]


class TellKind(StrEnum):
    """For the first time, what became of it, since nobody acknowledged, or since a snooze ended."""

    FIRST = "first"
    UPDATE = "update"
    ESCALATED = "escalated"
    REMINDED = "reminded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """A receiver that is told now."""

    receiver: str
    team: str
    kind: TellKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who is told, who is not, and the history after it, to be kept in the same transaction."""

    tells: tuple[Tell, ...]
    held: tuple[Hold, ...]
    history: History

    @property
    def receivers(self) -> tuple[str, ...]:
        """Who is told, each once."""
        return tuple(dict.fromkeys(one.receiver for one in self.tells))

    @property
    def held_because(self) -> tuple[str, ...]:
        """In words, for everyone who is not told."""
        return tuple(f"{one.receiver}: {one.words}" for one in self.held)


def decide(brief: IncidentBrief, rules: AlertRules, history: History, now: int) -> Decision:
    """Who is told, at unix ms, that something happened to an incident.

    Who was told of it hears what becomes of it, budget or not, unless a person silenced it.
    """
    return _decided(brief, rules, history, now, is_news=True)


def review(brief: IncidentBrief, rules: AlertRules, history: History, now: int) -> Decision:
    """As `decide` where only time passed: for each incident that `waiting` names."""
    return _decided(brief, rules, history, now, is_news=False)


def waiting(history: History, rules: AlertRules, now: int) -> tuple[str, ...]:
    """Incidents to be reviewed at unix ms: something they waited for is over, or a step is due."""
    return tuple(
        case.id
        for case in history.cases.values()
        if case.is_open
        and (
            any(_is_ripe(hold, history, now) for hold in case.held)
            or due_steps(case, rules.escalations, now)
        )
    )


def wake_at(history: History, rules: AlertRules, now: int) -> int | None:
    """When `waiting` will name one if nothing happens before, unix ms; None for never."""
    if waiting(history, rules, now):
        return now
    cases = [case for case in history.cases.values() if case.is_open]
    times = [hold.until for case in cases for hold in case.held]
    times += [next_step_at(case, rules.escalations, now) for case in cases]
    return min((at for at in times if at is not None), default=None)


def why_not(history: History, incident: str, receiver: str) -> str:
    """The answer to "why was I not told?"."""
    case = history.cases.get(incident)
    if case is None:
        return f"nothing was decided of {incident} in the last weeks"
    hold = case.hold_of(receiver) or case.hold_of("")
    if hold is not None:
        return hold.words
    if case.was_told(receiver):
        return f"{receiver} was told"
    return f"no route leads from {incident} to {receiver}"


def _is_ripe(hold: Hold, history: History, now: int) -> bool:
    if hold.reason is Held.INHIBITED:
        source = history.cases.get(hold.by)
        return source is None or not source.lasts
    return hold.until is not None and hold.until <= now


def _decided(
    brief: IncidentBrief, rules: AlertRules, history: History, now: int, *, is_news: bool
) -> Decision:
    others = tuple(case for case in history.cases.values() if case.id != brief.id)
    scene = Scene(brief=brief, rules=rules, others=others, now=now, is_news=is_news)
    case, tells = _seen(history.cases.get(brief.id), brief, now), list[Tell]()
    heard = {one.receiver: one.team for one in case.told}
    for receiver, team in heard.items():
        case = _again(scene, case, receiver, team, tells)
    aimed = [to for to in _aimed(scene) if to.receiver not in heard]
    # What nobody is to hear any more by the routes as they are now waits for nothing.
    case = case.held_among({*heard, *(to.receiver for to in aimed)})
    for to in aimed:
        case = _first(scene, case, to, tells)
    if rules.route is None:
        case = case.with_hold(_unrouted(now))
    for step in due_steps(case, rules.escalations, now):
        case = case.with_telling(step)
        tells.append(Tell(receiver=step.receiver, team=step.team, kind=TellKind.ESCALATED))
    return Decision(tells=tuple(tells), held=case.held, history=history.with_case(case))


def _aimed(scene: Scene) -> tuple[Destination, ...]:
    route = scene.rules.route
    return () if route is None else destinations(route, scene.brief)


def _seen(before: Case | None, brief: IncidentBrief, now: int) -> Case:
    """The case as the incident is now."""
    case = Case(
        id=brief.id,
        title=brief.title,
        severity=brief.severity,
        services=brief.services,
        labels=labels_of(brief),
        is_open=brief.state is BriefState.OPEN,
        began=brief.began,
        seen=now,
    )
    if before is None:
        return case
    return replace(
        case, told=before.told, held=before.held, ranked=before.ranked, words=before.words
    )


def _again(scene: Scene, case: Case, receiver: str, team: str, tells: list[Tell]) -> Case:
    """One that was told hears what happened, and that a snooze is over."""
    before, hold = case.hold_of(receiver), word_hold(scene, case, receiver, team)
    if hold is not None:
        return case.with_hold(hold)
    if scene.is_news or before is not None:
        kind = TellKind.UPDATE if scene.is_news else TellKind.REMINDED
        tells.append(Tell(receiver=receiver, team=team, kind=kind))
    return case.released(receiver)


def _first(scene: Scene, case: Case, to: Destination, tells: list[Tell]) -> Case:
    """One that was not told yet is, or is held."""
    hold, paid = obstacle(scene, case, to), False
    if hold is None:
        case, hold, paid = charged(scene, case, to)
    if hold is not None:
        return case.with_hold(replace(hold, route=to.route))
    tells.append(Tell(receiver=to.receiver, team=to.team, kind=TellKind.FIRST))
    return case.with_telling(
        Telling(
            receiver=to.receiver,
            team=to.team,
            at=scene.now,
            paid=paid,
            escalation=to.escalation,
            route=to.route,
        )
    )


def _unrouted(now: int) -> Hold:
    return Hold(
        receiver="", team="", reason=Held.UNROUTED, words="no alerts.route is set", since=now
    )
