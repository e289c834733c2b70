"""Incidents in a database: as they are, what was told of them, and what people said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from detector.alerts.history import History
from detector.errors import NotFoundError
from detector.incidents.incident import EntryKind, Incident, IncidentEvent, IncidentState
from detector.incidents.record import (
    IncidentFilter,
    IncidentPage,
    KeptIncident,
    NumberedEvent,
    Said,
)
from detector.incidents.state import State
from detector.incidents.symptom import Symptom
from detector.incidents.words import said_words
from pipelines.stores import schema
from pipelines.stores.anomalies import plain_name, upsert
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Row, Transaction
from pipelines.stores.cursors import cursor_at, read_cursor
from pipelines.stores.own import mark, marked
from pipelines.stores.statements import compiled, insertion

__all__ = ["Heard", "Received", "SqlIncidents", "add_received"]

_STEP, _HEARD, _TOLD = "/incidents/step", "/incidents", "/incidents/told"
_kept, _services = schema.incidents.c, schema.incident_services.c
_events, _said = schema.incident_events.c, schema.incident_said.c
_inbox = schema.incident_inbox.c
_PUT = upsert(schema.incidents, "tenant", "id")
_ADD_SERVICE = insertion(schema.incident_services, keep_old=True)
_ADD_EVENT = insertion(schema.incident_events, but="number")
_ADD_SAID = insertion(schema.incident_said, but="number")
_RECEIVE = insertion(schema.incident_inbox, but="number")
_RECEIVED = compiled(
    sa.select(_inbox.number, _inbox.tenant, _inbox.body)
    .order_by(_inbox.number)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_TAKEN = compiled(schema.incident_inbox.delete().where(_inbox.number == sa.bindparam("of")))
_PUT_STATE = upsert(schema.incident_states, "tenant")
_STATES = compiled(sa.select(schema.incident_states.c.body))
_OF_ID = compiled(
    sa.select(_kept.body).where(
        _kept.tenant == sa.bindparam("tenant"), _kept.id == sa.bindparam("id")
    )
)
_SAID_OF = compiled(
    sa.select(_said.body)
    .where(_said.tenant == sa.bindparam("tenant"), _said.incident == sa.bindparam("id"))
    .order_by(_said.number)
)
_PUT_HISTORY = upsert(schema.alert_histories, "tenant")
_HISTORIES = compiled(sa.select(schema.alert_histories.c.tenant, schema.alert_histories.c.body))
NOTHING: Mapping[str, History] = {}
_AFTER = compiled(
    sa.select(_events.number, _events.body)
    .where(_events.number > sa.bindparam("after"))
    .order_by(_events.number)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
# The newest one says from where numbers go on.
_FORGET_EVENTS = compiled(
    schema.incident_events.delete().where(
        _events.number <= sa.bindparam("number", type_=sa.Integer),
        _events.number < sa.select(sa.func.max(_events.number)).scalar_subquery(),
    )
)
_OLD = compiled(
    sa.select(_kept.tenant, _kept.id)
    .where(_kept.ended < sa.bindparam("before", type_=sa.BigInteger))
    .order_by(_kept.ended)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_DROPS = [
    compiled(table.delete().where(tenant == sa.bindparam("of_tenant"), id == sa.bindparam("of")))
    for table, tenant, id in (
        (schema.incident_said, _said.tenant, _said.incident),
        (schema.incident_services, _services.tenant, _services.incident),
        (schema.incidents, _kept.tenant, _kept.id),
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How often states were kept, and up to which number of the stream's events they are."""

    step: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What somebody else told of a tenant."""

    number: int
    tenant: str
    symptom: Symptom


class SqlIncidents:
    """`IncidentStore`, and what the one that correlates keeps of its work."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def get(self, tenant: str, id: str) -> KeptIncident:
        """By id; `NotFoundError`."""
        with self._db.read() as looks:
            return _whole(looks, tenant, id)

    def list(self, wanted: IncidentFilter) -> IncidentPage:
        """Newest first, one page."""
        query = sa.select(_kept.id).where(*_conditions(wanted))
        query = query.order_by(_kept.began.desc(), _kept.id.desc()).limit(wanted.limit + 1)
        with self._db.built() as connection:
            ids = [str(id) for (id,) in connection.execute(query)]
        with self._db.read() as looks:
            page = tuple(_whole(looks, wanted.tenant, id) for id in ids[: wanted.limit])
        if len(ids) <= wanted.limit:
            return IncidentPage(incidents=page, next=None)
        last = page[-1].incident
        return IncidentPage(incidents=page, next=cursor_at(last.began, last.id))

    def say(self, tenant: str, id: str, said: Said) -> KeptIncident:
        """Keep what a person said, durably, and that it is told."""
        with self._db.write(durable=True) as transaction:
            incident = _whole(transaction, tenant, id).incident
            transaction.alone(_STEP)
            row = {"tenant": tenant, "incident": id, "body": pack(said)}
            transaction.run(_ADD_SAID, row)
            event = IncidentEvent(
                kind=EntryKind.SAID,
                at=said.at,
                incident=incident,
                note=said_words(said),
                said=said.kind.value,
            )
            _add_event(transaction, event)
            return _whole(transaction, tenant, id)

    def events(self, after: int, most: int) -> Sequence[NumberedEvent]:
        """What is to be told, above a number, in order."""
        with self._db.read() as looks:
            rows = looks.rows(_AFTER, {"after": after, "most": most})
        return [
            NumberedEvent(number=int(number), event=unpack(IncidentEvent, body))
            for number, body in rows
        ]

    def heard(self) -> Heard | None:
        """How far the states are; None where nobody heard anything yet."""
        with self._db.read() as looks:
            return _heard(looks)

    def receive(self, tenant: str, symptoms: Iterable[Symptom]) -> None:
        """Keep what somebody else tells, durably, until it is a part of an incident."""
        with self._db.write(durable=True) as transaction:
            add_received(transaction, tenant, symptoms)

    def received(self, most: int) -> Sequence[Received]:
        """The first of it, in order."""
        with self._db.read() as looks:
            rows = looks.rows(_RECEIVED, {"most": most})
        return [
            Received(number=int(number), tenant=str(tenant), symptom=unpack(Symptom, body))
            for number, tenant, body in rows
        ]

    def newest(self) -> int:
        """The number of the last event, 0 without any."""
        with self._db.read() as looks:
            return _newest(looks)

    def told(self) -> int | None:
        """Up to which number events went to whom they are for; None where none ever did."""
        with self._db.read() as looks:
            return _marked(looks, _TOLD)

    def keep_told(self, number: int, histories: Mapping[str, History] = NOTHING) -> None:
        """They did so up to this number, never fewer than before; with who was told of them."""
        with self._db.write() as transaction:
            transaction.alone(_TOLD)
            was = _marked(transaction, _TOLD)
            for tenant, history in histories.items():
                transaction.run(_PUT_HISTORY, {"tenant": tenant, "body": pack(history)})
            mark(transaction, _TOLD, number if was is None else max(was, number))

    def histories(self) -> dict[str, History]:
        """Who was told of what, by tenant."""
        with self._db.read() as looks:
            rows = looks.rows(_HISTORIES, {})
        return {str(tenant): unpack(History, body) for tenant, body in rows}

    def remind(self, tenant: str, ids: Iterable[str], at: int) -> None:
        """It is time to look again at who is to be told of some incidents."""
        with self._db.write() as transaction:
            transaction.alone(_STEP)
            for id in ids:
                row = transaction.first(_OF_ID, {"tenant": tenant, "id": id})
                if row is not None:
                    incident = unpack(Incident, row[0])
                    due = IncidentEvent(kind=EntryKind.DUE, at=at, incident=incident)
                    _add_event(transaction, due)

    def states(self) -> dict[str, State]:
        """What is remembered of each tenant, changes apart: these are in their log."""
        with self._db.read() as looks:
            found = [unpack(State, body) for (body,) in looks.rows(_STATES, {})]
        return {state.tenant: state for state in found}

    def keep(
        self,
        states: Iterable[State],
        incidents: Iterable[Incident],
        events: Iterable[IncidentEvent],
        *,
        was: Heard | None,
        events_heard: int,
        taken: Iterable[int] = (),
    ) -> Heard | None:
        """All in one transaction; None, and nothing, where another has kept something since `was`.

        `taken` are numbers of what was received.
        """
        now = Heard(step=1 if was is None else was.step + 1, events=events_heard)
        with self._db.write() as transaction:
            transaction.alone(_STEP)
            if _heard(transaction) != was:
                return None
            for incident in incidents:
                _put(transaction, incident)
            for event in events:
                _add_event(transaction, event)
            for state in states:
                transaction.run(_PUT_STATE, {"tenant": state.tenant, "body": pack(_alone(state))})
            for number in taken:
                transaction.run(_TAKEN, {"of": number})
            mark(transaction, _HEARD, now.events)
            mark(transaction, _STEP, now.step)
        return now

    def prune(self, before: int, *, most: int, events: int) -> int:
        """Delete incidents that ended before unix milliseconds, `most` at once; how many.

        The newest `events` are kept, and those that nobody was told of yet.
        """
        with self._db.write() as transaction:
            old = transaction.rows(_OLD, {"before": before, "most": most})
            for tenant, id in old:
                for drop in _DROPS:
                    transaction.run(drop, {"of_tenant": tenant, "of": id})
            told = _marked(transaction, _TOLD) or 0
            upto = min(told, _newest(transaction) - events)
            transaction.run(_FORGET_EVENTS, {"number": upto})
        return len(old)


