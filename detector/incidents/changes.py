"""Changes by service and by time, to find those that may have caused an incident."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping
from operator import attrgetter

from detector.changes.change import Change, ChangeKind

__all__ = ["Changes"]


_DEPLOYING = frozenset({ChangeKind.DEPLOYMENT, ChangeKind.ROLLBACK})
# Who deploys tells of it at about the time at which the data show it.
_SAME_MS = 15 * 60_000


class Changes:
    """An index over some changes, `of`, made once.

    What the data showed is passed over where somebody told of it, too: it is one change.
    """

    def __init__(self, of: Mapping[str, Change]) -> None:
        self.of = of
        ordered = sorted(of.values(), key=lambda change: change.started_at)
        self._ordered = [change for change in ordered if not _is_told(change, ordered)]
        self._starts = [change.started_at for change in self._ordered]
        self._by_service: dict[str, list[Change]] = {}
        for change in self._ordered:
            self._by_service.setdefault(change.place.service, []).append(change)

    def near(self, services: Collection[str], *, since: int, lately: int) -> list[Change]:
        """Those of some services from `since` on, and those of all others from `lately` on."""
        near = [
            change
            for service in services
            for change in self._by_service.get(service, ())
            if change.started_at >= since
        ]
        others = self._ordered[bisect_left(self._starts, lately) :]
        return near + [change for change in others if change.place.service not in services]


def _is_told(change: Change, ordered: list[Change]) -> bool:
    """Whether somebody told of a deployment that was inferred; `ordered` are all, by start."""
    if not change.is_inferred:
        return False
    at, start = change.started_at, attrgetter("started_at")
    first = bisect_left(ordered, at - _SAME_MS, key=start)
    last = bisect_right(ordered, at + _SAME_MS, key=start)
    return any(
        one.kind in _DEPLOYING and not one.is_inferred and one.place.service == change.place.service
        for one in ordered[first:last]
    )
