"""The demo's customers: a process that sends real requests, split between versions by weight.

It takes `Split` as JSON lines on standard input and says a `Second` on standard output each second.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator

import msgspec

from api.demo.calls import PAGES
from api.demo.tether import die_with_parent
from api.demo.web import content_length

__all__ = ["Arm", "Customers", "Second", "Split", "Tally", "TrafficConfig", "main"]

MOST_AT_ONCE = 256
ANSWER_WITHIN_S = 3.0
# What the customers do most; posts are orders.
VISITS = (("GET", "/cart", 0.5), ("GET", "/checkout", 0.3), ("POST", "/orders", 0.2))
assert {path for _, path, _ in VISITS} == PAGES.keys()


class TrafficConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is started with."""

    parent: int
    requests_per_s: float


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One version: its name, its share of the traffic (any unit), the ports of its pods."""

    version: str
    weight: float
    ports: tuple[int, ...]


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How the traffic is split from now on."""

    arms: tuple[Arm, ...] = ()

    def pick(self, draw: random.Random) -> Arm | None:
        """An arm by weight, among those that have pods."""
        arms = [arm for arm in self.arms if arm.ports and arm.weight > 0]
        if not arms:
            return None
        return draw.choices(arms, weights=[arm.weight for arm in arms])[0]


class Tally(msgspec.Struct, kw_only=True):
    """What the customers of one version saw in a second; a refused connection is an error too."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0


class Second(msgspec.Struct, frozen=True, kw_only=True):
    """All versions' tallies of the second that ended at `at`; `dropped` had no pod to go to."""

    at: float
    arms: dict[str, Tally]
    dropped: int = 0


class Customers:
    """Sends requests over kept-alive connections, at random times, as many a second as asked."""

    def __init__(self, *, seed: int | None = None) -> None:
        self.split = Split()
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self.dropped = 0
        self._draw = random.Random(seed)
        self._idle: defaultdict[int, list[_Connection]] = defaultdict(list)
        self._visits: set[asyncio.Task[None]] = set()

    async def send(self, requests_per_s: float) -> None:
        """Go on until cancelled; a burst makes up for what a busy machine delayed."""
        due = time.monotonic()
        while True:
            due += self._draw.expovariate(requests_per_s)
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            self._visit()

    def second(self) -> Second:
        """What was counted since the last call."""
        tallies, self.tallies = self.tallies, defaultdict(Tally)
        dropped, self.dropped = self.dropped, 0
        return Second(at=time.time(), arms=dict(tallies), dropped=dropped)

    def close(self) -> None:
        """Cut all connections."""
        for visit in self._visits:
            visit.cancel()
        for idle in self._idle.values():
            for connection in idle:
                connection.close()

    def _visit(self) -> None:
        arm = self.split.pick(self._draw)
        if arm is None or len(self._visits) >= MOST_AT_ONCE:
            self.dropped += 1
            return
        task = asyncio.create_task(self._ask(arm, self._draw.choice(arm.ports)))
        self._visits.add(task)
        task.add_done_callback(self._visits.discard)

    async def _ask(self, arm: Arm, port: int) -> None:
        method, path, _ = self._draw.choices(VISITS, weights=[share for *_, share in VISITS])[0]
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status = await self._exchange(port, method, path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            status = 0
        tally = self.tallies[arm.version]
        tally.requests += 1
        tally.errors += status != 200
        tally.seconds += time.perf_counter() - begun

    async def _exchange(self, port: int, method: str, path: str) -> int:
        async with self._connection(port) as connection:
            return await connection.exchange(method, path)

    @contextlib.asynccontextmanager
    async def _connection(self, port: int) -> AsyncIterator[_Connection]:
        """An idle connection or a new one; it is kept unless something went wrong."""
        connection = next(self._open_ones(port), None) or await _Connection.open(port)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle[port].append(connection)

    def _open_ones(self, port: int) -> Iterator[_Connection]:
        """Idle connections that the pod has not closed meanwhile."""
        while self._idle[port]:
            connection = self._idle[port].pop()
            if connection.is_open:
                yield connection
            connection.close()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> _Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @property
    def is_open(self) -> bool:
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def exchange(self, method: str, path: str) -> int:
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        await self._reader.readexactly(content_length(head))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        self._writer.close()


async def _report(customers: Customers) -> None:
    while True:
        await asyncio.sleep(1.0)
        print(msgspec.json.encode(customers.second()).decode(), flush=True)  # noqa: T201


async def _obey(customers: Customers) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        customers.split = msgspec.json.decode(line, type=Split)


async def _run(config: TrafficConfig) -> None:
    customers = Customers()
    tasks = [
        asyncio.create_task(customers.send(config.requests_per_s)),
        asyncio.create_task(_report(customers)),
        asyncio.create_task(_obey(customers)),
    ]
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, tasks[-1].cancel)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        customers.close()


def main() -> None:
    """Be the customers, as the JSON of the first argument says."""
    config = msgspec.json.decode(sys.argv[1], type=TrafficConfig)
    die_with_parent(config.parent, by=signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_run(config))


if __name__ == "__main__":
    main()
