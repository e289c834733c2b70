"""What each team was told in a week, put into the outbox once all of the week was decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from detector.alerts.history import History
from detector.alerts.settings import Route as Tree
from detector.errors import StoreError
from detector.explain.teams import Span, team_posts
from detector.explain.weekly import WeeklyAt
from detector.gate.telling import Post, Route
from detector.ports import Clock
from pipelines.stores.incidents import SqlIncidents

__all__ = ["TeamWeeks", "histories_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWeeks:
    """The weekly notices of teams by the routes as they are now.

    `stores` gives the incidents of each database; an incident is in one of them.
    """

    stores: Callable[[], Sequence[SqlIncidents]]
    tree: Tree
    routes: Sequence[Route]
    moment: WeeklyAt
    clock: Clock
    public_url: str = ""

    def posts(self, at: float) -> list[Post]:
        """Of the week that ended at a moment, unix seconds.

        `StoreError` while something that happened before is not decided of: a process that was
        away tells that first, and the week is whole then.
        """
        stores = self.stores()
        if any(_is_behind(store, at) for store in stores):
            raise StoreError("incidents of the week are not all told yet")
        span = Span(since=self.moment.before(at - 1.0), until=at)
        return list(
            team_posts(
                histories_of(stores),
                self.tree,
                self.routes,
                span,
                now=self.clock(),
                public_url=self.public_url,
            )
        )


def histories_of(stores: Iterable[SqlIncidents]) -> dict[str, History]:
    """Who was told of what, by tenant, over all databases."""
    found: dict[str, History] = {}
    for store in stores:
        for tenant, history in store.histories().items():
            before = found.get(tenant, History())
            found[tenant] = History(cases={**before.cases, **history.cases})
    return found


def _is_behind(store: SqlIncidents, at: float) -> bool:
    """Whether the next event to be told happened before; none was told where none ever is."""
    told = store.told()
    waiting = () if told is None else store.events(told, 1)
    return any(one.event.at < 1000 * at for one in waiting)
