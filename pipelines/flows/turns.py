"""Who waits for whom: one poll of an attempt at a time, a bound on its time, a bound on memory."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from detector.errors import SourceError, StoreError
from detector.ports import Clock

__all__ = ["Budget", "Recent", "Turns"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that one question may take in all."""

    seconds: float
    _begun: float = field(default_factory=time.monotonic)

    def left_s(self) -> float:
        """Seconds left; `SourceError` when there are none."""
        left = self.seconds - (time.monotonic() - self._begun)
        if left <= 0:
            raise SourceError(f"the metric source did not answer within {self.seconds:g} s in all")
        return left


class Turns:
    """A lock per name, kept only while somebody holds it or waits."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, name: str, *, timeout_s: float) -> Iterator[None]:
        """Wait for the turn of this name; `StoreError` when it does not come in time."""
        lock = self._join(name)
        try:
            if not lock.acquire(timeout=max(0.0, timeout_s)):
                raise StoreError(
                    f"overloaded: others have been asking the same for {timeout_s:g} s;"
                    " ask again later"
                )
            try:
                yield
            finally:
                lock.release()
        finally:
            self._leave(name)

    def _join(self, name: str) -> threading.Lock:
        with self._guard:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = (lock, users + 1)
            return lock

    def _leave(self, name: str) -> None:
        with self._guard:
            lock, users = self._locks[name]
            if users > 1:
                self._locks[name] = (lock, users - 1)
            else:
                del self._locks[name]


class Recent(Generic[T]):
    """The values used last: at most `size` of them, and none that nobody used for `idle_s`."""

    def __init__(
        self, size: int, *, idle_s: float = math.inf, clock: Clock = time.monotonic
    ) -> None:
        self._size, self._idle_s, self._clock = size, idle_s, clock
        self._guard = threading.Lock()
        self._values: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str) -> T | None:
        """A value, which is now the one used last."""
        with self._guard:
            held = self._values.get(name)
            if held is not None:
                self._keep(name, held[1])
            return None if held is None else held[1]

    def put(self, name: str, value: T) -> None:
        """Keep a value; the one not used for longest goes."""
        with self._guard:
            self._keep(name, value)

    def drop(self, name: str) -> None:
        """Forget a value."""
        with self._guard:
            self._values.pop(name, None)

    def _keep(self, name: str, value: T) -> None:
        now = self._clock()
        self._values[name] = (now, value)
        self._values.move_to_end(name)
        while len(self._values) > self._size or now - self._oldest() > self._idle_s:
            self._values.popitem(last=False)

    def _oldest(self) -> float:
        return next(iter(self._values.values()))[0]
