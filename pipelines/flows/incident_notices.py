"""What is told of incidents goes into the outbox, once, to those who want it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from detector.alerts.brief import IncidentBrief
from detector.alerts.settings import AlertRules
from detector.errors import NotFoundError
from detector.gate.telling import Notice, NoticeKind, Post, Route, addressed
from detector.incidents.briefing import brief_of
from detector.incidents.incident import EntryKind, IncidentState
from detector.incidents.record import NumberedEvent
from detector.incidents.silence import is_silenced
from detector.incidents.words import cause_words, summary_words
from detector.ports import Clock, Outbox
from pipelines.flows.incident_alerts import IncidentAlerts, Learned
from pipelines.stores.connections import Connections
from pipelines.stores.incidents import SqlIncidents

__all__ = ["IncidentNotices", "notice_of"]

_MOST = 100


class IncidentNotices:
    """Reads on in what is told of incidents; several processes may, since notices have fixed ids.

    The outbox may be in another database: a notice is put there before it is marked as told here,
    and put again after a crash between the two it is the same notice. Without a word of an earlier
    one it begins with what happens from now on. With `rules` that have a route it is they that say
    who is told; without, each of `routes` is told what it wants. `learned`: see `IncidentAlerts`.
    """

    def __init__(
        self,
        database: Connections,
        outbox: Outbox,
        routes: Sequence[Route],
        *,
        rules: AlertRules | None = None,
        clock: Clock = time.time,
        learned: Learned = lambda _: {},
    ) -> None:
        self._store, self._outbox, self._clock = SqlIncidents(database), outbox, clock
        self._routes = tuple(route for route in routes if NoticeKind.INCIDENT in route.kinds)
        is_ruled = rules is not None and rules.route is not None
        self._alerts = IncidentAlerts(self._store, rules, learned) if rules and is_ruled else None

    def look(self) -> bool:
        """Tell what is new; whether there may be more at once. `StoreError`: it is told later."""
        told = self._store.told()
        if told is None:
            self._store.keep_told(self._store.newest())
            return True
        if self._alerts is not None:
            self._alerts.remind(round(1000 * self._clock()))
        events = self._store.events(told, _MOST)
        if not events:
            return False
        posts = self._ruled(events) if self._alerts else self._plain(events)
        if posts:
            self._outbox.put(posts)
        self._store.keep_told(events[-1].number, self._alerts.histories if self._alerts else {})
        return len(events) == _MOST

    def _plain(self, events: Sequence[NumberedEvent]) -> list[Post]:
        """To each notifier what it wants."""
        news = [one for one in events if one.event.kind is not EntryKind.DUE]
        wanted = [notice_of(one) for one in news if not self._is_silenced(one)]
        return [post for notice in wanted for post in addressed(notice, self._routes)]

    def _ruled(self, events: Sequence[NumberedEvent]) -> list[Post]:
        """To whom the rules say, of the notifiers that there are."""
        assert self._alerts is not None
        self._alerts.load()
        names = {route.name for route in self._routes}
        posts = []
        for one in events:
            notice = notice_of(one)
            to = tuple(name for name in self._alerts.receivers(one, notice) if name in names)
            posts += [Post(notice=notice, to=to)] if to else []
        return posts

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
