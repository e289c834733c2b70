"""Messages that come again although they were taken: their answer got lost, or came too late.

Metrics may be told twice, lines may not: each is counted. Neither OTLP nor Loki names its messages,
but a sender repeats the bytes, and lines that tell their nanosecond are never the same by chance.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.ingest.decoded import FullError

if TYPE_CHECKING:
    from pipelines.ingest.logs.taken import TakenLines
    from pipelines.ingest.protocol import LogDoor

__all__ = ["Repeats"]

_Key = tuple[str, "LogDoor", int, int]


class Repeats:
    """The messages that were taken lately, by their bytes; safe for threads.

    At most `most` of them, each for `keep_s` seconds: senders give up after some minutes.
    """

    def __init__(
        self, clock: Callable[[], float], *, most: int = 16_384, keep_s: float = 900.0
    ) -> None:
        self._clock, self._most, self._keep_s = clock, most, keep_s
        self._lock = threading.Lock()
        self._taken: OrderedDict[_Key, tuple[float, TakenLines]] = OrderedDict()
        self._under_way: set[_Key] = set()

    def once(
        self, tenant: str, door: LogDoor, body: bytes, take: Callable[[], TakenLines]
    ) -> tuple[TakenLines, bool]:
        """What `take` gives, or what it gave for the same bytes before; and whether it did.

        `FullError` while the same bytes are being taken.
        """
        key = (tenant, door, hash(body), len(body))
        known = self._begin(key)
        if known is not None:
            return known, True
        try:
            taken = take()
            if taken.is_timed:
                self._keep(key, taken)
            return taken, False
        finally:
            with self._lock:
                self._under_way.discard(key)

    def _begin(self, key: _Key) -> TakenLines | None:
        with self._lock:
            self._forget()
            known = self._taken.get(key)
            if known is not None:
                return known[1]
            if key in self._under_way:
                raise FullError("the same message is being taken: ask again in a moment")
            self._under_way.add(key)
            return None

    def _keep(self, key: _Key, taken: TakenLines) -> None:
        with self._lock:
            self._taken[key] = (self._clock(), taken.repeated())
            if len(self._taken) > self._most:
                self._taken.popitem(last=False)

    def _forget(self) -> None:
        oldest = self._clock() - self._keep_s
        while self._taken and next(iter(self._taken.values()))[0] < oldest:
            self._taken.popitem(last=False)
