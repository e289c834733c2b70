"""What people said of the anomalies of a part, on its way to the worker that has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from detector.stream.feedback import Feedback
from pipelines.stores import schema
from pipelines.stores.codec import pack, unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.statements import compiled, insertion

__all__ = ["Said", "SqlSaid", "mark_applied", "said_after"]

_said = schema.stream_said.c
_ADD = insertion(schema.stream_said, but="number")
_LAST = compiled(sa.select(sa.func.max(_said.number)).where(_said.part == sa.bindparam("part")))
_AFTER = compiled(
    sa.select(_said.number, _said.body)
    .where(_said.part == sa.bindparam("part"), _said.number > sa.bindparam("after"))
    .order_by(_said.number)
)
_IS_APPLIED = compiled(sa.select(_said.applied).where(_said.number == sa.bindparam("number")))
_APPLIED = compiled(
    schema.stream_said.update().where(_said.number == sa.bindparam("of")).values(applied=1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Feedback under the number that it was kept by; numbers of a part are in its order.

    `is_of_lines`: on an anomaly that is none of metrics.
    """

    number: int
    tenant: str
    feedback: Feedback
    is_of_lines: bool = False


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """As it is kept."""

    tenant: str
    feedback: Feedback
    is_of_lines: bool = False


class SqlSaid:
    """The side of those who are told by people."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def say(self, part: str, tenant: str, feedback: Feedback, *, is_of_lines: bool = False) -> int:
        """Keep it for the worker of a part, durably; its number."""
        with self._db.write(durable=True) as transaction:
            # One after the other: who has heard one has heard all with lower numbers.
            transaction.alone(f"said {part}")
            body = pack(_Body(tenant, feedback, is_of_lines))
            transaction.run(_ADD, {"part": part, "applied": 0, "body": body})
            row = transaction.first(_LAST, {"part": part})
        assert row is not None
        return int(row[0])

    def is_applied(self, number: int) -> bool:
        """Whether the worker has taken it."""
        with self._db.read() as looks:
            row = looks.first(_IS_APPLIED, {"number": number})
        return row is not None and bool(row[0])


def said_after(looks: Transaction, part: str, number: int) -> list[Said]:
    """What was said to a part after a number, in order."""
    found = []
    for at, body in looks.rows(_AFTER, {"part": part, "after": number}):
        one = unpack(_Body, body)
        found.append(
            Said(
                number=int(at),
                tenant=one.tenant,
                feedback=one.feedback,
                is_of_lines=one.is_of_lines,
            )
        )
    return found


def mark_applied(transaction: Transaction, numbers: Sequence[int]) -> None:
    """A worker has taken these."""
    for number in numbers:
        transaction.run(_APPLIED, {"of": number})
