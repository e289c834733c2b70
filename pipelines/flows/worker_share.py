"""The partitions that are a worker's: taken, judged, kept, and given back."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import takewhile

from detector.errors import BrokerError, ConflictError, SerinusError, StoreError
from pipelines.flows.worker_meters import WorkerMeters
from pipelines.flows.worker_part import Letter, PoisonError, WorkerPart
from pipelines.topics.port import Begin, Message, Partition, Span

__all__ = ["Share", "ShareSettings", "WhenGone"]

# So many messages may wait to be put aside; then their partition does.
MOST_LETTERS = 1_000
# So many messages in a row that break the judging say that we are broken, not they.
MOST_BROKEN = 3
# To judge fewer in one step is not worth it.
_FEW = 2
_STORE, _LETTERS = "its database", "its dead-letter topic"


class WhenGone(Enum):
    """What is done where the log does not hold the offset that is to be read next."""

    STOP = "stop"
    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareSettings:
    """`begin` is where a partition is begun that was never read.

    After letters were refused it is `letters_again_s` until they are tried again.
    """

    begin: Begin = Begin.EARLIEST
    when_gone: WhenGone = WhenGone.STOP
    letters_again_s: float = 10.0


@dataclass(slots=True, kw_only=True)
class Share:
    """For one thread at a time.

    `waiting` are partitions that are ours and whose state we do not have; a `generation` is given
    to each that is taken, so that messages which were read before that are told from later ones.
    """

    open_part: Callable[[Partition], WorkerPart]
    spans: Callable[[Collection[Partition]], Mapping[Partition, Span]]
    deliver: Callable[[Letter], None]
    flush: Callable[[], None]
    settings: ShareSettings = field(default_factory=ShareSettings)
    meters: WorkerMeters = field(default_factory=WorkerMeters)
    clock: Callable[[], float] = time.time
    parts: dict[Partition, WorkerPart] = field(default_factory=dict)
    waiting: set[Partition] = field(default_factory=set)
    stopped: set[Partition] = field(default_factory=set)
    generation: dict[Partition, int] = field(default_factory=dict)
    _poison: dict[Partition, dict[int, str]] = field(default_factory=dict)
    _alone: dict[Partition, int] = field(default_factory=dict)
    _given: int = 0
    _letters_at: float = -math.inf

    def assigned(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """These are ours now; the offsets to read on from, of those whose state could be had."""
        self.waiting |= set(partitions)
        return self.taken()

    def taken(self) -> dict[Partition, int]:
        """Take what waits; the offsets to read on from. What is left waits on."""
        found: dict[Partition, int] = {}
        for partition in sorted(self.waiting):
            try:
                found[partition] = self._take(partition)
            except (StoreError, BrokerError) as error:
                self.meters.wait(_away(error), error)
        return found

    def apply_all(self, messages: Sequence[Message]) -> None:
        """Judge the next messages of a partition, several in one step where that is the same.

        Once the partition is not ours any more, or is taken anew, the rest is passed over.
        """
        part = self.parts.get(messages[0].partition)
        left = deque(messages)
        while left and part is not None and self.parts.get(left[0].partition) is part:
            took = self._together(part, left)
            if not took:
                self.apply(left[0])
            for _ in range(took or 1):
                left.popleft()

    def apply(self, message: Message) -> None:
        """Judge the next message of a partition that is ours; another one is passed over."""
        partition = message.partition
        part = self.parts.get(partition)
        if part is None:
            return
        reason = self._poison.get(partition, {}).get(message.offset)
        before = part.judge.count, len(part.owed.events)
        try:
            if reason is None:
                part.apply(message)
            else:
                part.refuse(message, reason)
        except PoisonError as error:
            self._break(message, str(error))
            return
        self._count(part, 1, *before)

    def tell(self) -> None:
        """Keep the events that are owed, and put aside what could not be judged."""
        self._each(_tell, is_whole=False)

    def checkpoint(self) -> None:
        """Keep all that moved; `StoreError` where it cannot be, then try again."""
        began = time.monotonic()
        if not any(part.has_moved for part in self.parts.values()):
            return
        self._each(lambda part: part.checkpoint() if part.has_moved else None)
        self.meters.checkpoints += 1
        self.meters.checkpoint_s = time.monotonic() - began
        self.meters.checkpoint_at = self.clock()

    def time_goes(self, ends: Mapping[Partition, int], now: int) -> None:
        """It is that late (unix ms), and before that nothing was written behind these offsets."""
        idle = [
            one for one, part in self.parts.items() if one in ends and part.read + 1 >= ends[one]
        ]
        self._each(lambda part: part.time_goes(now), idle)

    def revoked(self, partitions: Collection[Partition]) -> None:
        """These go to another: keep what moved, then let go; `StoreError` where it cannot be."""
        self._each(lambda part: part.checkpoint() if part.has_moved else None, partitions)
        self.lost(partitions)

    def lost(self, partitions: Collection[Partition]) -> None:
        """These are another's: let go of what is held. It is judged again from its checkpoint."""
        for partition in partitions:
            self._drop(partition)
            self.waiting.discard(partition)
            self.stopped.discard(partition)
            self._poison.pop(partition, None)
            self._alone.pop(partition, None)
            self.meters.stopped.pop(partition, None)
            self.meters.newest.pop(partition, None)

    def gone(self, offsets: Mapping[tuple[str, int], int]) -> dict[Partition, int]:
        """The log does not hold these offsets; where to read on."""
        found: dict[Partition, int] = {}
        for place, wanted in offsets.items():
            partition = Partition(*place)
            if partition in self.parts:
                span = self.spans([partition])[partition]
                # A log that was cut and has grown again since holds other messages there.
                offset = self._beyond(partition, wanted if wanted >= 0 else span.end + 1, span)
                if offset is not None:
                    self.parts[partition].begin_at(offset)
                    found[partition] = offset
        return found

    def held(self) -> set[Partition]:
        """Those of which nothing is to be read just now."""
        full = {one for one, part in self.parts.items() if len(part.letters) >= MOST_LETTERS}
        return self.waiting | self.stopped | full

    def kept(self) -> dict[Partition, int]:
        """The offsets before which all is in a checkpoint."""
        return {one: part.kept + 1 for one, part in self.parts.items() if part.kept >= 0}

    def _take(self, partition: Partition) -> int:
        part = self.open_part(partition)
        offset = part.take(lambda: self._beginning(partition))
        self.parts[partition] = part
        self.waiting.discard(partition)
        self._given += 1
        self.generation[partition] = self._given
        self.meters.back(_STORE)
        self.meters.back("the broker")
        return offset

    def _beginning(self, partition: Partition) -> int:
        span = self.spans([partition])[partition]
        return span.start if self.settings.begin is Begin.EARLIEST else span.end

    def _drop(self, partition: Partition) -> None:
        self.parts.pop(partition, None)
        self.generation.pop(partition, None)

    def _together(self, part: WorkerPart, messages: Sequence[Message]) -> int:
        """How many of the first were judged in one step, those that broke it among them."""
        partition = messages[0].partition
        poison, alone = self._poison.get(partition, {}), self._alone.get(partition, -1)
        fit = [*takewhile(lambda one: one.offset > alone and one.offset not in poison, messages)]
        if len(fit) < _FEW:
            return 0
        before = part.judge.count, len(part.owed.events)
        try:
            took = part.apply_together(fit)
        except PoisonError as error:
            self._part(fit[-1], str(error))
            return len(fit)
        if took:
            self._count(part, took, *before)
        return took

    def _part(self, last: Message, reason: str) -> None:
        """Begin again from the checkpoint, and judge up to a message one by one: one breaks it."""
        partition = last.partition
        self.meters.log.warning(
            "one of some messages broke the judging",
            **_place(partition),
            to_offset=last.offset,
            why=reason,
        )
        self._alone[partition] = last.offset
        self._drop(partition)
        self.waiting.add(partition)

    def _break(self, message: Message, reason: str) -> None:
        """Begin again from the checkpoint, and put that message aside when it comes again."""
        partition, offset = message.partition, message.offset
        self.meters.poison += 1
        self.meters.log.error(
            "a message broke the judging", **_place(partition), offset=offset, why=reason
        )
        poison = self._poison.setdefault(partition, {})
        poison[offset] = reason
        if all(offset - back in poison for back in range(MOST_BROKEN)):
            words = f"{MOST_BROKEN} messages in a row up to offset {offset} broke it: {reason}"
            self._stop(partition, words)
            return
        self._drop(partition)
        self.waiting.add(partition)

    def _count(self, part: WorkerPart, messages: int, taken: int, owed: int) -> None:
        self.meters.messages += messages
        self.meters.taken[part.judge.unit] += part.judge.count - taken
        for told in part.owed.events[owed:]:
            self.meters.anomalies += told.happened.kind.value == "opened"

    def _each(
        self,
        write: Callable[[WorkerPart], None],
        of: Collection[Partition] | None = None,
        *,
        is_whole: bool = True,
    ) -> None:
        """Write every part of ours; one that another has taken is taken anew.

        What `is_whole` moves the offset: it is not written while there are letters.
        """
        for partition in list(self.parts) if of is None else of:
            part = self.parts.get(partition)
            if part is None:
                continue
            try:
                if self._is_delivered(part) or not is_whole:
                    write(part)
            except ConflictError as error:
                self.meters.conflicts += 1
                self.meters.log.warning("taken anew", **_place(partition), why=str(error))
                self._drop(partition)
                self.waiting.add(partition)
            if part.newest is not None:
                self.meters.newest[partition] = part.newest
        self.meters.back(_STORE)

    def _is_delivered(self, part: WorkerPart) -> bool:
        """Put aside what could not be judged: until that is done its offset does not move."""
        if not part.letters:
            return True
        if time.monotonic() < self._letters_at:
            return False
        try:
            for letter in part.letters:
                self.deliver(letter)
            self.flush()
        except BrokerError as error:
            self._letters_at = time.monotonic() + self.settings.letters_again_s
            self.meters.wait(_LETTERS, error)
            return False
        self.meters.letters += len(part.letters)
        self.meters.back(_LETTERS)
        part.letters = []
        return True

    def _beyond(self, partition: Partition, wanted: int, span: Span) -> int | None:
        """Where to go on; what the log has deleted meanwhile is gone, and counted."""
        told = f"offset {wanted} is to be read, the log holds {span.start} to {span.end}"
        if wanted < span.start:
            self.meters.gone += span.start - wanted
            self.meters.log.error(
                "messages are gone: the log deleted them before they were read",
                **_place(partition),
                messages=span.start - wanted,
            )
            return span.start
        match self.settings.when_gone:
            case WhenGone.EARLIEST:
                self.meters.log.error("begins anew at the earliest", **_place(partition), why=told)
                return span.start
            case WhenGone.LATEST:
                self.meters.log.error("begins anew at the latest", **_place(partition), why=told)
                return span.end
        self._stop(
            partition,
            f"{told}: the topic was made anew, or the broker lost messages;"
            " set worker.when_gone to earliest or latest to go on",
        )
        return None

    def _stop(self, partition: Partition, words: str) -> None:
        """Read it no more, and keep nothing of it: the next worker begins at its checkpoint."""
        self.stopped.add(partition)
        self.meters.stopped[partition] = words
        self.meters.log.error("a partition is not read any more", **_place(partition), why=words)
        part = self.parts[partition]
        self._drop(partition)
        part.stop(words)


def _tell(part: WorkerPart) -> None:
    part.hear()
    part.tell()


def _place(partition: Partition) -> dict[str, object]:
    return {"topic": partition.topic, "partition": partition.number}


def _away(error: SerinusError) -> str:
    return _STORE if isinstance(error, StoreError) else "the broker"
