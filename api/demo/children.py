"""Processes of the demo: each in a group of its own, spoken to in JSON lines, stopped for sure."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

import api
from detector.errors import SerinusError

__all__ = ["Child", "ChildError", "Children", "python"]

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 5.0
T = TypeVar("T")


class ChildError(SerinusError):
    """A process of the demo did not start, or went away; the text ends with its log."""


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of ours, whatever the working directory holds."""
    return (sys.executable, "-P", "-m", module, *arguments)


class Child:
    """A running process; `name` is for people."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.returncode

    def tail(self, characters: int = 2000) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-characters:]

    async def tell(self, message: object) -> None:
        """Send one JSON line; silently nothing when it is gone."""
        if self._process.stdin is not None and self.code is None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(msgspec.json.encode(message) + b"\n")
                await self._process.stdin.drain()

    async def hear(self, type_: type[T], *, within_s: float = READY_WITHIN_S) -> T:
        """Its next JSON line; `ChildError` when it ends, talks nonsense or says nothing."""
        try:
            async with asyncio.timeout(within_s):
                line = await self._line()
            return msgspec.json.decode(line, type=type_)
        except TimeoutError:
            raise ChildError(
                f"{self.name} said nothing for {within_s:g} s:\n{self.tail()}"
            ) from None
        except msgspec.DecodeError as error:
            raise ChildError(f"{self.name} said what is not JSON: {error}") from error

    async def lines(self, type_: type[T]) -> AsyncIterator[T]:
        """What it says, until it ends."""
        while line := await self._read():
            yield msgspec.json.decode(line, type=type_)

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        return await self._process.wait()

    async def stop(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """Ask its whole group to end, and make it end after `within_s`."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(within_s):
                await self._process.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()

    def send(self, what: signal.Signals) -> None:
        """Send a signal to the group; nothing when it is gone."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, what)

    async def _line(self) -> bytes:
        line = await self._read()
        if not line:
            raise ChildError(f"{self.name} ended with {await self.wait()}:\n{self.tail()}")
        return line

    async def _read(self) -> bytes:
        return await self._process.stdout.readline() if self._process.stdout else b""


class Children:
    """All processes of one demo; leaving the `async with` block stops every one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: set[Child] = set()

    async def __aenter__(self) -> Children:
        atexit.register(self._kill)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await asyncio.shield(asyncio.gather(*(c.stop() for c in tuple(self._running))))
        finally:
            self._kill()
            atexit.unregister(self._kill)

    async def start(self, name: str, command: Sequence[str]) -> Child:
        """Start a command; what it writes to standard error goes to `<name>.log`."""
        log = self.folder / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
                env=_environment(),
            )
        child = Child(name, process, log)
        self._running.add(child)
        return child

    async def stop(self, child: Child) -> None:
        """Stop one."""
        await child.stop()
        self._running.discard(child)

    async def forget(self, child: Child) -> int:
        """Wait until one ends by itself; its exit code."""
        code = await child.wait()
        self._running.discard(child)
        return code

    def _kill(self) -> None:
        for child in self._running:
            child.send(signal.SIGKILL)
        self._running.clear()


def _environment() -> dict[str, str]:
    """Ours, with the place of this very tree first: a child must not import another.

    The user's `SERINUS_...` stay outside: a token of theirs would lock the demo out of its gate.
    """
    tree = str(Path(api.__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SERINUS_")}
    return kept | {
        "PYTHONPATH": f"{tree}{os.pathsep}{known}" if known else tree,
        "PROMETHEUS_DISABLE_CREATED_SERIES": "true",
    }
