"""Old anomalies go with all that was said of them, a bounded part at a time; the others stay."""

from __future__ import annotations

from dataclasses import replace

from detector.incidents.correlator import Correlator
from detector.incidents.record import IncidentFilter
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import Happened, Happening, Judged
from detector.stream.record import KeptFeedback
from pipelines.stores.anomalies import SqlAnomalies
from pipelines.stores.connections import Connections
from pipelines.stores.events import SqlEvents, Told, add_event
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.retention import Retention
from tests.detector.incidents.making import symptom
from tests.pipelines.stores.test_anomalies import CLOSED, OPEN, SERIES, T0, ids, tell

DAY_MS = 86_400_000
NOW = T0 / 1000


def closed(name: str, days_ago: float) -> tuple[int, object]:
    """An anomaly that ended so long ago."""
    end = T0 - round(days_ago * DAY_MS)
    return T0, replace(CLOSED, id=name, start=end - 60_000, end=end)


def test_what_ended_long_ago_goes_and_the_rest_stays(database: Connections) -> None:
    """To the millisecond; one that lasts stays whenever it began."""
    lasting = replace(OPEN, id="an_lasting", start=T0 - 900 * DAY_MS)
    told = [closed("an_old", 10.5), closed("an_edge", 10.0), closed("an_new", 1)]
    store = tell(database, *told, (T0, lasting))  # type: ignore[arg-type]
    gone = Retention(database, keep_s=10 * 86_400).forget(NOW, most=100)
    assert gone == 1
    assert ids(store) == ["an_new", "an_edge", "an_lasting"]


def test_what_was_said_of_it_goes_with_it(database: Connections) -> None:
    """A note about something that is gone is nobody's."""
    store = tell(database, closed("an_old", 11), closed("an_new", 1))  # type: ignore[arg-type]
    said = KeptFeedback(at=T0, judged=Judged.REAL, person="ada", note="")
    for name in ("an_old", "an_new"):
        store.say(name, said)
    Retention(database, keep_s=10 * 86_400).forget(NOW, most=100)
    tell(database, closed("an_old", 1))  # type: ignore[arg-type]
    assert store.get("default", "an_old").feedback == ()
    assert store.get("default", "an_new").feedback == (said,)


def test_a_round_has_an_end(database: Connections) -> None:
    """After a year without one the store is not held up by all of it; the oldest go first."""
    tell(database, *(closed(f"an_{n}", 11 + n) for n in range(7)))  # type: ignore[arg-type]
    retention = Retention(database, keep_s=10 * 86_400)
    assert retention.forget(NOW, most=3) == 3
    assert ids(SqlAnomalies(database)) == ["an_0", "an_1", "an_2", "an_3"]
    assert [retention.forget(NOW, most=3) for _ in range(3)] == [3, 1, 0]


def test_the_newest_events_are_kept_and_those_that_are_not_sent(database: Connections) -> None:
    """Who follows and was away still hears them; a topic still gets what it has not got."""
    for position in range(6):
        told = Told(
            position=position,
            nth=0,
            happened=Happened(kind=Happening.OPENED, at=T0, anomaly=OPEN),
            series=SERIES,
        )
        with database.write() as transaction:
            add_event(transaction, "local", told, NOW, is_sent=position != 1)
    Retention(database, keep_s=1.0, events=2).forget(NOW, most=1)
    kept = [one.told.position for one in SqlEvents(database).after(0, 100)]
    assert kept == [1, 4, 5]


def test_incidents_go_as_their_anomalies_do(database: Connections) -> None:
    """One that lasts stays."""
    correlator = Correlator.fresh("default", T0)
    told = [
        event
        for days in (11.0, 10.9, 1.0)
        for event in correlator.feed([ended(days)], T0) + correlator.tick(T0)
    ]
    told += correlator.feed([symptom("mail", id="lasts")], T0)
    store = SqlIncidents(database)
    assert store.keep((), [one.incident for one in told], told, was=None, events_heard=1)
    Retention(database, keep_s=10 * 86_400).forget(NOW, most=100)
    found = store.list(IncidentFilter(tenant="default")).incidents
    assert [one.incident.services[0] for one in found] == ["mail", "svc1.0"]


def ended(days_ago: float) -> Symptom:
    """A symptom that was over so long ago."""
    end = T0 - round(days_ago * DAY_MS)
    return replace(symptom(f"svc{days_ago}"), start=end - 60_000, end=end)
