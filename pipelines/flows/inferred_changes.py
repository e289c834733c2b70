"""Tells the change log of versions that the data show, unless somebody told of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from detector.changes.change import Change, ChangeEvent, ChangePhase, Place, change_id
from detector.changes.inferred import SOURCE, Known, Seen, inferred
from detector.changes.ports import ChangeLog
from detector.changes.record import ChangeFilter
from detector.changes.rollouts import AFTER_MS, BEFORE_MS, KINDS
from detector.errors import NotFoundError

__all__ = ["InferredChanges"]

_SERVICES = 5000


class InferredChanges:
    """Looks at which versions there are; what was told is told once, by however many processes."""

    def __init__(self, seen: Callable[[], Sequence[Seen]], log: ChangeLog, tenant: str) -> None:
        self._seen, self._log, self._tenant = seen, log, tenant
        self._known: dict[Place, Known] = {}
        self.told = 0

    @property
    def refused(self) -> dict[str, str]:
        """By service, why its versions cannot be told apart."""
        return {place.service: one.refused for place, one in self._known.items() if one.refused}

    def look(self) -> bool:
        """Tell what is new; `StoreError`, `SourceError`. There is never more at once."""
        for seen in self._seen()[:_SERVICES]:
            known, events = inferred(self._known.get(seen.place, Known()), seen)
            for event in events:
                self._tell(event)
            # Only now: what the log did not take is told at the next look.
            self._known.pop(seen.place, None)
            self._known[seen.place] = known
        for place in list(self._known)[:-_SERVICES]:
            del self._known[place]
        return False

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
        return any(_is_same(one, event) for one in self._log.list(wanted).changes)


def _is_same(change: Change, event: ChangeEvent) -> bool:
    """Of our own only one of the same version, which another process saw at another second."""
    is_then = change.started_at >= event.at - BEFORE_MS
    is_ours = change.source == SOURCE
    is_new = change.subject != event.subject and change.version == event.version
    return is_then and change.kind in KINDS and (is_new if is_ours else True)
