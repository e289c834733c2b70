"""Events of the stream as they were told: for those who follow them, and to be sent on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from detector.stream.anomaly import Happened
from detector.stream.columns import SeriesInfo
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Row, Transaction
from pipelines.stores.statements import compiled, insertion

__all__ = ["KeptEvent", "SqlEvents", "Told", "add_event", "numbers_of"]

_ORDER = "stream_events"
_events, _marks = schema.stream_events.c, schema.stream_marks.c
_row = (_events.number, _events.body)
_ADD = insertion(schema.stream_events, keep_old=True, but="number")
_DUE = compiled(
    sa.select(*_row)
    .where(_events.part == sa.bindparam("part"), _events.sent == 0)
    .order_by(_events.position, _events.nth)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_SENT = compiled(
    schema.stream_events.update().where(_events.number == sa.bindparam("of")).values(sent=1)
)
_AFTER = compiled(
    sa.select(*_row)
    .where(_events.number > sa.bindparam("after"))
    .order_by(_events.number)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_NEWEST = compiled(sa.select(sa.func.max(_events.number)))
# What a checkpoint holds is not told again, so that its key is not needed any more.
_TIDY = compiled(
    schema.stream_events.delete().where(
        _events.part == sa.bindparam("part"),
        _events.sent == 1,
        _events.kept_at < sa.bindparam("before"),
        _events.position
        <= sa.select(_marks.position).where(_marks.part == sa.bindparam("part")).scalar_subquery(),
    )
)


# The newest one says from where numbers go on.
_FORGET = compiled(
    schema.stream_events.delete().where(
        _events.number <= sa.bindparam("number", type_=sa.Integer),
        _events.number < sa.select(sa.func.max(_events.number)).scalar_subquery(),
        _events.sent == 1,
    )
)
_HIGHEST = compiled(
    sa.select(sa.func.max(_events.position)).where(_events.part == sa.bindparam("part"))
)
_AT = compiled(
    sa.select(_events.number)
    .where(_events.part == sa.bindparam("part"), _events.position == sa.bindparam("position"))
    .order_by(_events.nth)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event with its place: the `nth` of the message at `position`; and its series by id."""

    position: int
    nth: int
    happened: Happened
    series: dict[int, SeriesInfo]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event under the number that it was kept by."""

    number: int
    part: str
    told: Told


def add_event(
    transaction: Transaction, part: str, told: Told, at: float, *, is_sent: bool = False
) -> None:
    """Keep an event, once; `is_sent` where there is no topic for it.

    Numbers are seen in their order: who has read up to one has missed none below it.
    """
    transaction.alone(_ORDER)
    row = {"part": part, "position": told.position, "nth": told.nth, "kept_at": at}
    transaction.run(_ADD, {**row, "sent": int(is_sent), "body": pack((part, told))})


def numbers_of(transaction: Transaction, part: str, position: int) -> list[int]:
    """The numbers of the events of a position, in order; also of those told by an earlier try."""
    rows = transaction.rows(_AT, {"part": part, "position": position})
    return [int(number) for (number,) in rows]


class SqlEvents:
    """The events of all parts."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def due(self, part: str, most: int) -> list[KeptEvent]:
        """Those of a part that were not sent yet, in the order in which they happened."""
        with self._db.read() as looks:
            return _kept(looks.rows(_DUE, {"part": part, "most": most}))

    def sent(self, numbers: Collection[int]) -> None:
        """They were sent on."""
        with self._db.write() as transaction:
            for number in numbers:
                transaction.run(_SENT, {"of": number})

    def after(self, number: int, most: int) -> list[KeptEvent]:
        """Those above a number, in order."""
        with self._db.read() as looks:
            return _kept(looks.rows(_AFTER, {"after": number, "most": most}))

    def newest(self) -> int:
        """The highest number, 0 without any."""
        with self._db.read() as looks:
            row = looks.first(_NEWEST, {})
        return int(row[0] or 0) if row else 0

    def position(self, part: str) -> int:
        """The highest position of a part that has an event, -1 without any."""
        with self._db.read() as looks:
            row = looks.first(_HIGHEST, {"part": part})
        return -1 if row is None or row[0] is None else int(row[0])

    def tidy(self, part: str, before: float) -> int:
        """Delete what was sent, is older than a time, and is never told again; how many."""
        with self._db.write() as transaction:
            return transaction.run(_TIDY, {"part": part, "before": before})

    def forget(self, number: int) -> int:
        """Delete those up to a number that were sent; how many. The newest one always stays."""
        with self._db.write() as transaction:
            return transaction.run(_FORGET, {"number": number})


def _kept(rows: Sequence[Row]) -> list[KeptEvent]:
    found = []
    for number, body in rows:
        part, told = unpack(tuple[str, Told], body)
        found.append(KeptEvent(number=int(number), part=part, told=told))
    return found
