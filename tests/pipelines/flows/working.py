"""Workers without threads: partitions as lists of messages, shares that read them, one database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from detector.errors import BrokerError
from detector.signals.packs import shipped_packs
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_door import PartDoor
from pipelines.flows.worker_metrics import MetricsJudge
from pipelines.flows.worker_part import Letter, WorkerPart
from pipelines.flows.worker_share import Share, ShareSettings
from pipelines.ingest.columnar import packed
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Format
from pipelines.ingest.tally import Tally
from pipelines.stores import schema
from pipelines.stores.checkpoints import Checkpoints, TenantHeld
from pipelines.stores.connections import Connections
from pipelines.stores.worker_parts import WorkerPartStore, progress_of
from pipelines.topics.port import Headers, Message, Partition, Span

__all__ = [
    "MINUTE",
    "T0",
    "TOPIC",
    "Log",
    "body_of",
    "gauges",
    "kept",
    "messages",
    "operators_of",
    "part_of",
    "share_on",
    "told",
]

T0 = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000
MINUTE = 60_000
TOPIC = "metrics"
OWNERS = Owners(shipped_packs())
SETTINGS = StreamSettings(alarms_a_week=0.1)


def gauges(count: int, service: str = "checkout") -> list[SeriesInfo]:
    """Gauges of some pods of one service."""
    return [
        SeriesInfo(
            labels=(("__name__", "queue"), ("pod", f"{service}-{n}"), ("service", service)),
            kind=SeriesKind.GAUGE,
        )
        for n in range(count)
    ]


def told(
    offset: int,
    value: bytes | None,
    *,
    number: int = 0,
    at: int | None = None,
    headers: Headers = (),
) -> Message:
    """A message of a partition."""
    return Message(
        partition=Partition(TOPIC, number),
        offset=offset,
        at=T0 + offset * MINUTE if at is None else at,
        key=b"checkout",
        value=value,
        headers=headers,
    )


def messages(
    minutes: int = 260, series: int = 3, *, number: int = 0, poison: Collection[int] = ()
) -> list[Message]:
    """One message a minute; from the 200th on two series are far out for twenty minutes.

    A series joins late, so that ids are given all along; at `poison` stand messages that are none.
    """
    rng = np.random.default_rng(7 + number)
    value = 10 + rng.normal(size=(minutes, series))
    value[200:220, :2] += 30
    every = gauges(series, f"checkout{number}")
    found = []
    for minute in range(minutes):
        count = series if minute >= 100 else series - 1
        body = body_of(every[:count], value[minute, :count].tolist(), T0 + minute * MINUTE)
        body = b"\xc1 no message" if minute in poison else body
        found.append(told(minute, body, number=number))
    return found


def body_of(table: Sequence[SeriesInfo], value: Sequence[float], at: int = T0) -> bytes:
    """A columnar message with one sample of each series."""
    columns = Columns(
        series=np.arange(len(table), dtype=np.int32),
        at=np.full(len(table), at, np.int64),
        value=np.array(value, np.float64),
    )
    return packed(table, columns)


@dataclass(slots=True)
class Log:
    """Partitions, and where dead letters go; `is_down` refuses those."""

    partitions: Mapping[Partition, Sequence[Message]]
    letters: list[Letter] = field(default_factory=list)
    is_down: bool = False
    start: int = 0

    def spans(self, asked: Collection[Partition]) -> Mapping[Partition, Span]:
        """What each partition holds."""
        return {
            one: Span(start=self.start, end=self.start + len(self.partitions[one])) for one in asked
        }

    def deliver(self, letter: Letter) -> None:
        """Put one aside."""
        if self.is_down:
            raise BrokerError("the broker does not answer")
        self.letters.append(letter)


def part_of(
    database: Connections,
    partition: Partition,
    worker: str,
    operators: type[Operators] = Operators,
    written: Format = Format.COLUMNAR,
) -> WorkerPart:
    """One partition of a worker."""
    store = WorkerPartStore(
        database, f"{partition.topic}/{partition.number}", worker, clock=lambda: 1.0
    )
    door = PartDoor(written, Limits(), Tally())
    made = operators(owners=OWNERS, settings=SETTINGS, origin=store.part)
    return WorkerPart(store, MetricsJudge(made, door))


def operators_of(part: WorkerPart) -> Operators:
    """What a partition of metrics moves."""
    assert isinstance(part.judge, MetricsJudge)
    return part.judge.operators


def share_on(
    database: Connections,
    log: Log,
    worker: str = "w1",
    operators: type[Operators] = Operators,
    settings: ShareSettings | None = None,
) -> Share:
    """The share of a worker."""
    return Share(
        open_part=lambda partition: part_of(database, partition, worker, operators),
        spans=log.spans,
        deliver=log.deliver,
        flush=lambda: None,
        settings=settings or ShareSettings(letters_again_s=0.0),
    )


def kept(database: Connections) -> dict[str, Any]:
    """All that is kept, but for who did it and how often it changed hands."""
    found: dict[str, Any] = {}
    for one in progress_of(database):
        held = Checkpoints(database, one.part).take()
        found[one.part] = (
            held.position,
            one.newest,
            {name: _plain(tenant) for name, tenant in held.tenants.items()},
        )
    with database.built() as connection:
        for table, but in (
            (schema.anomalies, set()),
            (schema.stream_events, {"number", "kept_at", "sent"}),
        ):
            columns = [column for column in table.c if column.name not in but]
            query = table.select().with_only_columns(*columns)
            found[table.name] = sorted(tuple(row) for row in connection.execute(query))
    return found


def _plain(held: TenantHeld) -> tuple[object, ...]:
    """To the bit."""
    arrays = {
        name: (array.dtype.str, array.shape, array.tobytes()) for name, array in held.arrays.items()
    }
    return arrays, list(held.series)
