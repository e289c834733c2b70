"""Our own counters in a database: what they stood at every fifteen seconds, and stand at now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import sqlalchemy as sa
import zstandard
from numpy.typing import NDArray

from detector.errors import StoreError
from pipelines.stores import schema
from pipelines.stores.anomalies import upsert
from pipelines.stores.codec import inflated, pack, unpack
from pipelines.stores.connections import Connections, Transaction
from pipelines.stores.statements import compiled, insertion

__all__ = [
    "SPANS",
    "STEP_MS",
    "Frame",
    "OwnSeries",
    "SqlOwn",
    "add_frame",
    "add_series",
    "mark",
    "marked",
    "put_totals",
    "read_mark",
]

# Counters stand at something every so many milliseconds, where a part is not marked otherwise.
STEP_MS = 15_000
_STEP = "/step"
# Counters of spans are numbered apart from those of lines: as of a part whose name ends so.
SPANS = "/spans"
_MOST_BYTES = 2**28
Labels = tuple[tuple[str, str], ...]
_series, _frames, _marks = schema.own_series.c, schema.own_frames.c, schema.own_marks.c
_MARK = upsert(schema.own_marks, "part")
_ADD_SERIES = insertion(schema.own_series, keep_old=True)
_PUT_TOTAL = compiled(
    schema.own_series.update()
    .where(
        _series.part == sa.bindparam("of_part"),
        _series.tenant == sa.bindparam("of_tenant"),
        _series.id == sa.bindparam("of"),
    )
    .values(total=sa.bindparam("total"), seen=sa.bindparam("seen"))
)
_PUT_FRAME = upsert(schema.own_frames, "part", "tenant", "at")
_POSITION = compiled(sa.select(_marks.position).where(_marks.part == sa.bindparam("part")))
_PARTS = compiled(
    sa.select(_series.part, _series.tenant).distinct().order_by(_series.part, _series.tenant)
)
_SERIES_OF = compiled(
    sa.select(_series.id, _series.owner, _series.labels, _series.born, _series.total, _series.seen)
    .where(
        _series.part == sa.bindparam("part"),
        _series.tenant == sa.bindparam("tenant"),
        _series.id > sa.bindparam("above", type_=sa.BigInteger),
    )
    .order_by(_series.id)
)
_FRAMES_OF = compiled(
    sa.select(_frames.at, _frames.whole, _frames.body)
    .where(
        _frames.part == sa.bindparam("part"),
        _frames.tenant == sa.bindparam("tenant"),
        _frames.at >= sa.bindparam("since", type_=sa.BigInteger),
        _frames.at <= sa.bindparam("until", type_=sa.BigInteger),
    )
    .order_by(_frames.at)
)
_WHOLE_BEFORE = compiled(
    sa.select(sa.func.max(_frames.at)).where(
        _frames.part == sa.bindparam("part"),
        _frames.tenant == sa.bindparam("tenant"),
        _frames.whole == 1,
        _frames.at <= sa.bindparam("at", type_=sa.BigInteger),
    )
)
_NEWEST = compiled(
    sa.select(sa.func.max(_frames.at)).where(
        _frames.part == sa.bindparam("part"), _frames.tenant == sa.bindparam("tenant")
    )
)
_DROP_FRAMES = compiled(
    schema.own_frames.delete().where(_frames.at < sa.bindparam("before", type_=sa.BigInteger))
)
_DROP_SERIES = compiled(
    schema.own_series.delete().where(_series.seen < sa.bindparam("before", type_=sa.BigInteger))
)

_DROP_OF_LIVING = compiled(
    schema.own_series.delete().where(
        _series.seen < sa.bindparam("before", type_=sa.BigInteger),
        _series.part.in_(sa.select(_frames.part)),
    )
)


def _none() -> NDArray[np.int32]:
    return np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What counters stood at, at a time (unix milliseconds).

    Where it is not `whole`, those that it does not name stand where they stood. Of `born` ones it
    is the first, so that they stood at zero a step before.
    """

    at: int
    whole: bool
    ids: NDArray[np.int32]
    values: NDArray[np.float64]
    born: NDArray[np.int32] = field(default_factory=_none)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSeries:
    """A counter. `labels` have its name; `owner` is the same for all of one pod.

    `born` is when it came, `seen` when it last rose, in unix milliseconds.
    """

    id: int
    owner: int
    labels: Labels
    born: int = 0
    total: float = 0.0
    seen: int = 0


def mark(transaction: Transaction, part: str, position: int) -> None:
    """What follows of all records up to a position is in this transaction, or in one before."""
    transaction.run(_MARK, {"part": part, "position": position})


def marked(looks: Transaction, part: str) -> int:
    """Up to which position of a part all is kept, -1 for none."""
    row = looks.first(_POSITION, {"part": part})
    return -1 if row is None else int(row[0])