def add_received(transaction: Transaction, tenant: str, symptoms: Iterable[Symptom]) -> None:
    """Keep what somebody else tells, until it is a part of an incident."""
    transaction.alone(_STEP)
    for symptom in symptoms:
        transaction.run(_RECEIVE, {"tenant": tenant, "body": pack(symptom)})


_NEWEST = compiled(sa.select(sa.func.max(_events.number)))


def _heard(looks: Transaction) -> Heard | None:
    step, events = _marked(looks, _STEP), _marked(looks, _HEARD)
    return None if step is None or events is None else Heard(step=step, events=events)


def _marked(looks: Transaction, name: str) -> int | None:
    found = marked(looks, name)
    return None if found < 0 else found


def _newest(looks: Transaction) -> int:
    row = looks.first(_NEWEST, {})
    return int(row[0] or 0) if row else 0


def _alone(state: State) -> State:
    """Without the changes."""
    return State(
        tenant=state.tenant,
        rates=state.rates,
        live=state.live,
        of=state.of,
        near=state.near,
        recent=state.recent,
        back=state.back,
    )


def _put(transaction: Transaction, incident: Incident) -> None:
    row = {
        "tenant": incident.tenant,
        "id": incident.id,
        "severity": incident.severity.rank,
        "state": incident.state.value,
        "began": incident.began,
        "ended": _ended(incident),
        "body": pack(incident),
    }
    transaction.run(_PUT, row)
    for service in incident.services:
        place = {"tenant": incident.tenant, "incident": incident.id}
        transaction.run(_ADD_SERVICE, {**place, "service": plain_name(service)})


