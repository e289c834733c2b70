"""Old anomalies and incidents are deleted, with what was said of them, so many a round."""

from __future__ import annotations

import sqlalchemy as sa

from pipelines.stores import schema
from pipelines.stores.connections import Connections
from pipelines.stores.events import SqlEvents
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.statements import compiled

__all__ = ["EVENTS", "Retention"]

# The newest events are kept, for those who follow them and were away.
EVENTS = 50_000
# Of one transaction: whoever judges waits for its end.
_AT_ONCE = 200
_anomaly, _said = schema.anomalies.c, schema.feedback.c
_OLD = compiled(
    sa.select(_anomaly.id)
    .where(_anomaly.end < sa.bindparam("before", type_=sa.BigInteger))
    .order_by(_anomaly.end)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_DROP = compiled(schema.anomalies.delete().where(_anomaly.id == sa.bindparam("of")))
_DROP_SAID = compiled(schema.feedback.delete().where(_said.anomaly == sa.bindparam("of")))


class Retention:
    """Of what ended; what lasts is never old, whenever it began."""

    def __init__(self, database: Connections, *, keep_s: float, events: int = EVENTS) -> None:
        self._db, self._keep_s, self._events = database, keep_s, events
        self._incidents = SqlIncidents(database)

    def forget(self, now: float, *, most: int) -> int:
        """Delete at most so many of what ended too long before now (unix seconds), in small
        transactions; how many anomalies that were.
        """
        before, gone = round(1000 * (now - self._keep_s)), 0
        while gone < most:
            deleted = self._some(before, min(_AT_ONCE, most - gone))
            if not deleted:
                break
            gone += deleted
        events = SqlEvents(self._db)
        events.forget(events.newest() - self._events)
        for _ in range(0, most, _AT_ONCE):
            if self._incidents.prune(before, most=_AT_ONCE, events=self._events) < _AT_ONCE:
                break
        return gone

    def _some(self, before: int, most: int) -> int:
        with self._db.write() as transaction:
            old = transaction.rows(_OLD, {"before": before, "most": most})
            for (id,) in old:
                transaction.run(_DROP_SAID, {"of": id})
                transaction.run(_DROP, {"of": id})
        return len(old)
