"""What `serinus serve` shows of workers that keep their state in the same PostgreSQL."""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detector.spans.joined import joined
from pipelines.flows.followers import Followers
from pipelines.flows.worker_baselines import WorkerBaselines
from pipelines.flows.worker_followed import Following
from pipelines.stores.anomalies import SqlAnomalies
from pipelines.stores.events import SqlEvents
from pipelines.stores.joined_lines import JoinedOwn, JoinedTemplates
from pipelines.stores.own import SqlOwn
from pipelines.stores.part_counts import SqlPartCounts
from pipelines.stores.postgres import PostgresDatabase
from pipelines.stores.retention import Retention
from pipelines.stores.said import SqlSaid
from pipelines.stores.templates import SqlTemplates
from pipelines.stores.worker_graphs import graph_of

if TYPE_CHECKING:
    from detector.spans.topology import Graph
    from detector.stream.counting import Counting
    from detector.stream.feedback import Feedback
    from pipelines.flows.logs_open import OpenLogs

__all__ = ["WorkerView"]

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnItsWay:
    """Feedback that a worker is to apply."""

    said: SqlSaid
    number: int

    def result(self, timeout: float) -> None:
        """Wait until it is applied; `TimeoutError` of futures where it is not by then."""
        until = time.monotonic() + timeout
        while not self.said.is_applied(self.number):
            if time.monotonic() >= until:
                raise LateError
            time.sleep(_LOOK_S)


class WorkerView:
    """Anomalies of workers, their events, and the way back for what people say of them.

    `baselines` is what they counted of services, by `counting`.
    """

    def __init__(self, url: str, *, keep_s: float, counting: Counting) -> None:
        self.database = PostgresDatabase(url)
        self.baselines = WorkerBaselines(SqlPartCounts(self.database), counting)
        self.anomalies = SqlAnomalies(self.database)
        self.retention = Retention(self.database, keep_s=keep_s)
        self._templates, self._own = SqlTemplates(self.database), SqlOwn(self.database)
        self._said = SqlSaid(self.database)
        events = SqlEvents(self.database)
        self.followers = Followers(events)
        self._following = Following(events, self.followers.add, after=self.followers.newest)
        self._following.start()

    def say(self, part: str, tenant: str, feedback: Feedback, *, is_of_lines: bool) -> _OnItsWay:
        """Keep what a person said for the worker that has a part."""
        number = self._said.say(part, tenant, feedback, is_of_lines=is_of_lines)
        return _OnItsWay(said=self._said, number=number)

    def beside(self, logs: OpenLogs) -> OpenLogs:
        """What this process knows of lines and spans, with what workers do."""
        templates = JoinedTemplates(logs.templates, self._templates)
        own = JoinedOwn(logs.own, self._own)

        def graph(tenant: str, service: str | None) -> Graph | None:
            graphs = logs.graph(tenant, service), self.graph(tenant, service)
            return joined([one for one in graphs if one is not None])

        return replace(logs, templates=templates, own=own, graph=graph)

    def graph(self, tenant: str, service: str | None) -> Graph | None:
        """Who calls whom, as of their last checkpoints; None where they have no spans."""
        return graph_of(self.database, tenant, service)

    def close(self) -> None:
        """Look no more."""
        self._following.close()
        self.database.close()
