"""When services were changed, by the change log: a level that shifts then is a step, no trend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from detector.changes.change import Change, ChangeKind, ChangePhase
from detector.changes.ports import ChangeLog
from detector.changes.record import ChangeFilter
from detector.errors import StoreError

__all__ = ["KnownChanges"]

# What may move for good what a service uses.
_MOVING = frozenset(
    {ChangeKind.DEPLOYMENT, ChangeKind.ROLLBACK, ChangeKind.CONFIG, ChangeKind.SCALING}
)
_PAGE, _MOST = 200, 20_000
# Each is a step that a forecast has to learn: of a service that is released hourly, the newest.
_OF_SERVICE = 24
_APART_MS = 6 * 3_600_000


@dataclass(slots=True)
class KnownChanges:
    """Moments of changes by service; looked up once for a span, none where the log is away."""

    log: ChangeLog
    tenant: str = "default"
    _span: tuple[int, int] | None = field(init=False, default=None)
    _found: dict[str, list[Change]] = field(init=False, default_factory=dict)

    def __call__(self, service: str, namespace: str, since: int, until: int) -> Sequence[int]:
        """When a service was changed in [since, until), unix ms, ascending; hours apart."""
        if self._span != (since, until):
            self._found, self._span = self._looked(since, until), (since, until)
        places = {namespace, ""} if namespace else None
        mine = [one for one in self._found.get(service, ()) if _is_in(one, places)]
        return _apart(sorted(_at(one) for one in mine if since <= _at(one) < until))

    def _looked(self, since: int, until: int) -> dict[str, list[Change]]:
        found: dict[str, list[Change]] = {}
        try:
            for one in self._changes(since, until):
                if one.kind in _MOVING and one.phase is not ChangePhase.FAILED:
                    found.setdefault(one.place.service, []).append(one)
        except StoreError:
            return {}
        return found

    def _changes(self, since: int, until: int) -> Iterator[Change]:
        wanted = ChangeFilter(tenant=self.tenant, since=since, until=until, limit=_PAGE)
        for _ in range(_MOST // _PAGE):
            page = self.log.list(wanted)
            yield from page.changes
            if page.next is None:
                return
            wanted = replace(wanted, after=page.next)


def _is_in(change: Change, namespaces: set[str] | None) -> bool:
    return namespaces is None or change.place.namespace in namespaces


def _at(change: Change) -> int:
    """When what it changed was there: at its end, if that was told."""
    return change.started_at if change.ended_at is None else change.ended_at


def _apart(moments: Sequence[int]) -> list[int]:
    """Moments that are hours apart, the newest of them."""
    kept: list[int] = []
    for at in moments:
        if not kept or at - kept[-1] >= _APART_MS:
            kept.append(at)
    return kept[-_OF_SERVICE:]
