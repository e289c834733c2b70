"""One partition in life: its messages move its state, and what came of them is kept with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np

from detector.errors import InputError
from detector.stream.anomaly import Happened
from detector.stream.columns import SeriesInfo
from detector.stream.feedback import Tuning
from pipelines.stores.checkpoints import Held, TenantHeld
from pipelines.stores.connections import Transaction
from pipelines.stores.events import Told
from pipelines.stores.said import Said
from pipelines.stores.worker_parts import Owed, WorkerPartStore
from pipelines.topics.port import Message

__all__ = ["Judge", "Letter", "PoisonError", "Together", "Unit", "WorkerPart"]

Found = TypeVar("Found")

_HEARD = "part.heard"
_LONGEST = 500
# Seconds without messages are told apart for two days, and so many events of each.
_SECONDS, _OF_A_SECOND = 180_000, 10_000


class Unit(Enum):
    """What the messages of a topic are full of."""

    SAMPLES = "samples"
    LINES = "lines"
    SPANS = "spans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """So many messages in one step: to judge them tells by message what happened then."""

    count: int
    judge: Callable[[], Sequence[Sequence[Happened]]]


class Judge(Protocol):
    """What the messages of one partition move; for one thread at a time.

    `count` is how many of `unit` were taken, `newest` the time of the newest one (unix ms).
    """

    @property
    def unit(self) -> Unit:
        """What it counts."""
        ...

    @property
    def count(self) -> int:
        """How many it took."""
        ...

    @property
    def newest(self) -> int | None:
        """When the newest one was."""
        ...

    def restore(self, held: Held) -> None:
        """Go on from a checkpoint, in place of what is."""
        ...

    def read(self, message: Message) -> Callable[[], Sequence[Happened]]:
        """What judging it is, with what happened then; `InputError` where it cannot be read."""
        ...

    def together(self, messages: Sequence[Message]) -> Together | None:
        """What judging some of the first is in one step; None where each is to be read alone.

        All that comes of it is as if they had been. Nothing is changed before it is judged.
        """
        ...

    def passed(self) -> None:
        """A message was not read to its end; what it brought by then is known still."""
        ...

    def whole_to(self, offset: int) -> int:
        """Up to where all messages are in its state, of those that were read up to an offset."""
        ...

    def close(self) -> Sequence[Happened]:
        """Judge what waits for more of its kind; what happened then."""
        ...

    def time_goes(self, now: int) -> Sequence[Happened] | None:
        """It is that late (unix ms), and nothing comes; None where that changes nothing."""
        ...

    def go_on_at(self, position: int) -> None:
        """The next message is not behind the last one, but behind this offset. `StoreError`."""
        ...

    def said(self, said: Said) -> tuple[Sequence[Happened], Sequence[Tuning]]:
        """Apply what a person said."""
        ...

    def named(self, happened: Happened) -> dict[int, SeriesInfo]:
        """The series of an anomaly by their ids."""
        ...

    def release(self) -> None:
        """What happened is named, and nothing waits: ids of the forgotten may be given away."""
        ...

    def settle(self) -> None:
        """Write what need not wait for a checkpoint. `StoreError`, `ConflictError`."""
        ...

    def held(self) -> Mapping[str, TenantHeld]:
        """All that a checkpoint is to hold."""
        ...

    def add(self, transaction: Transaction) -> None:
        """Put what stands beside the state into the transaction of a checkpoint."""
        ...

    def wrote(self) -> None:
        """The checkpoint is written."""
        ...

    def open(self) -> int:
        """How many anomalies last."""
        ...


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
    judged since the last checkpoint, `owed` what happened and is not kept yet. `read` is the offset
    of the last message that was read; up to `position` all are in the state, up to `kept` in a
    checkpoint.
    """

    def __init__(self, store: WorkerPartStore, judge: Judge) -> None:
        self._store, self._judge = store, judge
        self.read = self.position = self.kept = -1
        self._before: int | None = None
        self._has_heard = self._is_late = False
        self.heard = 0
        self.owed = Owed()
        self.letters: list[Letter] = []

    @property
    def judge(self) -> Judge:
        """What it moves."""
        return self._judge

    @property
    def newest(self) -> int | None:
        """The time of the newest sample, line or span, in unix milliseconds."""
        found = [at for at in (self._before, self._judge.newest) if at is not None]
        return max(found, default=None)

    @property
    def has_moved(self) -> bool:
        """Whether there is more than the last checkpoint holds."""
        is_said = self._has_heard or self._is_late
        return self.position != self.kept or bool(self.owed) or is_said

    def take(self, beginning: Callable[[], int]) -> int:
        """Become the owner and go on from the last checkpoint; the offset to read next.

        Where there is none yet, `beginning` says it, and that is kept at once.
        """
        held = self._store.take()
        self._judge.restore(held)
        self.position = self.kept = held.position
        self._before = self._store.newest
        self.heard = max((_number(one) for one in held.tenants.values()), default=0)
        self.owed, self.letters = Owed(), []
        if self.position < 0:
            self.position = beginning() - 1
            if self.position >= 0:
                self.checkpoint()
        self.read = self.position
        return self.position + 1

    def begin_at(self, offset: int) -> None:
        """Go on from another offset than that of the checkpoint, and keep that."""
        self._owe(self._judge.close(), self.read)
        self._judge.go_on_at(offset - 1)
        self.read = self.position = offset - 1
        self.checkpoint()

    def apply(self, message: Message) -> None:
        """Take the next message, once: one that comes again is passed over.

        What cannot be read becomes a letter. `PoisonError` where it broke the judging.
        """
        if message.offset <= self.read:
            return
        try:
            judging = self._judge.read(message)
        except InputError as error:
            self.refuse(message, str(error))
        except Exception as error:  # noqa: BLE001 - whatever is in a message must not stop the rest
            self.refuse(message, f"an error of serinus itself: {error!r}")
        else:
            self._owe(_whole(judging), message.offset)
            self._is_read(message.offset)

    def apply_together(self, messages: Sequence[Message]) -> int:
        """Take as many of the first as can be judged in one step; 0 where `apply` is to take one.

        `PoisonError` where one of them broke the judging.
        """
        offsets = [message.offset for message in messages]
        if any(offset <= before for before, offset in pairwise([self.read, *offsets])):
            return 0
        try:
            found = self._judge.together(messages)
        except Exception:  # noqa: BLE001 - what is wrong with one is found when it is read alone
            return 0
        if found is None:
            return 0
        for offset, happened in zip(offsets, _whole(found.judge), strict=False):
            self._owe(happened, offset)
        self._is_read(offsets[found.count - 1])
        return found.count

    def refuse(self, message: Message, reason: str) -> None:
        """Put a message aside with a reason, and go on behind it."""
        self._judge.passed()
        self.letters.append(Letter(message=message, reason=reason[:_LONGEST]))
        self._is_read(message.offset)

    def time_goes(self, now: int) -> None:
        """It is that late (unix ms) and nothing came since: what follows is kept at once.

        No message tells it again, so it is not told to anybody before it is in a checkpoint.
        """
        if self.letters:
            return
        happened = self._judge.time_goes(now)
        if happened is not None:
            self._is_read(self.read)
            self._owe(happened, self.position, nth=_nth(now))
            self.checkpoint()

    def hear(self) -> None:
        """Apply what people said since; it is in the state of the next checkpoint."""
        for said in self._store.said(self.heard):
            happened, tunings = self._judge.said(said)
            # No message told it: its place is before the first.
            self._owe(happened, -1 - said.number)
            self.owed.tunings += [(said.tenant, tuning) for tuning in tunings]
            self.owed.applied.append(said.number)
            self.heard, self._has_heard = said.number, True

    def tell(self) -> None:
        """Keep the events that are owed, before their checkpoint.

        What no message tells waits for it.
        """
        if self._is_late:
            return
        if self.owed:
            self._store.tell(self.owed)
            self.owed = Owed()
        self._judge.settle()

    def checkpoint(self) -> None:
        """Keep state, position and what is owed in one transaction; may be tried again.

        Only once all `letters` are delivered: the position says that they are.
        """
        tenants = {name: self._with_heard(one) for name, one in self._judge.held().items()}
        self._store.checkpoint(
            self.position, tenants, self.owed, self.newest, beside=self._judge.add
        )
        self._judge.wrote()
        self.owed, self.letters, self.kept = Owed(), [], self.position
        self._has_heard = self._is_late = False

    def stop(self, words: str) -> None:
        """Tell people why it is not read any more."""
        self._store.stopped(words)

    def open(self) -> int:
        """How many anomalies last."""
        return self._judge.open()

    def _is_read(self, offset: int) -> None:
        self.read, self.position = offset, self._judge.whole_to(offset)

    def _owe(self, happened: Sequence[Happened], position: int, *, nth: int = 0) -> None:
        self.owed.events += [
            Told(position=position, nth=place, happened=one, series=self._judge.named(one))
            for place, one in enumerate(happened, nth)
        ]
        self._judge.release()

    def _with_heard(self, held: TenantHeld) -> TenantHeld:
        heard = np.array([self.heard], np.int64)
        return replace(held, arrays={**held.arrays, _HEARD: heard})


def _whole(judging: Callable[[], Sequence[Found]]) -> Sequence[Found]:
    try:
        return judging()
    except Exception as error:
        raise PoisonError(f"an error of serinus itself: {error!r}") from error


def _nth(now: int) -> int:
    """Where events of a second without messages stand: behind those of the last message."""
    return (1 + now // 1000 % _SECONDS) * _OF_A_SECOND


def _number(held: TenantHeld) -> int:
    return int(held.arrays[_HEARD][0]) if _HEARD in held.arrays else 0
