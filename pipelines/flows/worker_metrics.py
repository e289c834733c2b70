"""The judge of a partition of metrics: samples move the operators of their tenants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from detector.errors import InputError
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns, SeriesInfo
from detector.stream.feedback import Tuning
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_door import PartDoor, Remembered
from pipelines.flows.worker_part import Together, Unit
from pipelines.ingest.decoded import Decoded
from pipelines.stores.checkpoints import Held, TenantHeld
from pipelines.stores.connections import Transaction
from pipelines.stores.said import Said
from pipelines.topics.port import Message

__all__ = ["MetricsJudge"]

_MEMORY = "door.memory"
# Samples that are judged in one step, or a message more: arrays of some hundred kilobytes.
_AT_ONCE = 32_768


class MetricsJudge:
    """`Judge`."""

    unit = Unit.SAMPLES

    def __init__(self, operators: Operators, door: PartDoor) -> None:
        self.operators, self._door = operators, door
        self.count = 0
        self.newest: int | None = None

    def restore(self, held: Held) -> None:
        """See `Judge`."""
        self.operators.restore(held.tenants)
        remembered = {name: _remembered(one) for name, one in held.tenants.items()}
        self._door.restore(remembered, self.operators.names)

    def read(self, message: Message) -> Callable[[], Sequence[Happened]]:
        """See `Judge`."""
        return partial(self._judge, *self._door.read(message))

    def together(self, messages: Sequence[Message]) -> Together | None:
        """See `Judge`: known series of one tenant, before the next hour."""
        tenant, taken, size = "", list[Decoded](), 0
        for message in messages:
            known = self._known(message)
            if known is None or (taken and known[0] != tenant):
                break
            tenant, decoded = known
            if not self.operators.is_steady(tenant, decoded.columns):
                break
            taken.append(decoded)
            size += len(decoded.columns)
            if size >= _AT_ONCE:
                break
        if not taken:
            return None
        return Together(count=len(taken), judge=partial(self._judge_all, tenant, taken))

    def passed(self) -> None:
        """See `Judge`."""
        self._introduce()

    def whole_to(self, offset: int) -> int:
        """See `Judge`: each is judged as it is read."""
        return offset

    def close(self) -> Sequence[Happened]:
        """See `Judge`: nothing waits."""
        return ()

    def time_goes(self, now: int) -> None:
        """See `Judge`."""

    def go_on_at(self, position: int) -> None:
        """See `Judge`."""

    def said(self, said: Said) -> tuple[Sequence[Happened], Sequence[Tuning]]:
        """See `Judge`."""
        return self.operators.said(said.tenant, said.feedback)

    def named(self, happened: Happened) -> dict[int, SeriesInfo]:
        """See `Judge`."""
        return self.operators.named(happened)

    def release(self) -> None:
        """See `Judge`."""
        self.operators.release_all()

    def settle(self) -> None:
        """See `Judge`: all of it waits."""

    def held(self) -> Mapping[str, TenantHeld]:
        """See `Judge`."""
        held = self.operators.held()
        return {name: self._with_memory(name, one) for name, one in held.items()}

    def add(self, transaction: Transaction) -> None:
        """See `Judge`: nothing stands beside it."""

    def wrote(self) -> None:
        """See `Judge`."""
        self.operators.renew()

    def open(self) -> int:
        """See `Judge`."""
        return self.operators.open()

    def _introduce(self) -> None:
        for tenant, new in self._door.new().items():
            infos, ids = [info for _, info in new], [id for id, _ in new]
            self.operators.introduce(tenant, infos, ids, are_named=True)

    def _judge(self, tenant: str, columns: Columns) -> Sequence[Happened]:
        self._introduce()
        happened = self.operators.samples(tenant, columns)
        self._count(columns)
        return happened

    def _judge_all(self, tenant: str, taken: Sequence[Decoded]) -> Sequence[Sequence[Happened]]:
        for decoded in taken:
            self._door.took(tenant, decoded)
        parts = [decoded.columns for decoded in taken]
        happened = self.operators.samples_together(tenant, parts)
        for columns in parts:
            self._count(columns)
        return happened

    def _count(self, columns: Columns) -> None:
        if len(columns):
            self.count += len(columns)
            self.newest = max(self.newest or 0, int(columns.at.max()))

    def _known(self, message: Message) -> tuple[str, Decoded] | None:
        try:
            return self._door.known(message)
        except InputError:
            # It is put aside when it is read alone, behind those before it.
            return None

    def _with_memory(self, tenant: str, held: TenantHeld) -> TenantHeld:
        memory = np.frombuffer(self._door.memory(tenant), np.uint8)
        return replace(held, arrays={**held.arrays, _MEMORY: memory})


def _remembered(held: TenantHeld) -> Remembered:
    memory = held.arrays.get(_MEMORY)
    return Remembered(memory=b"" if memory is None else memory.tobytes())
