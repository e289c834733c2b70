"""A week of a team, from monday to the digest: the only test that uses all parts together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from detector.alerts.brief import Gravity, IncidentBrief
from detector.alerts.digest import digest_of
from detector.alerts.history import Held, History, Word, WordKind
from detector.alerts.plan import Decision, decide, review, waiting, wake_at, why_not
from detector.alerts.settings import (
    AlertRules,
    Budget,
    Escalation,
    Hours,
    Inhibition,
    Maintenance,
    Quiet,
    Route,
    Step,
)
from pipelines.zones import calendar_of
from tests.detector.alerts.making import DAY, HOUR, MINUTE, MONDAY, brief, closed, match

BERLIN = calendar_of("Europe/Berlin")
RULES = AlertRules(
    route=Route(
        receiver="chat",
        team="shop",
        quiet="night",
        routes=(Route(receiver="pager", severity=Gravity.HIGH, escalation="up", carry_on=True),),
    ),
    maintenance=(
        Maintenance(
            name="vacuum",
            matchers=match('service="db"'),
            hours=Hours(start=12 * 60, end=14 * 60, days=(2,), calendar=BERLIN),
        ),
    ),
    quiet={"night": Quiet(hours=(Hours(start=22 * 60, end=7 * 60, calendar=BERLIN),))},
    inhibit=(
        Inhibition(
            source=match('scope="cluster"'),
            target=match('scope!="cluster"'),
            equal=("cluster",),
        ),
    ),
    escalations={"up": Escalation(steps=(Step(after_s=600, receiver="lead"),))},
    budgets={"shop": Budget(a_week=6)},
)


@dataclass
class Week:
    """What a runtime does: it decides on events, and reviews when it is woken."""

    history: History = field(default_factory=History)
    log: list[tuple[str, int, str, str]] = field(default_factory=list)
    briefs: dict[str, IncidentBrief] = field(default_factory=dict)
    now: int = MONDAY

    def happens(self, at: int, one: IncidentBrief) -> None:
        """An event of an incident, after all that was due before it."""
        self.until(at)
        self.briefs[one.id] = one
        self._keep(decide(one, RULES, self.history, at), one.id)

    def said(self, at: int, number: int, kind: WordKind) -> None:
        """By ada."""
        self.until(at)
        self.history = self.history.heard(f"inc_{number}", Word(kind=kind, person="ada", at=at))

    def until(self, at: int) -> None:
        """Time passes, and the process is started anew at every turn."""
        while (due := wake_at(self.history, RULES, self.now)) is not None and due <= at:
            self.now = due
            for incident in waiting(self.history, RULES, due):
                self._keep(review(self.briefs[incident], RULES, self.history, due), incident)
        self.now = at

    def _keep(self, decision: Decision, incident: str) -> None:
        kept = msgspec.json.encode(decision.history)
        self.history = msgspec.json.decode(kept, type=History)
        hours = (self.now - MONDAY) // HOUR
        self.log += [(incident, hours, one.receiver, one.kind.value) for one in decision.tells]

    def of(self, number: int) -> list[tuple[int, str, str]]:
        """Who was told of an incident: at which hour of the week, and how."""
        return [(hour, who, how) for name, hour, who, how in self.log if name == f"inc_{number}"]


def at(day: int, hour: int, minute: int = 0) -> int:
    """UTC; clocks in Berlin are an hour ahead."""
    return MONDAY + day * DAY + hour * HOUR + minute * MINUTE


def lived() -> Week:
    """All of it."""
    week = Week()
    week.happens(at(0, 9), brief(1))
    week.said(at(0, 9, 30), 1, WordKind.ACKNOWLEDGED)
    week.happens(at(0, 10), closed(brief(1)))
    # A night: one that lasts, one that does not, one that wakes somebody.
    week.happens(at(0, 22), brief(2))
    week.happens(at(0, 23), brief(3))
    week.happens(at(1, 1), closed(brief(3)))
    week.happens(at(1, 2), brief(4, Gravity.HIGH, ("pay",)))
    week.happens(at(1, 3), closed(brief(4, Gravity.HIGH, ("pay",))))
    # Wednesday noon the database is cleaned up.
    week.happens(at(2, 11, 30), brief(5, Gravity.MEDIUM, ("db",)))
    week.happens(at(2, 12, 30), closed(brief(5, Gravity.MEDIUM, ("db",))))
    # A cluster is down, and what runs in it.
    wide = brief(6, Gravity.HIGH, ("etcd",), scope="cluster", cluster="eu")
    week.happens(at(3, 9), wide)
    week.said(at(3, 9, 5), 6, WordKind.ACKNOWLEDGED)
    week.happens(at(3, 9, 6), brief(7, cluster="eu"))
    week.happens(at(3, 11), closed(brief(7, cluster="eu")))
    week.happens(at(3, 12), closed(wide))
    # Friday, a flood of little things, and then one that is not.
    for number in range(20, 60):
        week.happens(at(4, 9, number), brief(number, Gravity.LOW))
        week.happens(at(4, 10, number), closed(brief(number, Gravity.LOW)))
    grave = brief(60, Gravity.HIGH, ("pay", "cart", "web"), user_facing="true")
    week.happens(at(4, 15), grave)
    week.said(at(4, 15, 1), 60, WordKind.NO_INCIDENT)
    week.happens(at(4, 16), closed(replace(grave, count=3)))
    week.until(at(7, 0))
    return week


def test_a_week_of_incidents() -> None:
    """Each is told to the right people at the right time, or there is a reason."""
    week = lived()
    assert week.of(1) == [(9, "chat", "first"), (10, "chat", "update")]
    # Seven in Berlin is six in UTC.
    assert week.of(2) == [(30, "chat", "first")]
    assert week.of(3) == []
    assert "quiet hours night until 2026-11-24 06:00" in why_not(week.history, "inc_3", "chat")
    assert week.of(4) == [
        (26, "pager", "first"),
        (26, "lead", "escalated"),
        (27, "pager", "update"),
        (27, "lead", "update"),
    ]
    assert week.of(5) == []
    assert "maintenance vacuum" in why_not(week.history, "inc_5", "chat")
    assert week.of(6) == [(81, "pager", "first"), (84, "pager", "update")]
    assert week.of(7) == []
    assert "inc_6 lasts" in why_not(week.history, "inc_7", "chat")


def test_the_flood_leaves_room_for_what_is_grave() -> None:
    """The budget holds, and the worst of friday is told."""
    week = lived()
    assert week.of(60) == [(111, "pager", "first")]
    paid = [one for case in week.history.cases.values() for one in case.told if one.paid]
    assert len(paid) <= 6


def test_the_digest_of_the_week() -> None:
    """What was held is not lost."""
    week = lived()
    digest = digest_of(
        week.history, "shop", MONDAY, MONDAY + 7 * DAY, "https://serinus.example.org"
    )
    told = {name for name, _, _, _ in week.log}
    assert digest.told == len(told) <= 6
    assert digest.told + digest.held_count == len(week.history.cases) == 48
    assert {one.reason for one in digest.held} == {
        Held.QUIET,
        Held.MAINTENANCE,
        Held.INHIBITED,
        Held.BUDGET,
    }
    assert (digest.right, digest.wrong, digest.precision) == (2, 1, 2 / 3)
    assert digest.held[0].link.startswith("https://serinus.example.org/incidents/inc_")


def test_the_same_week_twice_is_the_same() -> None:
    """Nothing of it is chance."""
    assert lived().log == lived().log
