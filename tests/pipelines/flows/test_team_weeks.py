"""A team reads its week once, whoever dies, whoever else tells it, and only when it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from detector.alerts.brief import Gravity
from detector.alerts.history import Case
from detector.alerts.settings import AlertRules, Budget
from detector.alerts.settings import Route as Tree
from detector.explain.weekly import WeeklyAt
from detector.gate.telling import DeliveryState, Notice, NoticeKind, Route, Settled
from detector.incidents.record import Said, SaidKind
from detector.ports import Stores
from pipelines.flows.incident_notices import IncidentNotices
from pipelines.flows.incidents import Incidents
from pipelines.flows.team_weeks import TeamWeeks, histories_of
from pipelines.notify.rounds import Rounds, Week
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory import memory_stores
from pipelines.stores.memory_changes import MemoryChanges
from pipelines.stores.sqlite import Database
from tests.detector.incidents.making import CALLS
from tests.pipelines.flows.happening import T0, Wire, anomaly

DAY_S = 86_400.0
MONDAY = WeeklyAt(day=0, hour=9, minute=0)
# The first one after the incidents of these tests.
DUE = MONDAY.after(T0 / 1000)
ROUTES = (Route(name="chat"), Route(name="pager", kinds=frozenset({NoticeKind.INCIDENT})))
RULES = AlertRules(
    route=Tree(
        receiver="chat", team="shop", routes=(Tree(receiver="pager", severity=Gravity.HIGH),)
    ),
    budgets={"shop": Budget(a_week=1)},
)


@dataclass(slots=True)
class Base:
    """A database with incidents, and the processes that make and tell them."""

    database: Database
    stores: Stores
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.database)
        self.correlate(T0 / 1000)
        self.tell(T0 / 1000)

    @property
    def incidents(self) -> SqlIncidents:
        """As they are kept."""
        return SqlIncidents(self.database)

    def happen(self, hour: float, *services: str, told: bool = True) -> None:
        """They are odd, and whom the rules say hears of it."""
        for service in services:
            self.wire.tell(anomaly(service, 60 * hour))
        now = T0 / 1000 + 3600 * hour + 60
        self.correlate(now)
        if told:
            self.tell(now)

    def correlate(self, now: float) -> None:
        """Make incidents of what is new."""
        made = Incidents(
            self.database, changes=MemoryChanges(), calls=lambda _: CALLS, clock=lambda: now
        )
        while made.look():
            pass

    def tell(self, now: float) -> None:
        """Decide who hears of it."""
        outbox = self.stores.outbox
        notices = IncidentNotices(self.database, outbox, ROUTES, rules=RULES, clock=lambda: now)
        while notices.look():
            pass


@dataclass(slots=True)
class Place:
    """The databases of a stream and of workers, and one outbox."""

    stream: Base
    workers: Base
    stores: Stores
    told: list[Notice] = field(default_factory=list)

    def turn(self, at: float) -> None:
        """A process begins, looks round once, and is killed."""
        assert RULES.route is not None
        weeks = TeamWeeks(
            stores=lambda: [self.stream.incidents, self.workers.incidents],
            tree=RULES.route,
            routes=ROUTES,
            moment=MONDAY,
            clock=lambda: at,
            public_url="https://serinus.example.org",
        )
        rounds = Rounds(stores=self.stores, clock=lambda: at, routes=ROUTES)
        rounds.weeks.append(Week(moment=MONDAY, posts=weeks.posts))
        rounds.turn()

    def digests(self, to: str = "chat") -> list[Notice]:
        """Weekly notices that one is to be told."""
        while got := self.stores.outbox.claim(to, now=1e12, lease_s=1e12, most=1):
            self.told += [one.notice for one in got]
            done = Settled(state=DeliveryState.SENT, at=1.0)
            self.stores.outbox.settle(got[0], done)
        return [one for one in self.told if one.kind is NoticeKind.WEEKLY]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Nothing happened yet."""
    stores = memory_stores()
    one, other = Database(tmp_path / "a.db"), Database(tmp_path / "b.db")
    yield Place(Base(one, stores), Base(other, stores), stores)
    one.close()
    other.close()


def test_a_team_reads_what_it_was_told_and_what_not(place: Place) -> None:
    """Of both databases together, with whether people took it for an incident."""
    place.stream.happen(1, "cart")
    place.stream.happen(30, "mail")
    place.workers.happen(2, "web")
    (id,) = (one for one, case in _cases(place.stream) if case.told)
    word = Said(at=T0 + 1, kind=SaidKind.CAUSED_BY, person="ada", change="chg_1")
    place.stream.incidents.say("default", id, word)
    place.stream.tell(T0 / 1000 + 7200)
    place.turn(DUE + 60)
    (notice,) = place.digests()
    digest = notice.digest
    assert digest is not None
    assert (digest.team, digest.told, digest.held_count) == ("shop", 2, 1)
    assert (digest.right, digest.wrong, digest.rules[0].traced) == (1, 0, 1)
    assert digest.held[0].link.startswith("https://serinus.example.org/incidents/inc_")
    assert "which is its budget" in digest.held[0].words


def test_it_is_told_once_over_restarts_and_replicas(place: Place) -> None:
    """Each replica makes it, each restart again; the outbox knows it by its name."""
    place.stream.happen(1, "cart")
    for late in (5, 60, 3600, 5 * DAY_S):
        place.turn(DUE + late)
    assert len(place.digests()) == 1
    place.turn(DUE + 6 * DAY_S)
    assert len(place.digests()) == 1


def test_not_before_it_is_due_and_late_rather_than_never(place: Place) -> None:
    """Who was away over the weekend sends it on thursday, as news of that day."""
    place.stream.happen(1, "cart")
    place.turn(DUE - 60)
    assert place.digests() == []
    place.turn(DUE + 3 * DAY_S)
    (notice,) = place.digests()
    assert notice.at == DUE + 3 * DAY_S


def test_a_week_without_incidents_says_nothing(place: Place) -> None:
    """Nor does that before the first."""
    place.turn(DUE + 60)
    place.stream.happen(1, "cart")
    place.turn(T0 / 1000 + 7200)
    place.turn(DUE + 7 * DAY_S + 60)
    assert place.digests() == []


def test_a_pager_is_not_paged_for_a_week(place: Place) -> None:
    """It does not want weekly notices."""
    place.stream.happen(1, "cart")
    place.turn(DUE + 60)
    assert place.digests("pager") == []


def test_the_week_waits_until_all_of_it_is_told(place: Place) -> None:
    """A process that was away tells what happened first; else the week would lack it for ever."""
    place.stream.happen(1, "cart", told=False)
    place.turn(DUE + 60)
    assert place.digests() == []
    place.stream.tell(DUE + 61)
    place.turn(DUE + 120)
    (notice,) = place.digests()
    assert notice.digest is not None
    assert notice.digest.told + notice.digest.held_count == 1


def test_tenants_have_weeks_of_their_own(place: Place) -> None:
    """They share the rules, and nothing else."""
    place.stream.wire.tell(anomaly("cart", 60, tenant="other"))
    place.stream.happen(1, "cart")
    place.turn(DUE + 60)
    assert sorted(one.tenant for one in place.digests()) == ["default", "other"]
    assert len(histories_of([place.stream.incidents])) == 2


def _cases(base: Base) -> list[tuple[str, Case]]:
    return list(base.incidents.histories()["default"].cases.items())
