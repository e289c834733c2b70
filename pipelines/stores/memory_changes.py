"""Changes, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from detector.changes.change import Change, ChangeEvent, change_id, with_event
from detector.changes.record import ChangeFilter, ChangePage, is_wanted, last_word
from detector.errors import NotFoundError
from pipelines.stores.cursors import cursor_at, read_cursor

__all__ = ["MemoryChanges"]


@dataclass(slots=True)
class MemoryChanges:
    """`ChangeLog`."""

    rows: dict[tuple[str, str], Change] = field(default_factory=dict)
    _adding: Lock = field(default_factory=Lock)

    def add(self, tenant: str, events: Sequence[ChangeEvent]) -> tuple[Change, ...]:
        """Fold each into its change."""
        with self._adding:
            return tuple(self._added(tenant, events).values())

    def _added(self, tenant: str, events: Sequence[ChangeEvent]) -> dict[str, Change]:
        changed: dict[str, Change] = {}
        for event in events:
            id = change_id(event.source, event.subject)
            change = with_event(self.rows.get((tenant, id)), event)
            if change is not None:
                changed[id] = self.rows[tenant, id] = change
        return changed

    def get(self, tenant: str, id: str) -> Change:
        """By id; `NotFoundError`."""
        if (tenant, id) not in self.rows:
            raise NotFoundError(f"there is no change {id!r}")
        return self.rows[tenant, id]

    def list(self, wanted: ChangeFilter) -> ChangePage:
        """Newest start first, one page."""
        of_tenant = (change for (tenant, _), change in self.rows.items() if tenant == wanted.tenant)
        found = sorted(
            (change for change in of_tenant if is_wanted(change, wanted)), key=_place, reverse=True
        )
        if wanted.after is not None:
            after = read_cursor(wanted.after)
            found = [change for change in found if _place(change) < after]
        page, is_more = tuple(found[: wanted.limit]), len(found) > wanted.limit
        return ChangePage(
            changes=page, next=cursor_at(page[-1].started_at, page[-1].id) if is_more else None
        )

    def prune(self, before: int) -> None:
        """Forget those of which nobody told since, unix milliseconds."""
        old = [key for key, change in self.rows.items() if last_word(change) < before]
        for key in old:
            del self.rows[key]


def _place(change: Change) -> tuple[int, str]:
    return change.started_at, change.id
