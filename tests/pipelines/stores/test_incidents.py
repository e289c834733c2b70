"""Incidents in every database: kept with what is told of them, once, and found as people ask."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from detector.errors import InputError, NotFoundError
from detector.incidents.correlator import Correlator
from detector.incidents.incident import EntryKind, Incident, IncidentEvent, IncidentState
from detector.incidents.record import IncidentFilter, KeptIncident, Said, SaidKind
from detector.stream.anomaly import Severity
from pipelines.stores import schema
from pipelines.stores.anomalies import upsert
from pipelines.stores.codec import pack
from pipelines.stores.connections import Connections
from pipelines.stores.incidents import Heard, SqlIncidents
from tests.detector.incidents.making import CALLS, MINUTE, T0, change, symptom

EVERY = IncidentFilter(tenant="default")
ACKNOWLEDGED = Said(at=T0, kind=SaidKind.ACKNOWLEDGED, person="ada", note="ü\n\0")


def correlated(*minutes: float, service: str = "cart") -> tuple[Correlator, list[IncidentEvent]]:
    """What symptoms of one service at some minutes make; hours lie between them."""
    correlator = Correlator.fresh("default", T0)
    correlator.calls = CALLS
    correlator.changed([change()], T0)
    told: list[IncidentEvent] = []
    for minute in minutes:
        now = T0 + round(MINUTE * minute)
        made = symptom(service, minute, end=now + MINUTE)
        told += correlator.feed([made], now)
    return correlator, told


def kept(store: SqlIncidents, correlator: Correlator, told: list[IncidentEvent]) -> None:
    """All of it, as of the events heard so far."""
    incidents = [event.incident for event in told] + list(correlator.incidents)
    assert store.keep([correlator.state], incidents, told, was=store.heard(), events_heard=1)


def filled(database: Connections, *minutes: float) -> tuple[SqlIncidents, list[Incident]]:
    """A store with an incident at each of the minutes."""
    store = SqlIncidents(database)
    correlator, told = correlated(*minutes)
    kept(store, correlator, told)
    return store, list(correlator.incidents)


def test_what_is_kept_is_what_was_made(database: Connections) -> None:
    """With its symptoms, its suspects and their reasons, and its timeline."""
    store, (incident,) = filled(database, 0)
    assert store.get("default", incident.id).incident == incident
    assert incident.suspects.suspects


def test_a_state_goes_on_where_it_was(database: Connections) -> None:
    """A process that begins anew knows which symptoms are of which incident."""
    store = SqlIncidents(database)
    correlator, told = correlated(0)
    kept(store, correlator, told)
    read = Correlator(store.states()["default"])
    read.calls, later = CALLS, symptom("web", 1)
    read.state.changes = correlator.state.changes
    assert read.feed([later], T0 + MINUTE) == correlator.feed([later], T0 + MINUTE)
    assert read.state == correlator.state


def test_since_when_a_symptom_is_back_is_known_after_a_restart(database: Connections) -> None:
    """Its incident would begin hours before it did."""
    store, (correlator, told), later = SqlIncidents(database), correlated(0), T0 + 180 * MINUTE
    correlator.tick(later - 60 * MINUTE)
    correlator.tick(later)
    back = symptom("cart", 0, again=later)
    told += correlator.feed([back], later)
    kept(store, correlator, told)
    read = Correlator(store.states()["default"])
    read.feed([replace(back, severity=Severity.HIGH)], later + MINUTE)
    assert [one.began for one in read.incidents] == [later]
    ids = [one.incident.id for one in store.list(EVERY).incidents]
    assert (len(ids), ids[0]) == (2, read.incidents[0].id)


def test_a_state_of_before_that_was_kept_is_read(database: Connections) -> None:
    """An upgrade would tell of all that lasts anew."""
    store, (correlator, told) = SqlIncidents(database), correlated(0)
    kept(store, correlator, told)
    state = msgspec.to_builtins(correlator.state, builtin_types=(bytes,))
    del state["back"]
    for live in state["live"].values():
        live["is_back"] = True
    with database.write() as transaction:
        row = {"tenant": "default", "body": pack(state)}
        transaction.run(upsert(schema.incident_states, "tenant"), row)
    assert store.states()["default"].live == correlator.state.live


def test_who_comes_too_late_keeps_nothing(database: Connections) -> None:
    """Two processes would tell of the same symptom twice."""
    store, _ = filled(database, 0)
    correlator, told = correlated(600)
    assert not store.keep((), correlator.incidents, told, was=None, events_heard=9)
    assert not store.keep((), (), (), was=Heard(step=9, events=1), events_heard=9)
    assert (store.heard(), len(store.list(EVERY).incidents)) == (Heard(step=1, events=1), 1)
    assert len(store.events(0, 100)) == 1


def test_what_is_told_has_a_place_in_an_order(database: Connections) -> None:
    """So that who sends it on knows how far it is."""
    store, _ = filled(database, 0, 600, 1200)
    first, *rest = store.events(0, 100)
    assert [one.event.kind.value for one in (first, *rest)] == ["opened"] * 3
    assert store.events(first.number, 1) == rest[:1]


def test_incidents_are_found_by_service_severity_state_and_time(database: Connections) -> None:
    """As people on call ask."""
    store = SqlIncidents(database)
    correlator, told = correlated(0)
    told += correlator.feed([symptom("mail", 90, severity=Severity.HIGH)], T0 + 90 * MINUTE)
    told += correlator.tick(T0 + 90 * MINUTE)
    kept(store, correlator, told)

    def found(**wanted: object) -> list[str]:
        page = store.list(replace(EVERY, **wanted))  # type: ignore[arg-type]
        return [one.incident.services[0] for one in page.incidents]

    assert found() == ["mail", "cart"]
    assert found(service="cart") == ["cart"]
    assert found(severity=Severity.HIGH) == ["mail"]
    assert found(is_open=True) == ["mail"]
    assert found(is_open=False) == ["cart"]
    assert found(since=T0 + 30 * MINUTE) == ["mail"]
    assert found(until=T0 + 30 * MINUTE) == ["cart"]
    assert found(tenant="other") == []


def test_pages_have_every_incident_once(database: Connections) -> None:
    """Newest first."""
    store, _ = filled(database, *range(0, 6000, 600))
    seen: list[KeptIncident] = []
    page = store.list(replace(EVERY, limit=4))
    while page.next is not None:
        seen += page.incidents
        page = store.list(replace(EVERY, limit=4, after=page.next))
    seen += page.incidents
    assert [one.incident.began for one in seen] == [
        T0 + MINUTE * n for n in range(5400, -600, -600)
    ]


def test_a_cursor_that_is_none_is_refused(database: Connections) -> None:
    """By the field of the query that has to be mended."""
    with pytest.raises(InputError) as refused:
        SqlIncidents(database).list(replace(EVERY, after="x"))
    assert refused.value.field == "cursor"


def test_one_that_went_into_another_is_left_out_of_lists_and_found_by_its_id(
    database: Connections,
) -> None:
    """Whoever has its link is led on; whoever counts incidents counts it once."""
    store, (incident,) = filled(database, 0)
    merged = replace(incident, id="inc_2", state=IncidentState.MERGED, into=incident.id)
    assert store.keep([], [merged], [], was=store.heard(), events_heard=2)
    assert [one.incident.id for one in store.list(EVERY).incidents] == [incident.id]
    assert store.get("default", "inc_2").incident.into == incident.id
    assert len(store.list(replace(EVERY, merged=True)).incidents) == 2


def test_what_a_person_says_stays_with_it(database: Connections) -> None:
    """In the order in which it was said."""
    store, (incident,) = filled(database, 0)
    snoozed = replace(ACKNOWLEDGED, kind=SaidKind.SNOOZED, until=T0 + MINUTE)
    store.say("default", incident.id, ACKNOWLEDGED)
    told = store.say("default", incident.id, snoozed)
    assert told == store.get("default", incident.id)
    assert told.said == (ACKNOWLEDGED, snoozed)
    notes = [one.event.note for one in store.events(0, 100)]
    assert notes[1:] == [
        "ada is at it (“ü\n\0”)",
        "ada wants to hear no more until 14:14 UTC (“ü\n\0”)",
    ]


def test_nothing_is_said_of_an_incident_of_others(database: Connections) -> None:
    """Nor is it told that there is one."""
    store, (incident,) = filled(database, 0)
    for tenant, id in (("other", incident.id), ("default", "inc_0")):
        with pytest.raises(NotFoundError):
            store.say(tenant, id, ACKNOWLEDGED)


def test_old_ones_go_with_all_that_was_said(database: Connections) -> None:
    """One that lasts is never old; the newest event stays, from which numbers go on."""
    store = SqlIncidents(database)
    correlator, told = correlated(0, 600)
    told += correlator.tick(T0 + 602 * MINUTE)
    kept(store, correlator, told)
    first = store.list(EVERY).incidents[-1].incident
    store.say("default", first.id, ACKNOWLEDGED)
    store.keep_told(store.newest())
    assert store.prune(T0 + 30 * MINUTE, most=10, events=1) == 1
    assert [one.incident.began for one in store.list(EVERY).incidents] == [T0 + 600 * MINUTE]
    (last,) = store.events(0, 100)
    assert (last.event.kind, last.event.incident.id) == (EntryKind.SAID, first.id)
    assert last.event.said == "acknowledged"
    with pytest.raises(NotFoundError):
        store.get("default", first.id)


def test_what_nobody_was_told_of_yet_is_not_forgotten(database: Connections) -> None:
    """An outbox that was away for a week is still to hear of all."""
    store, _ = filled(database, 0, 600, 1200)
    store.keep_told(1)
    store.prune(T0 + 10**9, most=10, events=0)
    assert [one.number for one in store.events(0, 10)] == [2, 3]
    store.keep_told(0)
    assert store.told() == 1


def test_what_others_tell_is_there_until_it_is_kept_with_an_incident(database: Connections) -> None:
    """A crash in between loses nothing, and nothing is taken twice."""
    store, _ = filled(database, 0)
    store.receive("default", [symptom("db"), symptom("web", 1)])
    first, second = store.received(10)
    assert (first.tenant, first.symptom) == ("default", symptom("db"))
    assert store.received(1) == [first]
    assert not store.keep((), (), (), was=None, events_heard=1, taken=[first.number])
    assert len(store.received(10)) == 2
    assert store.keep((), (), (), was=store.heard(), events_heard=1, taken=[first.number])
    assert store.received(10) == [second]
