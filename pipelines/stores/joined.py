"""Anomalies and incidents of two stores as one: what this process finds, and what workers do."""

from __future__ import annotations

from detector.errors import NotFoundError
from detector.incidents.ports import IncidentStore
from detector.incidents.record import IncidentFilter, IncidentPage, KeptIncident, Said
from detector.stream.ports import AnomalyStore
from detector.stream.record import AnomalyFilter, AnomalyPage, KeptAnomaly, KeptFeedback
from pipelines.stores.anomalies import cursor_after
from pipelines.stores.cursors import cursor_at

__all__ = ["JoinedAnomalies", "JoinedIncidents"]


class JoinedAnomalies:
    """`AnomalyStore`; one that both have is the first's."""

    def __init__(self, first: AnomalyStore, second: AnomalyStore) -> None:
        self._first, self._second = first, second

    def get(self, tenant: str, id: str) -> KeptAnomaly:
        """By id; `NotFoundError`."""
        try:
            return self._first.get(tenant, id)
        except NotFoundError:
            return self._second.get(tenant, id)

    def list(self, wanted: AnomalyFilter) -> AnomalyPage:
        """Newest first, one page; its `next` is understood by both."""
        pages = self._first.list(wanted), self._second.list(wanted)
        by_id = {one.anomaly.id: one for page in reversed(pages) for one in page.anomalies}
        every = sorted(by_id.values(), key=_newest_first, reverse=True)
        page, is_more = every[: wanted.limit], len(every) > wanted.limit
        is_more |= any(one.next is not None for one in pages)
        return AnomalyPage(
            anomalies=tuple(page), next=cursor_after(page[-1].anomaly) if is_more and page else None
        )

    def say(self, anomaly: str, feedback: KeptFeedback) -> None:
        """Kept with the first's: who knows whose it is says it there."""
        self._first.say(anomaly, feedback)


class JoinedIncidents:
    """`IncidentStore`; none is in both."""

    def __init__(self, first: IncidentStore, second: IncidentStore) -> None:
        self._first, self._second = first, second

    def get(self, tenant: str, id: str) -> KeptIncident:
        """By id; `NotFoundError`."""
        try:
            return self._first.get(tenant, id)
        except NotFoundError:
            return self._second.get(tenant, id)

    def list(self, wanted: IncidentFilter) -> IncidentPage:
        """Newest first, one page; its `next` is understood by both."""
        pages = self._first.list(wanted), self._second.list(wanted)
        every = sorted((one for page in pages for one in page.incidents), key=_began, reverse=True)
        page, is_more = every[: wanted.limit], len(every) > wanted.limit
        if not page or not (is_more or any(one.next is not None for one in pages)):
            return IncidentPage(incidents=tuple(page), next=None)
        last = page[-1].incident
        return IncidentPage(incidents=tuple(page), next=cursor_at(last.began, last.id))

    def say(self, tenant: str, id: str, said: Said) -> KeptIncident:
        """With the one that has it."""
        try:
            return self._first.say(tenant, id, said)
        except NotFoundError:
            return self._second.say(tenant, id, said)


def _began(one: KeptIncident) -> tuple[int, str]:
    return one.incident.began, one.incident.id


def _newest_first(one: KeptAnomaly) -> tuple[int, str]:
    return one.anomaly.start, one.anomaly.id
