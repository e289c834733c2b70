"""Tells the change log of rollouts that the gate judges, unless somebody else told of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from detector.changes.change import ChangeEvent
from detector.changes.record import ChangeFilter
from detector.changes.rollouts import AFTER_MS, BEFORE_MS, KINDS, SOURCE, rollout_events
from detector.errors import NotFoundError
from detector.gate.attempt import Attempt
from detector.gate.record import Filter
from detector.gate.verdict import Verdict
from detector.ports import Clock, Stores

__all__ = ["RolloutChanges"]

_PAGE, _PAGES = 200, 10
# A rollout about which nobody asked for so long is over.
_SINCE_S = 1800.0


class RolloutChanges:
    """Looks at the newest verdicts; what was told is told once, by however many processes."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._stores, self._clock = stores, clock
        self._told: dict[str, int] = {}

    def look(self) -> bool:
        """Tell what is new; `StoreError`. There is never more at once."""
        known: dict[str, int] = {}
        for verdict in self._newest():
            attempt = self._attempt(verdict)
            events = () if attempt is None else rollout_events(attempt, verdict)
            known[verdict.attempt] = len(events)
            if attempt is not None and len(events) > self._told.get(attempt.id, 0):
                self._tell(attempt.identity.tenant, events)
        self._told = known
        return False

    def _attempt(self, verdict: Verdict) -> Attempt | None:
        """None where it went between the two looks."""
        try:
            return self._stores.attempts.get(verdict.attempt)
        except NotFoundError:
            return None

    def _tell(self, tenant: str, events: tuple[ChangeEvent, ...]) -> None:
        if not self._is_known(tenant, events[0]):
            self._stores.changes.add(tenant, events)

    def _is_known(self, tenant: str, begun: ChangeEvent) -> bool:
        """Whether another told of a deployment of this service at this time."""
        wanted = ChangeFilter(
            tenant=tenant,
            service=begun.place.service,
            since=begun.at - BEFORE_MS,
            until=begun.at + AFTER_MS,
        )
        return any(
            change.kind in KINDS
            and change.source != SOURCE
            and not change.is_inferred
            and change.started_at >= begun.at - BEFORE_MS
            for change in self._stores.changes.list(wanted).changes
        )

    def _newest(self) -> Iterator[Verdict]:
        wanted = Filter(since=self._clock() - _SINCE_S, limit=_PAGE, newest_only=True)
        for _ in range(_PAGES):
            page = self._stores.verdicts.list(wanted)
            yield from page.verdicts
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)
