"""What is told of incidents goes into the outbox, once, to those who want it."""

from __future__ import annotations

from collections.abc import Sequence

from detector.alerts.brief import IncidentBrief
from detector.errors import NotFoundError
from detector.gate.telling import Notice, NoticeKind, Route, addressed
from detector.incidents.briefing import brief_of
from detector.incidents.incident import EntryKind, IncidentState
from detector.incidents.record import NumberedEvent
from detector.incidents.silence import is_silenced
from detector.incidents.words import cause_words, summary_words
from detector.ports import Outbox
from pipelines.stores.connections import Connections
from pipelines.stores.incidents import SqlIncidents

__all__ = ["IncidentNotices", "notice_of"]

_MOST = 100


class IncidentNotices:
    """Reads on in what is told of incidents; several processes may, since notices have fixed ids.

    The outbox may be in another database: a notice is put there before it is marked as told here,
    and put again after a crash between the two it is the same notice. Without a word of an earlier
    one it begins with what happens from now on.
    """

    def __init__(self, database: Connections, outbox: Outbox, routes: Sequence[Route]) -> None:
        self._store, self._outbox, self._routes = SqlIncidents(database), outbox, tuple(routes)

    def look(self) -> bool:
        """Tell what is new; whether there may be more at once. `StoreError`: it is told later."""
        told = self._store.told()
        if told is None:
            self._store.keep_told(self._store.newest())
            return True
        events = self._store.events(told, _MOST)
        if not events:
            return False
        wanted = [notice_of(one) for one in events if not self._is_silenced(one)]
        posts = [post for notice in wanted for post in addressed(notice, self._routes)]
        if posts:
            self._outbox.put(posts)
        self._store.keep_told(events[-1].number)
        return len(events) == _MOST

    def _is_silenced(self, told: NumberedEvent) -> bool:
        incident = told.event.incident
        if told.event.kind is EntryKind.SAID:
            return False
        try:
            said = self._store.get(incident.tenant, incident.id).said
        except NotFoundError:
            return True
        is_over = incident.state is not IncidentState.OPEN
        return is_silenced(said, told.event.at, is_over=is_over)


def notice_of(told: NumberedEvent) -> Notice:
    """What people are told, under a name that is the same whenever it is made."""
    incident, brief = told.event.incident, brief_of(told)
    return Notice(
        id=f"incident:{incident.id}:{told.number}",
        kind=NoticeKind.INCIDENT,
        at=told.event.at / 1000,
        tenant=incident.tenant,
        title=brief.title,
        text=f"{summary_words(incident)} {cause_words(incident)}",
        advice=_advice(brief),
        incident=brief,
        thread=incident.id,
        nth=told.number,
    )


def _advice(brief: IncidentBrief) -> str:
    """Of the likeliest cause, where it is likelier than none."""
    first = next(iter(brief.causes), None)
    return first.advice if first is not None and first.probability > brief.none else ""
