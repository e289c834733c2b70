"""Incidents as a process makes them of what its stream tells: each once, whatever dies between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from detector.errors import StoreError
from detector.incidents.calls import CallMap
from detector.incidents.incident import Incident, IncidentState
from detector.incidents.record import IncidentFilter
from detector.stream.anomaly import Anomaly, Ending
from pipelines.flows.incidents import Incidents
from pipelines.stores import schema
from pipelines.stores.connections import Connections
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory_changes import MemoryChanges
from pipelines.stores.postgres import PostgresDatabase
from pipelines.stores.sqlite import Database
from tests.detector.incidents.making import CALLS, symptom
from tests.pipelines.flows.happening import MINUTE, T0, Wire, anomaly
from tests.servers import running_postgres


@dataclass(slots=True)
class Scene:
    """A database, whoever correlates on it, and a clock that is moved by hand."""

    database: Connections
    log: MemoryChanges = field(default_factory=MemoryChanges)
    now: float = T0 / 1000
    calls: CallMap = CALLS

    def process(self) -> Incidents:
        """One that begins now."""
        return Incidents(
            self.database, changes=self.log, calls=lambda _: self.calls, clock=lambda: self.now
        )

    def tell(self, *anomalies: Anomaly) -> None:
        """The stream tells of them."""
        self.wire.tell(*anomalies)

    def at(self, minute: float) -> None:
        """It is so late now."""
        self.now = max(self.now, T0 / 1000 + 60 * minute)

    def kept(self, tenant: str = "default") -> list[Incident]:
        """The oldest first."""
        page = SqlIncidents(self.database).list(IncidentFilter(tenant=tenant))
        return [one.incident for one in reversed(page.incidents)]

    def told(self) -> list[str]:
        """What is to be told, in order."""
        return [one.event.kind.value for one in SqlIncidents(self.database).events(0, 1000)]

    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.database)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An empty one."""
    database = Database(tmp_path / "stream.db")
    yield Scene(database)
    database.close()


def settled(process: Incidents) -> None:
    """It looks until there is nothing more."""
    while process.look():
        pass


def deployed(service: str, minute: float) -> ChangeEvent:
    """A deployment of a service."""
    return ChangeEvent(
        source="/argo",
        id=f"{service}/{minute}",
        subject=f"{service}/{minute}",
        at=T0 + round(MINUTE * minute),
        kind=ChangeKind.DEPLOYMENT,
        phase=ChangePhase.SUCCEEDED,
        place=Place(service=service),
    )


def test_an_outage_is_one_incident_that_opens_grows_and_ends(scene: Scene) -> None:
    """From the events of the stream to what is told of it."""
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"), anomaly("cart", 1))
    scene.at(2)
    settled(process)
    scene.tell(anomaly("db", until=10), anomaly("cart", 1, until=11))
    scene.at(20)
    settled(process)
    (incident,) = scene.kept()
    assert (incident.services, incident.state) == (("db", "cart"), IncidentState.RESOLVED)
    assert incident.resolved_at == T0 + 11 * MINUTE
    assert scene.told() == ["opened", "grew", "resolved"]
    assert incident.symptoms[0].text.startswith("shop/db: errors rose to 40")


def test_the_change_before_it_is_its_suspect(scene: Scene) -> None:
    """Known from the first message on."""
    scene.log.add("default", [deployed("db", -2), deployed("mail", -3)])
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"))
    settled(process)
    first = SqlIncidents(scene.database).events(0, 1)[0].event.incident
    suspect = first.suspects.suspects[0]
    assert (suspect.change.place.service, suspect.probability > 0.9) == ("db", True)


def test_a_change_that_is_told_late_becomes_its_suspect(scene: Scene) -> None:
    """Webhooks come when they come."""
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"))
    settled(process)
    scene.log.add("default", [deployed("db", -2)])
    scene.at(1)
    settled(process)
    (incident,) = scene.kept()
    assert incident.suspects.suspects[0].change.place.service == "db"
    assert scene.told() == ["opened", "suspect"]


def test_what_comes_again_after_hours_is_another_incident_of_what_changed_since(
    scene: Scene,
) -> None:
    """Also where a process begins anew in between: the deployment before it is its suspect."""
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"))
    settled(process)
    scene.tell(anomaly("db", until=10))
    for minute in (11, 16, 60):
        scene.at(minute)
        settled(process)
    scene.log.add("default", [deployed("db", 178)])
    scene.at(181)
    scene.tell(anomaly("db", again=180))
    settled(process)
    scene.tell(anomaly("db", again=180, until=185))
    scene.at(200)
    settled(scene.process())
    first, second = scene.kept()
    assert scene.told() == ["opened", "resolved", "opened", "resolved"]
    assert (first.began, first.resolved_at) == (T0, T0 + 10 * MINUTE)
    assert (second.began, second.resolved_at) == (T0 + 180 * MINUTE, T0 + 185 * MINUTE)
    assert not first.suspects.suspects
    assert second.suspects.suspects[0].probability > 0.9


def test_what_happened_before_the_first_start_is_not_told(scene: Scene) -> None:
    """An upgrade would wake people for the anomalies of the last month."""
    scene.tell(anomaly("db"))
    process = scene.process()
    settled(process)
    scene.tell(anomaly("mail", 1))
    settled(process)
    assert [one.services for one in scene.kept()] == [("mail",)]


