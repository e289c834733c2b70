"""What people said is looked up, shown, put in force when asked, and taken back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from detector.alerts.brief import Gravity
from detector.alerts.history import History as Told
from detector.alerts.history import WordKind
from detector.changes.change import ChangeKind, ChangePhase
from detector.changes.learned import LearnedRule, applied
from detector.changes.rollouts import SOURCE
from detector.errors import InputError
from detector.gate.decision import Action, Override
from detector.gate.verdict import Outcome
from detector.incidents.record import IncidentFilter
from detector.incidents.suspects import Ground
from detector.ports import Stores
from pipelines.flows.incidents import Incidents
from pipelines.flows.learning import Learning, Lesson, Signed
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.detector.alerts.test_learning import case
from tests.detector.incidents.making import CALLS, T0, change
from tests.detector.incidents.saying import DEFAULTS, History, lived
from tests.pipelines.flows.happening import Wire, anomaly

FLAG = ChangeKind.FLAG
DAY_S = 86_400.0
START, NOW = T0 / 1000 - DAY_S, T0 / 1000 + 61 * DAY_S
ADA = Signed(person="ada", reason="flags bite", at=NOW)


@cache
def risky() -> History:
    """Sixty days in which one flag of six or seven breaks something."""
    return lived(1, {**DEFAULTS, FLAG: 0.15}, days=60)


@dataclass(slots=True)
class Place:
    """A database of incidents, and what learns of it."""

    database: Database
    stores: Stores
    learning: Learning

    def live(self, history: History) -> None:
        """It happened, and people spoke."""
        live_in(self.database, self.stores, history)

    def lesson(self, tenant: str = "default", since: float = START) -> Lesson:
        """What it teaches."""
        return self.learning.look_back(tenant, since, NOW)


def live_in(database: Database, stores: Stores, history: History) -> None:
    """A history is what a database and a change log have kept."""
    kept = SqlIncidents(database)
    kept.keep((), [one.incident for one in history.kept], (), was=kept.heard(), events_heard=0)
    for one in history.kept:
        for word in one.said:
            kept.say("default", one.incident.id, word)
    stores.changes.add("default", [event for one in history.changes for event in one.events])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Empty."""
    database, stores = Database(tmp_path / "stream.db"), memory_stores()
    yield Place(database, stores, Learning(lambda: [SqlIncidents(database)], stores, bad={}))
    database.close()


def test_what_people_said_is_learned_and_changes_nothing(place: Place) -> None:
    """Whoever looks does no harm."""
    place.live(risky())
    lesson = place.lesson()
    assert lesson.found.is_better
    assert lesson.found.priors[FLAG] > 3 * DEFAULTS[FLAG]
    assert place.learning.suspicion("default").bad == DEFAULTS
    assert (lesson.versions, list(place.stores.audit.entries(limit=9))) == ((), [])


def test_what_is_applied_is_in_force_until_it_is_undone(place: Place) -> None:
    """And who did so is written down."""
    place.live(risky())
    made = place.learning.apply("default", START, ADA)
    assert place.learning.suspicion("default").bad[FLAG] == made.bad[FLAG] > 0.09
    assert place.learning.suspicion("other").bad == DEFAULTS
    place.learning.undo("default", Signed(person="bob", reason="no", at=NOW + 1))
    assert place.learning.suspicion("default").bad == DEFAULTS
    audit = [(one.person, one.action, one.subject) for one in place.stores.audit.entries(limit=9)]
    assert audit == [
        ("bob", Action.LEARN, "default version 2 undoes 1"),
        ("ada", Action.LEARN, "default version 1"),
    ]


def test_what_is_applied_is_not_learned_twice(place: Place) -> None:
    """The same words are evidence once: the fit is round the configuration, not the last fit."""
    place.live(risky())
    made = place.learning.apply("default", START, ADA)
    again = place.lesson()
    assert again.found.priors == made.bad
    assert not again.found.is_better
    assert again.found.before.loss < place.lesson().found.after.loss + 0.05


def test_what_is_not_better_is_not_applied(place: Place) -> None:
    """Unless somebody insists."""
    place.live(lived(2, DEFAULTS, days=10))
    with pytest.raises(InputError, match="not better"):
        place.learning.apply("default", START, ADA)
    assert place.learning.suspicion("default").bad == DEFAULTS
    assert place.learning.apply("default", START, ADA, force=True).version == 1


def test_without_a_word_there_is_nothing_to_apply(place: Place) -> None:
    """Not even by force."""
    place.live(lived(2, DEFAULTS, days=3, spoken=0.0))
    with pytest.raises(InputError, match="nobody said anything"):
        place.learning.apply("default", START, ADA, force=True)


def test_tenants_and_spans_are_apart(place: Place) -> None:
    """Nobody learns of what is not theirs, or long over."""
    place.live(lived(2, DEFAULTS, days=3))
    assert place.lesson().found.spoken > 0
    assert place.lesson(tenant="other").found.spoken == 0
    assert place.lesson(since=NOW - DAY_S).found.spoken == 0