def _ended(incident: Incident) -> int | None:
    """One that went into another ends where it did so."""
    if incident.state is IncidentState.MERGED:
        return incident.timeline[-1].at
    return incident.resolved_at


def _add_event(transaction: Transaction, event: IncidentEvent) -> None:
    incident = event.incident
    row = {"tenant": incident.tenant, "incident": incident.id, "body": pack(event)}
    transaction.run(_ADD_EVENT, row)


def _whole(looks: Transaction, tenant: str, id: str) -> KeptIncident:
    row: Row | None = looks.first(_OF_ID, {"tenant": tenant, "id": id})
    if row is None:
        raise NotFoundError(f"there is no incident {id!r}")
    said = looks.rows(_SAID_OF, {"tenant": tenant, "id": id})
    return KeptIncident(
        incident=unpack(Incident, row[0]), said=tuple(unpack(Said, body) for (body,) in said)
    )


def _conditions(wanted: IncidentFilter) -> list[sa.ColumnElement[bool]]:
    found = [_kept.tenant == wanted.tenant, _kept.severity >= wanted.severity.rank]
    if wanted.service is not None:
        of = sa.select(_services.incident).where(
            _services.tenant == wanted.tenant, _services.service == wanted.service
        )
        found.append(_kept.id.in_(of))
    if wanted.is_open is not None:
        is_open = _kept.state == IncidentState.OPEN.value
        found.append(is_open if wanted.is_open else ~is_open)
    if not wanted.merged:
        found.append(_kept.state != IncidentState.MERGED.value)
    if wanted.since is not None:
        found.append(sa.or_(_kept.ended.is_(None), _kept.ended >= wanted.since))
    if wanted.until is not None:
        found.append(_kept.began < wanted.until)
    if wanted.after is not None:
        began, id = read_cursor(wanted.after)
        same = sa.and_(_kept.began == began, _kept.id < id)
        found.append(sa.or_(_kept.began < began, same))
    return found