def test_what_somebody_called_normal_is_taken_out(scene: Scene) -> None:
    """The incident that was only that is over."""
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"))
    settled(process)
    scene.tell(anomaly("db", until=1, ending=Ending.FEEDBACK))
    settled(process)
    assert scene.told() == ["opened", "resolved"]


def test_tenants_have_incidents_of_their_own(scene: Scene) -> None:
    """Of the same services at the same time."""
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"), anomaly("db", tenant="other"))
    settled(process)
    assert [len(scene.kept(tenant)) for tenant in ("default", "other")] == [1, 1]


def test_two_processes_on_one_database_tell_everything_once(scene: Scene) -> None:
    """Replicas of `serve` beside workers."""
    one, other = scene.process(), scene.process()
    settled(one)
    for minute in range(6):
        scene.tell(anomaly("db", minute))
        scene.at(minute)
        for process in (one, other) if minute % 2 else (other, one):
            settled(process)
    (incident,) = scene.kept()
    assert (incident.count, scene.told()) == (6, ["opened"])


@pytest.mark.real
def test_replicas_on_a_real_postgresql_tell_everything_once() -> None:
    """At the same time: what one keeps the others have heard."""
    with running_postgres() as server, closing(PostgresDatabase(server.database("i"))) as database:
        scene = Scene(database)
        settled(scene.process())
        scene.tell(*(anomaly(service, 0.1 * n) for n, service in enumerate(("db", "cart", "web"))))
        scene.at(1)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(settled, [scene.process() for _ in range(4)]))
        scene.tell(*(anomaly(one, 0.1 * n, until=2) for n, one in enumerate(("db", "cart", "web"))))
        scene.at(30)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(settled, [scene.process() for _ in range(4)]))
        (incident,) = scene.kept()
        told = scene.told()
    assert (incident.count, incident.state) == (3, IncidentState.RESOLVED)
    assert told == ["opened", "grew", "grew", "resolved"]


def test_two_processes_end_an_incident_once(scene: Scene) -> None:
    """Time alone does it, of which both have heard."""
    one, other = scene.process(), scene.process()
    settled(one)
    scene.tell(anomaly("db"), anomaly("db", until=1))
    for process in (one, other):
        settled(process)
    scene.at(30)
    for process in (one, other):
        settled(process)
    assert scene.told() == ["opened", "resolved"]


def test_what_another_alerting_tells_is_a_part_of_the_incident(scene: Scene) -> None:
    """Its alerts are symptoms as anomalies are."""
    process = scene.process()
    settled(process)
    alert = symptom("cart", 1, id="alert_1", metric="HighErrorRate", text="HighErrorRate: 12 %")
    scene.tell(anomaly("db"))
    SqlIncidents(scene.database).receive("default", [alert])
    scene.at(2)
    settled(process)
    (incident,) = scene.kept()
    assert [one.id for one in incident.symptoms][1:] == ["alert_1"]
    assert not SqlIncidents(scene.database).received(1)


def test_what_could_not_be_kept_is_heard_again(scene: Scene) -> None:
    """A full disk between hearing and keeping loses no incident, and doubles none."""
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"))
    assert isinstance(scene.database, Database)
    schema.incident_events.drop(scene.database.engine)
    with pytest.raises(StoreError):
        settled(process)
    schema.incident_events.create(scene.database.engine)
    settled(process)
    assert ([one.count for one in scene.kept()], scene.told()) == ([1], ["opened"])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["db", "cart", "web", "mail"]),
        st.integers(0, 40),
        st.one_of(st.none(), st.integers(1, 30)),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda step: step[:2],
)


@given(STEPS)
@settings(max_examples=15, deadline=None)
def test_a_process_that_dies_after_any_step_leaves_no_trace(
    steps: list[tuple[str, int, int | None, bool]],
) -> None:
    """The incidents are those of a process that lived through."""
    with TemporaryDirectory() as folder:
        found = [_lived(Path(folder) / name, steps, dies=dies) for name, dies in _LIVES]
    assert found[0] == found[1]


_LIVES = (("through", False), ("died", True))


def _lived(
    folder: Path, steps: list[tuple[str, int, int | None, bool]], *, dies: bool
) -> tuple[list[Incident], list[str]]:
    database = Database(folder / "stream.db")
    scene = Scene(database)
    process = scene.process()
    settled(process)
    for service, minute, lasts, is_death in sorted(steps, key=lambda step: step[1]):
        scene.at(minute)
        told = anomaly(service, minute)
        scene.tell(told)
        settled(process)
        if lasts is not None:
            scene.at(minute + lasts)
            scene.tell(anomaly(service, minute, until=minute + lasts))
            settled(process)
        process = scene.process() if dies and is_death else process
    scene.at(200)
    settled(process)
    found = scene.kept(), scene.told()
    database.close()
    return found


def test_it_is_the_same_incident_under_the_same_name_everywhere(scene: Scene) -> None:
    """A link in a chat leads to it after all is computed anew."""
    process = scene.process()
    settled(process)
    scene.tell(anomaly("db"))
    settled(process)
    (first,) = scene.kept()
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "stream.db")
        elsewhere = Scene(database)
        settled(elsewhere.process())
        elsewhere.tell(anomaly("db"))
        settled(elsewhere.process())
        (other,) = elsewhere.kept()
        database.close()
    assert other.id == first.id
