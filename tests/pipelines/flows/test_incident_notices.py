"""What is told of incidents reaches the outbox once, whoever dies, and only who wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from detector.alerts.brief import Gravity
from detector.alerts.plan import why_not
from detector.alerts.settings import AlertRules, Budget, Escalation, Step
from detector.alerts.settings import Route as Tree
from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from detector.errors import StoreError
from detector.gate.telling import DeliveryState, Errand, Notice, NoticeKind, Post, Route, Settled
from detector.incidents.record import Said, SaidKind
from detector.stream.anomaly import Anomaly, Severity
from pipelines.flows.incident_notices import IncidentNotices
from pipelines.flows.incidents import Incidents
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory_changes import MemoryChanges
from pipelines.stores.memory_outbox import MemoryOutbox
from pipelines.stores.sqlite import Database
from tests.detector.incidents.making import CALLS
from tests.pipelines.flows.happening import MINUTE, T0, Wire, anomaly

ALL = Route(name="chat")


class Breaking(MemoryOutbox):
    """An outbox whose database is away for one call."""

    is_away = False

    def put(self, posts: Sequence[Post]) -> None:
        """Once not."""
        if self.is_away:
            self.is_away = False
            raise StoreError("the outbox is away")
        super().put(posts)


@dataclass(slots=True)
class Scene:
    """A database with incidents, and an outbox."""

    database: Database
    routes: tuple[Route, ...] = (ALL,)
    rules: AlertRules | None = None
    outbox: Breaking = field(default_factory=Breaking)
    log: MemoryChanges = field(default_factory=MemoryChanges)
    now: float = T0 / 1000
    learned: dict[tuple[str, str], Gravity] = field(default_factory=dict)
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.database)
        self.correlate()
        self.tell()

    def correlate(self) -> None:
        """Make incidents of what is new."""
        made = Incidents(
            self.database, changes=self.log, calls=lambda _: CALLS, clock=lambda: self.now
        )
        while made.look():
            pass

    def tell(self) -> None:
        """A process tells what is new."""
        notices = IncidentNotices(
            self.database,
            self.outbox,
            self.routes,
            rules=self.rules,
            clock=lambda: self.now,
            learned=lambda _: self.learned,
        )
        while notices.look():
            pass

    def happen(self, minute: float, *anomalies: Anomaly) -> None:
        """They happen, and it is so late."""
        self.wire.tell(*anomalies)
        self.now = T0 / 1000 + 60 * minute
        self.correlate()

    def say(self, kind: SaidKind, until: float | None = None) -> None:
        """Of the newest incident."""
        store = SqlIncidents(self.database)
        incident = store.events(0, 100)[-1].event.incident
        end = None if until is None else T0 + round(MINUTE * until)
        store.say("default", incident.id, Said(at=T0, kind=kind, person="ada", until=end))

    def errands(self, to: str = "chat") -> list[Errand]:
        """All that one is to be told, as it would be sent: one of a thread after the other."""
        found: list[Errand] = []
        while got := self.outbox.claim(to, now=1e12, lease_s=60, most=1):
            self.outbox.settle(got[0], Settled(state=DeliveryState.SENT, at=1.0))
            found += got
        return found

    def told(self, to: str = "chat") -> list[str]:
        """Why each was told."""
        briefs = [errand.notice.incident for errand in self.errands(to)]
        return [brief.why for brief in briefs if brief is not None]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Nothing happened yet."""
    database = Database(tmp_path / "stream.db")
    yield Scene(database)
    database.close()


@pytest.mark.parametrize("rules", [None, AlertRules(route=Tree(receiver="chat"))])
def test_what_comes_again_after_hours_is_a_thread_of_its_own(
    scene: Scene, rules: AlertRules | None
) -> None:
    """Nobody reads on in the thread of this morning, and its news would wake nobody."""
    scene.rules = rules
    scene.happen(1, anomaly("db"))
    scene.happen(2, anomaly("db", until=1))
    for minute in (7, 60):
        scene.happen(minute)
    scene.tell()
    scene.happen(181, anomaly("db", again=180))
    scene.tell()
    briefs = [errand.notice for errand in scene.errands()]
    assert [one.incident.why for one in briefs if one.incident] == ["opened", "resolved", "opened"]
    assert len({one.thread for one in briefs}) == 2


