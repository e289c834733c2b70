"""Tells the change log of versions that the data show, unless somebody told of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from detector.changes.change import Change, ChangeEvent, ChangePhase, Place, change_id
from detector.changes.inferred import SOURCE, Known, Seen, inferred
from detector.changes.ports import ChangeLog, VersionStore
from detector.changes.record import ChangeFilter
from detector.changes.rollouts import AFTER_MS, BEFORE_MS, KINDS
from detector.errors import NotFoundError

__all__ = ["InferredChanges"]

_SERVICES = 5000
_PAGES = 20
# What is kept of a service whose versions stay the same is so old at most.
_KEPT_MS = 300_000


class InferredChanges:
    """Looks at which versions there are; what was told is told once, by however many processes.

    What was seen is kept, so that a version which came while nobody looked is told of, too.
    """

    def __init__(
        self,
        seen: Callable[[], Sequence[Seen]],
        log: ChangeLog,
        versions: VersionStore,
        tenant: str,
    ) -> None:
        self._seen, self._log, self._versions, self._tenant = seen, log, versions, tenant
        self._known: dict[Place, Known] = {}
        # As it is in the store; None until that was read.
        self._kept: Mapping[Place, Known] | None = None
        self.told = 0

    @property
    def refused(self) -> dict[str, str]:
        """By service, why its versions cannot be told apart."""
        return {place.service: one.refused for place, one in self._known.items() if one.refused}

    def look(self) -> bool:
        """Tell what is new; `StoreError`, `SourceError`. There is never more at once."""
        if self._kept is None:
            self._kept = self._versions.of(self._tenant)
            self._known = dict(list(self._kept.items())[-_SERVICES:])
        for seen in self._seen()[:_SERVICES]:
            known, events = inferred(self._known.get(seen.place, Known()), seen)
            for event in events:
                self._tell(event)
            # Only now: what the log did not take is told at the next look.
            self._known.pop(seen.place, None)
            self._known[seen.place] = known
        for place in list(self._known)[:-_SERVICES]:
            del self._known[place]
        self._keep(self._kept)
        return False

    def _keep(self, kept: Mapping[Place, Known]) -> None:
        news = {place: one for place, one in self._known.items() if _is_news(kept.get(place), one)}
        if news:
            self._versions.keep(self._tenant, news)
        self._kept = {place: news.get(place) or kept[place] for place in self._known}

    def _tell(self, event: ChangeEvent) -> None:
        is_start = event.phase is ChangePhase.STARTED
        if not self._is_told_by_another(event) if is_start else self._is_own(event):
            self.told += len(self._log.add(self._tenant, (event,)))

    def _is_own(self, event: ChangeEvent) -> bool:
        """Whether its start is in the log: an end alone would be a change of its own."""
        try:
            self._log.get(self._tenant, change_id(SOURCE, event.subject))
        except NotFoundError:
            return False
        return True

    def _is_told_by_another(self, event: ChangeEvent) -> bool:
        """Whether a sender, the gate or a replica told of it at about this time."""
        wanted = ChangeFilter(
            tenant=self._tenant,
            service=event.place.service,
            since=event.at - BEFORE_MS,
            until=event.at + AFTER_MS,
        )
        return any(_is_same(one, event) for one in self._listed(wanted))

    def _listed(self, wanted: ChangeFilter) -> Iterator[Change]:
        """Of all pages, so many at most."""
        for _ in range(_PAGES):
            page = self._log.list(wanted)
            yield from page.changes
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)


def _is_news(kept: Known | None, known: Known) -> bool:
    """Whether more is known than how long the same versions have been there by now."""
    if kept is None or known.at - kept.at >= _KEPT_MS:
        return True
    is_same = kept.label == known.label and kept.spans.keys() == known.spans.keys()
    return not is_same or kept.opened != known.opened or kept.refused != known.refused


def _is_same(change: Change, event: ChangeEvent) -> bool:
    """Of our own only one of the same version, which another process saw at another second."""
    is_then = change.started_at >= event.at - BEFORE_MS
    is_ours = change.source == SOURCE
    is_new = change.subject != event.subject and change.version == event.version
    return is_then and change.kind in KINDS and (is_new if is_ours else True)