def test_rules_that_tell_what_is_none_are_named(place: Place) -> None:
    """By what was told of which incident, and what people said of it."""
    told = [case(T0 + n, Gravity.LOW, WordKind.NO_INCIDENT) for n in range(45)]
    history = Told(cases={one.id: one for one in told})
    SqlIncidents(place.database).keep_told(1, {"default": history})
    (cut,) = place.lesson().cuts
    assert (cut.route, cut.least, cut.is_better) == ("service=cart", Gravity.MEDIUM, True)
    assert place.lesson(tenant="other").cuts == ()


def noisy(place: Place) -> None:
    """A rule that told 45 slight ones, none of which was an incident."""
    told = [case(T0 + n, Gravity.LOW, WordKind.NO_INCIDENT) for n in range(45)]
    history = Told(cases={one.id: one for one in told})
    SqlIncidents(place.database).keep_told(1, {"default": history})


def test_a_rule_tells_from_another_severity_on_until_that_is_undone(place: Place) -> None:
    """Named, audited, and only for whom it was applied; chances of kinds stay as they are."""
    noisy(place)
    assert place.learning.rules("default") == {}
    made = place.learning.apply("default", START, ADA)
    assert (made.bad, made.rules) == (
        {},
        (LearnedRule(route="service=cart", receiver="chat", least=Gravity.MEDIUM),),
    )
    assert place.learning.rules("default") == {("service=cart", "chat"): Gravity.MEDIUM}
    assert place.learning.rules("other") == {}
    assert place.learning.suspicion("default").bad == DEFAULTS
    undone = place.learning.undo("default", Signed(person="bob", reason="no", at=NOW + 1))
    assert (undone.undoes, place.learning.rules("default")) == (1, {})
    assert [one.subject for one in place.stores.audit.entries(limit=9)] == [
        "default version 2 undoes 1",
        "default version 1",
    ]
    with pytest.raises(InputError, match="nothing to undo"):
        place.learning.undo("default", Signed(person="bob", reason="no", at=NOW + 2))


def test_a_rule_that_was_learned_stays_where_another_thing_is(place: Place) -> None:
    """What it tells no more would teach nothing of it any more."""
    noisy(place)
    place.learning.apply("default", START, ADA)
    SqlIncidents(place.database).keep_told(2, {"default": Told()})
    place.live(risky())
    made = place.learning.apply("default", START, replace(ADA, at=NOW + 1))
    assert made.bad[FLAG] > 0.09
    assert [one.least for one in made.rules] == [Gravity.MEDIUM]
    place.learning.undo("default", Signed(person="bob", reason="no", at=NOW + 2))
    assert place.learning.suspicion("default").bad == DEFAULTS
    assert place.learning.rules("default") == {("service=cart", "chat"): Gravity.MEDIUM}


def test_the_configuration_is_what_learning_begins_with(place: Place) -> None:
    """A team that knows its flags says so, and few words do not take that back."""
    told = Learning(list, place.stores, bad={FLAG: 0.2})
    assert told.suspicion("default").bad == {**DEFAULTS, FLAG: 0.2}
    assert told.look_back("default", START, NOW).found.priors == {}


def test_who_decides_over_a_verdict_labels_the_rollout(place: Place) -> None:
    """It failed by a person's word, and counts as a bad deployment."""
    one = change("cart", 5, phase=ChangePhase.STARTED)
    (event,) = one.events
    place.stores.changes.add("default", [replace(event, source=SOURCE, subject="att_1")])
    decided = Override(
        attempt="att_1", outcome=Outcome.FAIL, person="ada", reason="", at=1.0, until=2.0
    )
    place.stores.overrides.add(decided)
    (kind,) = [k for k in place.lesson().found.kinds if k.kind is ChangeKind.DEPLOYMENT]
    assert (kind.tally.bad, kind.tally.good) == (1, 0)
    assert kind.after > kind.default


def test_incidents_are_ranked_by_what_is_in_force(place: Place) -> None:
    """A running correlation hears of it within a minute, without a restart."""
    clock = [T0 / 1000]
    place.stores.changes.add("default", change("cart", 88, FLAG).events)
    made = Incidents(
        place.database,
        changes=place.stores.changes,
        calls=lambda _: CALLS,
        clock=lambda: clock[0],
        suspicion=place.learning.suspicion,
    )
    wire = Wire(place.database)

    def weight(minute: float) -> float:
        """How much an incident of a minute makes of its being a flag."""
        clock[0] = T0 / 1000 + 60 * (minute + 2)
        while made.look():
            pass
        wire.tell(anomaly("cart", minute, until=minute + 1))
        while made.look():
            pass
        (newest, *_) = SqlIncidents(place.database).list(IncidentFilter(tenant="default")).incidents
        (suspect,) = newest.incident.suspects.suspects
        return next(one.weight for one in suspect.reasons if one.ground is Ground.KIND)

    assert weight(90) == pytest.approx(math.log(DEFAULTS[FLAG]))
    chosen = applied([], {FLAG: 0.5}, person="ada", reason="", at=clock[0])
    place.stores.learned.add("default", chosen)
    assert weight(200) == pytest.approx(math.log(0.5))