def test_an_incident_is_a_thread_that_opens_and_ends(scene: Scene) -> None:
    """In its order, each once."""
    scene.happen(1, anomaly("db"))
    scene.tell()
    scene.happen(30, anomaly("db", until=10))
    scene.tell()
    errands = scene.errands()
    assert [errand.notice.incident.why for errand in errands if errand.notice.incident] == [
        "opened", "resolved",
    ]  # fmt: skip
    assert len({errand.notice.thread for errand in errands}) == 1
    assert [errand.notice.nth for errand in errands] == sorted(
        errand.notice.nth for errand in errands
    )


def test_it_says_what_it_comes_of_and_what_to_do(scene: Scene) -> None:
    """In the first message."""
    event = ChangeEvent(
        source="/argo-rollouts/shop/db", id="7", subject="7", at=T0 - 3 * MINUTE,
        kind=ChangeKind.DEPLOYMENT, phase=ChangePhase.SUCCEEDED, place=Place(service="db"),
        version="v2",
    )  # fmt: skip
    scene.log.add("default", [event])
    scene.happen(1, anomaly("db"))
    scene.tell()
    (errand,) = scene.errands()
    notice: Notice = errand.notice
    assert (notice.kind, notice.title) == (NoticeKind.INCIDENT, "db")
    assert "Likely the deployment of db to v2 at 14:10 UTC" in notice.text
    assert notice.advice == "kubectl argo rollouts undo db --namespace shop"


def test_what_could_not_be_put_is_put_later_and_once(scene: Scene) -> None:
    """The outbox is another database, which may be away while this one is not."""
    scene.happen(1, anomaly("db"))
    scene.outbox.is_away = True
    with pytest.raises(StoreError):
        scene.tell()
    scene.tell()
    scene.tell()
    assert scene.told() == ["opened"]


