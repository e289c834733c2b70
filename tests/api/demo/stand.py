"""What tests of the demo stand on: real processes in a folder, and waiting for their end."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from api.demo.children import Child, Children
from api.demo.shop import Shop
from api.demo.web import Exchange, Reply, listen, serving

__all__ = ["answers", "gone", "in_shop", "on_stage", "python_child", "until", "web"]

WITHIN_S = 60.0
T = TypeVar("T")


def on_stage(folder: Path, act: Callable[[Children], Awaitable[T]]) -> T:
    """What `act` returns; its processes have ended when this returns."""

    async def run() -> T:
        async with asyncio.timeout(100), Children(folder) as children:
            return await act(children)

    return asyncio.run(run())


def in_shop(folder: Path, act: Callable[[Shop], Awaitable[T]], *, memory: int = 24_000_000) -> T:
    """The same with a shop, which is closed before its pods end."""

    async def run(children: Children) -> T:
        shop = Shop(children, folder, seed=1, memory_limit=memory)
        try:
            return await act(shop)
        finally:
            await shop.close()

    return on_stage(folder, run)


async def python_child(children: Children, code: str, name: str = "child") -> Child:
    """A process that runs a line of Python."""
    return await children.start(name, (sys.executable, "-c", code))


def gone(pid: int) -> bool:
    """Whether a process, anybody's, has ended or ends soon."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([watch], [], [], WITHIN_S)
        return bool(ready)
    finally:
        os.close(watch)


async def until(fact: Callable[[], bool]) -> None:
    """Return once it is so; `TimeoutError` when it does not become so."""
    async with asyncio.timeout(WITHIN_S):
        while not fact():  # noqa: ASYNC110 - another process makes it so
            await asyncio.sleep(0.01)


@asynccontextmanager
async def web(*replies: Reply) -> AsyncIterator[tuple[int, list[Exchange]]]:
    """A server that gives these replies in turn, the last for ever; its port, what was asked."""
    asked: list[Exchange] = []

    async def respond(exchange: Exchange) -> Reply:
        asked.append(exchange)
        return replies[min(len(asked), len(replies)) - 1]

    async with serving(respond, listen()) as port:
        yield port, asked


async def answers(port: int, sent: bytes) -> bytes:
    """All that a server says to some bytes until it or the bytes end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(WITHIN_S):
            return await reader.read()
    finally:
        writer.close()
