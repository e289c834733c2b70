"""The bounded room in which questions are answered: so many at once, so many waiting, so long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from api.problems import Overloaded

__all__ = ["Pool"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class _Place:
    """One call's place in the room; it is given back once, by whoever ends it."""

    is_abandoned: bool = False
    is_begun: bool = False


class Pool:
    """Runs blocking calls in threads; what does not fit is refused at once.

    At most `concurrent` calls run and `queued` wait. A call that is not done after `bound_s`
    (its waiting included) is given up with `TimeoutError`; while its thread goes on it still
    takes a place, so that slow calls cannot pile up behind the callers' backs.
    """

    def __init__(self, *, concurrent: int, queued: int, bound_s: float) -> None:
        self.bound_s = bound_s
        self._most = concurrent + queued
        self._limiter: anyio.CapacityLimiter | None = None
        self._turns = threading.BoundedSemaphore(concurrent)
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """Calls that run or wait."""
        return self._taken

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The call's result; `Overloaded` where there is no room, `TimeoutError` when late."""
        place = self._enter()
        work = partial(self._work, place, partial(call, *args, **kwargs))
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._most)
        try:
            with anyio.fail_after(self.bound_s):
                return await anyio.to_thread.run_sync(
                    work, abandon_on_cancel=True, limiter=self._limiter
                )
        except TimeoutError as error:
            text = f"No answer within {self.bound_s:g} s; nothing was decided. Ask again."
            raise TimeoutError(text) from error
        finally:
            self._abandon(place)

    def _enter(self) -> _Place:
        with self._lock:
            if self._taken >= self._most:
                raise Overloaded(
                    f"{self._taken} questions are under way here: ask again in a moment."
                )
            self._taken += 1
        return _Place()

    def _abandon(self, place: _Place) -> None:
        """Nobody waits any more: a call that has not begun never will."""
        with self._lock:
            if not place.is_begun and not place.is_abandoned:
                self._taken -= 1
            place.is_abandoned = True

    def _begin(self, place: _Place) -> bool:
        with self._lock:
            place.is_begun = not place.is_abandoned
            return place.is_begun

    def _work(self, place: _Place, call: Callable[[], T]) -> T:
        if not self._turns.acquire(timeout=self.bound_s):
            raise TimeoutError  # its caller gave up too, so threads cannot gather here for ever
        try:
            return self._called(place, call)
        finally:
            self._turns.release()

    def _called(self, place: _Place, call: Callable[[], T]) -> T:
        if not self._begin(place):
            raise TimeoutError
        try:
            return call()
        finally:
            with self._lock:
                self._taken -= 1
