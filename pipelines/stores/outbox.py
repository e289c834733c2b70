"""The outbox in the embedded store: notices, and how far each is on its way to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from detector.errors import StoreError
from detector.gate.telling import OUTRUN, DeliveryState, Errand, Notice, Post, Settled
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Transaction, Values
from pipelines.stores.statements import compiled, insertion

__all__ = ["SqlOutbox", "add_post"]

_notices, _deliveries = schema.notices.c, schema.deliveries.c
_ADD_NOTICE = insertion(schema.notices, keep_old=True)
_ADD_DELIVERY = insertion(schema.deliveries, keep_old=True)
_other = schema.deliveries.alias("other")


def _of_thread(wanted: sa.ColumnElement[bool]) -> sa.Select[tuple[str]]:
    """Other deliveries of a thread to the same notifier; there are none without a thread."""
    return sa.select(_other.c.receipt).where(
        _other.c.notifier == _deliveries.notifier, _other.c.thread == _deliveries.thread, wanted
    )


_BEFORE = _of_thread(_other.c.state == DeliveryState.DUE.value).where(
    _other.c.nth < _deliveries.nth
)
_AFTER = _of_thread(_other.c.state != DeliveryState.DROPPED.value).where(
    _other.c.nth > _deliveries.nth
)
_SENT = _of_thread(_other.c.state == DeliveryState.SENT.value)
_DUE = compiled(
    sa.select(
        _deliveries.notice,
        _notices.body,
        _deliveries.tries,
        sa.and_(sa.exists(_SENT), sa.exists(_AFTER)),
        _SENT.order_by(_other.c.nth.desc()).limit(1).scalar_subquery(),
    )
    .join_from(schema.deliveries, schema.notices)
    .where(
        _deliveries.notifier == sa.bindparam("to"),
        _deliveries.state == DeliveryState.DUE.value,
        _deliveries.due_at <= sa.bindparam("now"),
        ~sa.exists(_BEFORE),
    )
    .order_by(_deliveries.due_at, _deliveries.notice)
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
        receipt=sa.bindparam("receipt"),
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
            errands = _sorted_out(transaction, asked)
            for errand in errands:
                leased = {"of": errand.notice.id, "to": to, "until": now + lease_s}
                transaction.run(_LEASE, leased)
        return errands

    def settle(self, errand: Errand, settled: Settled) -> None:
        """Durably: what was acknowledged is not sent again."""
        with self._db.write(durable=settled.state is not DeliveryState.DUE) as transaction:
            _settle(transaction, errand.notice.id, errand.to, errand.tries, settled)

    def tally(self) -> Mapping[tuple[str, DeliveryState], int]:
        """Counted by the store."""
        with self._db.read() as looks:
            rows = looks.rows(_TALLY, {})
        return {(to, DeliveryState(state)): count for to, state, count in rows}


def _sorted_out(transaction: Transaction, asked: Values) -> list[Errand]:
    """What is to be told; what need not or cannot be is dropped, until nothing of that is found."""
    to, now = str(asked["to"]), float(str(asked["now"]))
    while True:
        errands, dropped = [], 0
        for id, body, tries, is_outrun, receipt in transaction.rows(_DUE, asked):
            read = _read(body)
            if isinstance(read, Notice) and (read.is_lasting or not is_outrun):
                one = Errand(notice=read, to=to, tries=tries + 1, receipt=receipt or "")
                errands.append(one)
                continue
            words = OUTRUN if isinstance(read, Notice) else read
            gone = Settled(state=DeliveryState.DROPPED, at=now, words=words)
            _settle(transaction, id, to, tries, gone)
            dropped += 1
        if not dropped:
            return errands


def _read(body: bytes) -> Notice | str:
    """The notice, or why it cannot be read: it is dropped then, or it came for ever."""
    try:
        return unpack(Notice, body)
    except StoreError as error:
        return str(error)


def _settle(transaction: Transaction, id: str, to: str, tries: int, settled: Settled) -> None:
    row = {
        "of": id,
        "to": to,
        "try": tries,
        "was": DeliveryState.DUE.value,
        "state": settled.state.value,
        "due_at": settled.due_at,
        "settled_at": None if settled.state is DeliveryState.DUE else settled.at,
        "words": settled.words or None,
        "receipt": settled.receipt or None,
    }
    transaction.run(_SETTLE, row)


def add_post(transaction: Transaction, post: Post) -> None:
    """Insert a notice that is not there yet, due to all whom it is for."""
    notice = post.notice
    row = {"id": notice.id, "kind": notice.kind.value, "at": notice.at, "body": pack(notice)}
    if not transaction.run(_ADD_NOTICE, row):
        return
    new = {
        "notice": notice.id,
        "state": DeliveryState.DUE.value,
        "due_at": notice.at,
        "tries": 0,
        "settled_at": None,
        "words": None,
        "thread": notice.thread or None,
        "nth": notice.nth,
        "receipt": None,
    }
    for to in post.to:
        transaction.run(_ADD_DELIVERY, {**new, "notifier": to})
