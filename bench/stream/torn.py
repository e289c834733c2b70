"""The control of faults.py: state and offset in two transactions, and a death between them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.signals.packs import shipped_packs
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_door import PartDoor
from pipelines.flows.worker_metrics import MetricsJudge
from pipelines.flows.worker_part import WorkerPart
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Format
from pipelines.ingest.tally import Tally
from pipelines.stores.checkpoints import TenantHeld
from pipelines.stores.connections import Transaction
from pipelines.stores.sqlite import Database
from pipelines.stores.worker_parts import Owed, WorkerPartStore
from pipelines.topics.port import Message, Partition
from tests.api.cli.workers import ALARMS, TOPIC, read_topic
from tests.pipelines.flows.working import kept

__all__ = ["TornStore", "judge", "torn_run"]

CHECKPOINT_EVERY = 50


class DiedError(Exception):
    """The process is gone."""


class TornStore(WorkerPartStore):
    """Writes state and events first, and the offset after that; `is_dying` dies between the two."""

    is_dying = False

    def checkpoint(
        self,
        position: int,
        tenants: Mapping[str, TenantHeld],
        owed: Owed,
        newest: int | None,
        *,
        beside: Callable[[Transaction], None] = lambda _: None,
    ) -> None:
        """As every consumer that commits its offset when it is done."""
        super().checkpoint(self.offset, tenants, owed, newest, beside=beside)
        if self.is_dying:
            raise DiedError
        super().checkpoint(position, tenants, Owed(), newest)
        self.offset = position

    offset: int = -1


def torn_run(
    address: str, folder: Path, *, partitions: int, deaths: int, seed: int
) -> dict[str, Any]:
    """Judge all messages of the topic; what is kept then."""
    by_partition: dict[int, list[Message]] = {number: [] for number in range(partitions)}
    for record in read_topic(address, TOPIC):
        by_partition[record.partition].append(
            Message(
                partition=Partition(TOPIC, record.partition),
                offset=record.offset,
                at=record.timestamp,
                key=record.key,
                value=record.value,
            )
        )
    database, draw = Database(folder / "torn.db"), random.Random(seed)
    for number, messages in by_partition.items():
        share = deaths // partitions + (number < deaths % partitions)
        dying = set(draw.sample(range(1, max(len(messages) // CHECKPOINT_EVERY, 2)), k=1) * share)
        judge(database, messages, dying)
    found = kept(database)
    database.close()
    return found


def judge(database: Database, messages: Sequence[Message], dying: set[int]) -> None:
    """Judge messages of a partition; at the checkpoints of these numbers it dies."""
    part, store, at = _opened(database, messages[0].partition)
    while at < len(messages):
        part.apply(messages[at])
        at += 1
        if at % CHECKPOINT_EVERY and at < len(messages):
            continue
        store.is_dying = at // CHECKPOINT_EVERY in dying
        dying.discard(at // CHECKPOINT_EVERY)
        try:
            part.checkpoint()
        except DiedError:
            part, store, at = _opened(database, messages[0].partition)


def _opened(database: Database, partition: Partition) -> tuple[WorkerPart, TornStore, int]:
    store = TornStore(database, f"{partition.topic}/{partition.number}", "torn")
    operators = Operators(
        owners=Owners(shipped_packs()),
        settings=StreamSettings(alarms_a_week=ALARMS),
        origin=f"{partition.topic}/{partition.number}",
    )
    part = WorkerPart(store, MetricsJudge(operators, PartDoor(Format.COLUMNAR, Limits(), Tally())))
    at = part.take(lambda: 0)
    store.offset = at - 1
    return part, store, at