def test_a_crash_between_both_databases_tells_nothing_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same notice is put again, and is known."""

    def crash(*_: object) -> None:
        raise StoreError("killed")

    scene.happen(1, anomaly("db"))
    with monkeypatch.context() as patched:
        patched.setattr(SqlIncidents, "keep_told", crash)
        with pytest.raises(StoreError):
            scene.tell()
    scene.tell()
    assert scene.told() == ["opened"]


def test_incidents_of_before_the_first_start_are_not_told(tmp_path: Path) -> None:
    """Who upgrades is not flooded."""
    database = Database(tmp_path / "stream.db")
    made = Incidents(
        database, changes=MemoryChanges(), calls=lambda _: CALLS, clock=lambda: T0 / 1000
    )
    made.look()
    Wire(database).tell(anomaly("db"))
    made.look()
    outbox = MemoryOutbox()
    notices = IncidentNotices(database, outbox, (ALL,))
    while notices.look():
        pass
    assert SqlIncidents(database).newest() == 1
    assert not outbox.claim("chat", now=1e12, lease_s=60, most=1)
    database.close()


@pytest.mark.parametrize(
    ("route", "is_told"),
    [
        (Route(name="chat", services=("db",)), True),
        (Route(name="chat", services=("cart",)), True),
        (Route(name="chat", services=("bank",)), False),
        (Route(name="chat", severity=Gravity.HIGH), False),
        (Route(name="chat", severity=Gravity.MEDIUM), True),
        (Route(name="chat", kinds=frozenset({NoticeKind.FAIL})), False),
    ],
)
def test_who_wants_to_hear_of_it_does(scene: Scene, route: Route, *, is_told: bool) -> None:
    """By service, by severity, and by kind of notice."""
    scene.routes = (route,)
    scene.happen(2, anomaly("db", severity=Severity.MEDIUM), anomaly("cart", 1))
    scene.tell()
    assert bool(scene.told()) is is_told


def test_who_snoozed_it_hears_of_it_when_the_snooze_or_the_incident_is_over(scene: Scene) -> None:
    """Not of what happens in between."""
    scene.happen(1, anomaly("db"))
    scene.tell()
    scene.say(SaidKind.SNOOZED, until=20)
    scene.happen(3, anomaly("cart", 2))
    scene.tell()
    assert scene.told() == ["opened", "said"]
    scene.happen(12, anomaly("db", until=5), anomaly("cart", 2, until=6))
    scene.tell()
    assert scene.told() == ["resolved"]


def test_what_was_no_incident_is_not_told_of_again(scene: Scene) -> None:
    """A person has said so."""
    scene.happen(1, anomaly("db"))
    scene.tell()
    scene.say(SaidKind.NO_INCIDENT)
    scene.happen(3, anomaly("cart", 2))
    scene.happen(12, anomaly("db", until=5), anomaly("cart", 2, until=6))
    scene.tell()
    assert scene.told() == ["opened", "said"]


def ruled(scene: Scene, **more: object) -> None:
    """Everything goes to the chat by a rule; the pager has to be named by one."""
    scene.routes = (ALL, Route(name="pager"))
    tree = Tree(receiver="chat", team="shop", escalation="night")
    steps = (Step(after_s=600, receiver="pager"),)
    night = Escalation(steps=steps)
    scene.rules = AlertRules(route=tree, escalations={"night": night}, **more)  # type: ignore[arg-type]


def test_rules_say_who_is_told(scene: Scene) -> None:
    """A notifier that wants all is told nothing that no route leads to it."""
    ruled(scene)
    scene.happen(1, anomaly("db"))
    scene.tell()
    assert (scene.told("chat"), scene.told("pager")) == (["opened"], [])


def test_who_is_next_is_told_where_nobody_is_at_it(scene: Scene) -> None:
    """Once, also by a process that began meanwhile."""
    ruled(scene)
    scene.happen(1, anomaly("db"))
    scene.tell()
    scene.happen(12)
    for _ in range(3):
        scene.tell()
    assert scene.told("pager") == ["due"]


def test_who_is_at_it_is_not_passed_over(scene: Scene) -> None:
    """Said by a button, on a page or in a terminal."""
    ruled(scene)
    scene.happen(1, anomaly("db"))
    scene.tell()
    scene.say(SaidKind.ACKNOWLEDGED)
    scene.happen(12)
    scene.tell()
    assert (scene.told("chat"), scene.told("pager")) == (["opened", "said"], [])


def test_a_budget_holds_back_what_is_worth_less_and_says_so(scene: Scene) -> None:
    """Never more in a week; who asks is told why."""
    ruled(scene, budgets={"shop": Budget(a_week=2)})
    for hour in range(6):
        scene.happen(60 * hour + 1, anomaly("mail", 60 * hour, severity=Severity.LOW))
        over = anomaly("mail", 60 * hour, until=60 * hour + 2, severity=Severity.LOW)
        scene.happen(60 * hour + 40, over)
        scene.tell()
    heard = scene.told("chat")
    assert heard.count("opened") == heard.count("resolved") <= 2
    store = SqlIncidents(scene.database)
    last = store.events(0, 1000)[-1].event.incident
    assert "incidents a week" in why_not(store.histories()["default"], last.id, "chat")


def test_what_was_decided_outlives_a_crash_before_it_is_kept(scene: Scene) -> None:
    """The outbox was away: it is decided anew, and told once."""
    ruled(scene)
    scene.happen(1, anomaly("db"))
    scene.outbox.is_away = True
    with pytest.raises(StoreError):
        scene.tell()
    scene.tell()
    assert scene.told("chat") == ["opened"]


def test_what_a_rule_was_taught_not_to_tell_it_tells_once_it_is_graver(scene: Scene) -> None:
    """By a lesson that a person applied; who asks is told of it."""
    ruled(scene)
    scene.learned = {("", "chat"): Gravity.HIGH}
    scene.happen(1, anomaly("mail", severity=Severity.LOW))
    scene.tell()
    assert scene.told("chat") == []
    store = SqlIncidents(scene.database)
    (told,) = store.events(0, 1000)
    words = why_not(store.histories()["default"], told.event.incident.id, "chat")
    assert "below high hardly any that this rule told was an incident" in words
    scene.happen(2, anomaly("mail", severity=Severity.HIGH))
    scene.tell()
    assert scene.told("chat") == ["grew"]
