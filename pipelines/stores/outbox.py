"""The outbox in the embedded store: notices, and how far each is on its way to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from detector.errors import StoreError
from detector.gate.telling import DeliveryState, Errand, Notice, Post, Settled
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.statements import compiled, insertion

__all__ = ["SqlOutbox", "add_post"]

_notices, _deliveries = schema.notices.c, schema.deliveries.c
_ADD_NOTICE = insertion(schema.notices, keep_old=True)
_ADD_DELIVERY = insertion(schema.deliveries, keep_old=True)
_DUE = compiled(
    sa.select(_deliveries.notice, _notices.body, _deliveries.tries)
    .join_from(schema.deliveries, schema.notices)
    .where(
        _deliveries.notifier == sa.bindparam("to"),
        _deliveries.state == DeliveryState.DUE.value,
        _deliveries.due_at <= sa.bindparam("now"),
    )
    .order_by(_notices.at, _notices.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_LEASE = compiled(
    schema.deliveries.update()
    .where(_deliveries.notice == sa.bindparam("of"), _deliveries.notifier == sa.bindparam("to"))
    .values(due_at=sa.bindparam("until"), tries=_deliveries.tries + 1)
)
# The number of tries fences: whoever claimed it later has a higher one.
_SETTLE = compiled(
    schema.deliveries.update()
    .where(
        _deliveries.notice == sa.bindparam("of"),
        _deliveries.notifier == sa.bindparam("to"),
        _deliveries.tries == sa.bindparam("try"),
        _deliveries.state == sa.bindparam("was"),
    )
    .values(
        state=sa.bindparam("state"),
        due_at=sa.bindparam("due_at"),
        settled_at=sa.bindparam("settled_at"),
        words=sa.bindparam("words"),
    )
)
_TALLY = compiled(
    sa.select(_deliveries.notifier, _deliveries.state, sa.func.count()).group_by(
        _deliveries.notifier, _deliveries.state
    )
)


class SqlOutbox:
    """`Outbox`."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def put(self, posts: Sequence[Post]) -> None:
        """In one transaction."""
        with self._db.write(durable=True) as transaction:
            for post in posts:
                add_post(transaction, post)

    def claim(self, to: str, *, now: float, lease_s: float, most: int) -> Sequence[Errand]:
        """Found and leased in one transaction."""
        asked = {"to": to, "now": now, "most": most}
        with self._db.read() as looks:
            if not looks.rows(_DUE, asked):
                return ()
        with self._db.write() as transaction:
            transaction.alone(f"outbox {to}")
            rows = transaction.rows(_DUE, asked)
            for id, _, _ in rows:
                transaction.run(_LEASE, {"of": id, "to": to, "until": now + lease_s})
        found = (self._errand(id, body, to, tries + 1) for id, body, tries in rows)
        return [errand for errand in found if errand is not None]

    def _errand(self, id: str, body: bytes, to: str, tries: int) -> Errand | None:
        """The errand of a row; a notice that cannot be read is dropped, or it came for ever."""
        try:
            return Errand(notice=unpack(Notice, body), to=to, tries=tries)
        except StoreError as error:
            dropped = Settled(state=DeliveryState.DROPPED, at=0.0, words=str(error))
            self._settle(id, to, tries, dropped)
            return None

    def settle(self, errand: Errand, settled: Settled) -> None:
        """Durably: what was acknowledged is not sent again."""
        self._settle(errand.notice.id, errand.to, errand.tries, settled)

    def _settle(self, id: str, to: str, tries: int, settled: Settled) -> None:
        done = settled.state is not DeliveryState.DUE
        row = {
            "of": id,
            "to": to,
            "try": tries,
            "was": DeliveryState.DUE.value,
            "state": settled.state.value,
            "due_at": settled.due_at,
            "settled_at": settled.at if done else None,
            "words": settled.words or None,
        }
        with self._db.write(durable=done) as transaction:
            transaction.run(_SETTLE, row)

    def tally(self) -> Mapping[tuple[str, DeliveryState], int]:
        """Counted by the store."""
        with self._db.read() as looks:
            rows = looks.rows(_TALLY, {})
        return {(to, DeliveryState(state)): count for to, state, count in rows}


def add_post(transaction: Transaction, post: Post) -> None:
    """Insert a notice that is not there yet, due to all whom it is for."""
    notice = post.notice
    row = {"id": notice.id, "kind": notice.kind.value, "at": notice.at, "body": pack(notice)}
    if not transaction.run(_ADD_NOTICE, row):
        return
    new = {"state": DeliveryState.DUE.value, "due_at": notice.at, "tries": 0}
    for to in post.to:
        delivery = {"notice": notice.id, "notifier": to, "settled_at": None, "words": None}
        transaction.run(_ADD_DELIVERY, {**new, **delivery})
