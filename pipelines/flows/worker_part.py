"""One partition in life: its messages move its state, and what came of them is kept with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.errors import InputError
from detector.stream.anomaly import Happened
from detector.stream.columns import Columns
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_door import PartDoor, Remembered
from pipelines.stores.checkpoints import TenantHeld
from pipelines.stores.events import Told
from pipelines.stores.worker_parts import Owed, WorkerPartStore
from pipelines.topics.port import Message

__all__ = ["Letter", "PoisonError", "WorkerPart"]

_MEMORY, _HEARD = "door.memory", "part.heard"
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that could not be judged, and why."""

    message: Message
    reason: str


class PoisonError(Exception):
    """A message broke the judging in its midst: the state is not to be used any more."""


class WorkerPart:
    """For one thread at a time.

    State follows from the messages in their order alone. `letters` are those that could not be
    judged since the last checkpoint, `owed` what happened and is not kept yet; `position` is the
    offset of the last message that was taken, of which `kept` is in a checkpoint.
    """

    def __init__(self, store: WorkerPartStore, operators: Operators, door: PartDoor) -> None:
        self._store, self._operators, self._door = store, operators, door
        self.position = self.kept = -1
        self.newest: int | None = None
        self.samples = 0
        self._has_heard = False
        self.heard = 0
        self.owed = Owed()
        self.letters: list[Letter] = []

    @property
    def operators(self) -> Operators:
        """What it moves."""
        return self._operators

    @property
    def has_moved(self) -> bool:
        """Whether there is more than the last checkpoint holds."""
        return self.position != self.kept or bool(self.owed) or self._has_heard

    def take(self, beginning: Callable[[], int]) -> int:
        """Become the owner and go on from the last checkpoint; the offset to read next.

        Where there is none yet, `beginning` says it, and that is kept at once.
        """
        held = self._store.take()
        self._operators.restore(held.tenants)
        remembered = {name: _remembered(one) for name, one in held.tenants.items()}
        self._door.restore(remembered, self._operators.names)
        self.position = self.kept = held.position
        self.newest = self._store.newest
        self.heard = max((_number(one) for one in held.tenants.values()), default=0)
        self.owed, self.letters = Owed(), []
        if self.position < 0:
            self.position = beginning() - 1
            if self.position >= 0:
                self.checkpoint()
        return self.position + 1

    def begin_at(self, offset: int) -> None:
        """Go on from another offset than that of the checkpoint, and keep that."""
        self.position = offset - 1
        self.checkpoint()

    def apply(self, message: Message) -> None:
        """Take the next message, once: one that comes again is passed over.

        What cannot be read becomes a letter. `PoisonError` where it broke the judging.
        """
        if message.offset <= self.position:
            return
        try:
            tenant, columns = self._door.read(message)
        except InputError as error:
            self.refuse(message, str(error))
        except Exception as error:  # noqa: BLE001 - whatever is in a message must not stop the rest
            self.refuse(message, f"an error of serinus itself: {error!r}")
        else:
            self._judge(message, tenant, columns)
        self.position = message.offset

    def refuse(self, message: Message, reason: str) -> None:
        """Put a message aside with a reason, and go on behind it."""
        self._introduce()
        self.letters.append(Letter(message=message, reason=reason[:_LONGEST]))
        self.position = message.offset

    def hear(self) -> None:
        """Apply what people said since; it is in the state of the next checkpoint."""
        for said in self._store.said(self.heard):
            happened, tunings = self._operators.said(said.tenant, said.feedback)
            # No message told it: its place is before the first.
            self._owe(happened, -1 - said.number)
            self.owed.tunings += [(said.tenant, tuning) for tuning in tunings]
            self.owed.applied.append(said.number)
            self.heard, self._has_heard = said.number, True

    def tell(self) -> None:
        """Keep the events that are owed, before their checkpoint."""
        if self.owed:
            self._store.tell(self.owed)
            self.owed = Owed()

    def checkpoint(self) -> None:
        """Keep state, position and what is owed in one transaction; may be tried again.

        Only once all `letters` are delivered: the position says that they are.
        """
        tenants = {
            name: self._with_memory(name, one) for name, one in self._operators.held().items()
        }
        self._store.checkpoint(self.position, tenants, self.owed, self.newest)
        self._operators.renew()
        self.owed, self.letters, self.kept = Owed(), [], self.position
        self._has_heard = False

    def stop(self, words: str) -> None:
        """Tell people why it is not read any more."""
        self._store.stopped(words)

    def open(self) -> int:
        """How many anomalies last."""
        return self._operators.open()

    def _introduce(self) -> None:
        for tenant, new in self._door.new().items():
            infos, ids = [info for _, info in new], [id for id, _ in new]
            self._operators.introduce(tenant, infos, ids, are_named=True)

    def _judge(self, message: Message, tenant: str, columns: Columns) -> None:
        try:
            self._introduce()
            happened = self._operators.samples(tenant, columns)
            # Nothing that was read before waits to be judged.
            self._operators.release(tenant)
        except Exception as error:
            raise PoisonError(f"an error of serinus itself: {error!r}") from error
        self._owe(happened, message.offset)
        if len(columns):
            self.samples += len(columns)
            self.newest = max(self.newest or 0, int(columns.at.max()))

    def _owe(self, happened: Sequence[Happened], position: int) -> None:
        self.owed.events += [
            Told(position=position, nth=nth, happened=one, series=self._operators.named(one))
            for nth, one in enumerate(happened)
        ]

    def _with_memory(self, tenant: str, held: TenantHeld) -> TenantHeld:
        memory = np.frombuffer(self._door.memory(tenant), np.uint8)
        heard = np.array([self.heard], np.int64)
        return replace(held, arrays={**held.arrays, _MEMORY: memory, _HEARD: heard})


def _number(held: TenantHeld) -> int:
    return int(held.arrays[_HEARD][0]) if _HEARD in held.arrays else 0


def _remembered(held: TenantHeld) -> Remembered:
    memory = held.arrays.get(_MEMORY)
    return Remembered(memory=b"" if memory is None else memory.tobytes())
