"""Anomalies of two stores as one: those that this process finds, and those of workers."""

from __future__ import annotations

from detector.errors import NotFoundError
from detector.stream.ports import AnomalyStore
from detector.stream.record import AnomalyFilter, AnomalyPage, KeptAnomaly, KeptFeedback
from pipelines.stores.anomalies import cursor_after

__all__ = ["JoinedAnomalies"]


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


def _newest_first(one: KeptAnomaly) -> tuple[int, str]:
    return one.anomaly.start, one.anomaly.id