def read_mark(part: str, tenant: str, source: str) -> str:
    """Under which name it is marked how far a source was read for a tenant."""
    return f"{part}/read/{tenant}/{source}"


def add_series(transaction: Transaction, part: str, tenant: str, series: OwnSeries) -> None:
    """Keep a new counter."""
    row = {"part": part, "tenant": tenant, "id": series.id, "owner": series.owner}
    stands = {"born": series.born, "total": series.total, "seen": series.seen}
    transaction.run(_ADD_SERIES, {**row, **stands, "labels": pack(series.labels)})


def put_totals(
    transaction: Transaction, part: str, tenant: str, stands: Iterable[tuple[int, float, int]]
) -> None:
    """What counters stand at now: their ids, totals, and when they last rose."""
    transaction.run_many(
        _PUT_TOTAL,
        (
            {"of_part": part, "of_tenant": tenant, "of": id, "total": total, "seen": seen}
            for id, total, seen in stands
        ),
    )


def add_frame(transaction: Transaction, part: str, tenant: str, frame: Frame) -> None:
    """Keep a frame; that of the same time is replaced."""
    arrays = (frame.ids.tobytes(), frame.values.tobytes(), frame.born.tobytes())
    body = zstandard.compress(pack(arrays), level=1)
    row = {"part": part, "tenant": tenant, "at": frame.at, "whole": int(frame.whole)}
    transaction.run(_PUT_FRAME, {**row, "body": body})


class SqlOwn:
    """The counters of all parts and tenants."""

    def __init__(self, database: Connections) -> None:
        self._db = database

    def position(self, part: str) -> int:
        """Up to which position of a part all is kept, -1 for none."""
        with self._db.read() as looks:
            return marked(looks, part)

    def step_ms(self, part: str) -> int:
        """At which step the counters of a part are kept, in milliseconds."""
        marked = self.position(part + _STEP)
        return STEP_MS if marked < 0 else marked

    def keep_step(self, transaction: Transaction, part: str, step_ms: int) -> None:
        """From now on a part's are kept at this step; `StoreError` where some are at another."""
        kept = self.step_ms(part)
        if step_ms != kept and any(of in (part, part + SPANS) for of, _ in self.parts()):
            raise StoreError(
                f"counters of logs are kept here every {kept / 1000:g} s, and are to be kept every"
                f" {step_ms / 1000:g} s: what is here cannot be gone on with"
            )
        mark(transaction, part + _STEP, step_ms)

    def parts(self) -> list[tuple[str, str]]:
        """Parts and tenants that have counters."""
        with self._db.read() as looks:
            return [(str(part), str(tenant)) for part, tenant in looks.rows(_PARTS, {})]

    def series(self, part: str, tenant: str, *, above: int = -1) -> list[OwnSeries]:
        """Those with ids above one, in order."""
        with self._db.read() as looks:
            rows = looks.rows(_SERIES_OF, {"part": part, "tenant": tenant, "above": above})
        return [
            OwnSeries(
                id=int(id),
                owner=int(owner),
                labels=unpack(tuple[tuple[str, str], ...], labels),
                born=int(born),
                total=float(total),
                seen=int(seen),
            )
            for id, owner, labels, born, total, seen in rows
        ]

    def frames(self, part: str, tenant: str, since: int, until: int) -> list[Frame]:
        """All up to a time, from the last whole one on that is not after `since`."""
        of = {"part": part, "tenant": tenant}
        with self._db.read() as looks:
            row = looks.first(_WHOLE_BEFORE, {**of, "at": since})
            begin = since if row is None or row[0] is None else int(row[0])
            rows = looks.rows(_FRAMES_OF, {**of, "since": begin, "until": until})
        return [_frame(int(at), bool(whole), body) for at, whole, body in rows]

    def newest(self, part: str, tenant: str) -> int:
        """The time of the last frame, 0 without any."""
        with self._db.read() as looks:
            row = looks.first(_NEWEST, {"part": part, "tenant": tenant})
        return int(row[0] or 0) if row else 0

    def prune(self, *, frames_before: int, series_before: int, of_living: bool = False) -> int:
        """Delete what is older; how many frames. `of_living`: counters of parts with frames."""
        with self._db.write() as transaction:
            gone = transaction.run(_DROP_FRAMES, {"before": frames_before})
            drop = _DROP_OF_LIVING if of_living else _DROP_SERIES
            transaction.run(drop, {"before": series_before})
        return gone


def _frame(at: int, whole: bool, body: bytes) -> Frame:
    whole_body = inflated(body, most=_MOST_BYTES)
    ids, values, born = _arrays(unpack(tuple[bytes, bytes, bytes], whole_body))
    return Frame(at=at, whole=whole, ids=ids, values=values, born=born)


def _arrays(
    parts: Iterable[bytes],
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    ids, values, born = parts
    return (
        np.frombuffer(ids, np.int32),
        np.frombuffer(values, np.float64),
        np.frombuffer(born, np.int32),
    )
