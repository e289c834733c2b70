"""The bounded room of questions: a slow one hangs no other, too many are refused at once."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import anyio
import pytest

from api.pool import Pool
from api.problems import Overloaded


class Gate:
    """Calls that wait for leave to go on; counts who is inside."""

    def __init__(self) -> None:
        self.leave = threading.Event()
        self.inside = threading.Semaphore(0)
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def call(self) -> str:
        """Wait for leave."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.inside.release()
        self.leave.wait(10)
        with self._lock:
            self._now -= 1
        return "done"


@contextmanager
def opened() -> Iterator[Gate]:
    """A gate that lets everybody out at the end."""
    gate = Gate()
    try:
        yield gate
    finally:
        gate.leave.set()


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    with anyio.fail_after(5):
        while not holds():  # noqa: ASYNC110 - nothing tells it
            await anyio.sleep(0.002)


async def outcome(pool: Pool, call: Callable[[], str], results: list[str]) -> None:
    """The result, or the name of the error."""
    try:
        results.append(await pool.run(call))
    except (Overloaded, TimeoutError) as error:
        results.append(type(error).__name__)


def test_no_more_run_at_once_than_may() -> None:
    """Threads and connections stay bounded however many ask."""

    async def scene() -> tuple[list[str], int]:
        results: list[str] = []
        pool = Pool(concurrent=2, queued=6, bound_s=5)
        with opened() as gate:
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(outcome, pool, gate.call, results)
                await until(lambda: pool.taken == 8 and gate.most == 2)
                gate.leave.set()
        return results, gate.most

    results, most = anyio.run(scene)
    assert results == ["done"] * 8
    assert most == 2


def test_what_does_not_fit_is_refused_at_once() -> None:
    """And fits again when the others are done."""

    async def scene() -> tuple[list[str], float]:
        results: list[str] = []
        pool = Pool(concurrent=1, queued=1, bound_s=5)
        with opened() as gate:
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(outcome, pool, gate.call, results)
                await until(lambda: pool.taken == 2)
                began = time.perf_counter()
                await outcome(pool, gate.call, results)
                took = time.perf_counter() - began
                gate.leave.set()
        await outcome(pool, gate.call, results)
        assert pool.taken == 0
        return results, took

    results, took = anyio.run(scene)
    assert results == ["Overloaded", "done", "done", "done"]
    assert took < 0.5


def test_nobody_waits_longer_than_the_bound() -> None:
    """Whoever waits for a thread and whoever waits in one hear the same after the same time."""

    async def scene() -> list[str]:
        results: list[str] = []
        pool = Pool(concurrent=1, queued=3, bound_s=0.2)
        with opened() as gate:
            async with anyio.create_task_group() as group:
                for _ in range(4):
                    group.start_soon(outcome, pool, gate.call, results)
            assert pool.taken == 1, "the one that runs still takes its place"
            gate.leave.set()
            await until(lambda: pool.taken == 0)
        return results

    assert anyio.run(scene) == ["TimeoutError"] * 4


def test_a_call_that_nobody_waits_for_any_more_is_never_begun() -> None:
    """A question that was given up must not be asked later behind everybody's back."""

    async def scene() -> int:
        began: list[int] = []
        pool = Pool(concurrent=1, queued=4, bound_s=0.5)

        def count() -> str:
            began.append(1)
            return "late"

        with opened() as gate:
            async with anyio.create_task_group() as group:
                group.start_soon(outcome, pool, gate.call, [])
                # Who has entered may not have had its turn yet.
                await until(lambda: gate.most == 1)
                for _ in range(4):
                    group.start_soon(outcome, pool, count, [])
            gate.leave.set()
            await until(lambda: pool.taken == 0)
        return len(began)

    assert anyio.run(scene) == 0


def _is_waiting(frame: FrameType | None) -> bool:
    """Whether a thread is inside of the room."""
    while frame is not None:
        if frame.f_code is Pool._work.__code__:
            return True
        frame = frame.f_back
    return False


def test_threads_do_not_gather_behind_calls_that_hang() -> None:
    """Those that wait for their turn give up with their callers."""

    async def scene() -> int:
        pool = Pool(concurrent=1, queued=8, bound_s=0.1)
        with opened() as gate:
            await outcome(pool, gate.call, [])
            for _ in range(4):
                async with anyio.create_task_group() as group:
                    for _ in range(8):
                        group.start_soon(outcome, pool, gate.call, [])
            await anyio.sleep(0.3)
            return sum(_is_waiting(frame) for frame in sys._current_frames().values())

    assert anyio.run(scene) == 1


def test_an_error_gives_its_place_back() -> None:
    """Errors must not fill the room."""

    async def scene() -> int:
        pool = Pool(concurrent=1, queued=0, bound_s=5)
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await pool.run(lambda: 1 // 0)
        return pool.taken

    assert anyio.run(scene) == 0


def test_a_caller_that_goes_away_gives_its_place_back() -> None:
    """A client that hangs up while it waits takes nothing with it."""

    async def scene() -> int:
        pool = Pool(concurrent=1, queued=1, bound_s=5)
        with opened() as gate:
            async with anyio.create_task_group() as group:
                group.start_soon(outcome, pool, gate.call, [])
                await until(lambda: gate.most == 1)
                with anyio.move_on_after(0.05):
                    await pool.run(gate.call)
                taken = pool.taken
                gate.leave.set()
        return taken

    assert anyio.run(scene) == 1
