"""Connections and datagrams of syslog; the lines that they bring go to a sink in batches."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial

from detector.errors import ConfigError
from detector.logs.lines import LogLines, Origin
from detector.logs.ports import LogSink
from pipelines.ingest.records.building import lines_of
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.keeping import KeepingMeters
from pipelines.ingest.records.plain import Told
from pipelines.syslog.framing import Framing
from pipelines.syslog.message import SyslogLines

__all__ = ["Address", "Bounds", "Senders", "Syslog", "SyslogMeters"]

_PIECE = 64 * 1024
_START_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen; with a context of TLS only those are heard who speak it."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Senders:
    """Whose lines come: `origin` goes before what they say, `zone` is of times without one."""

    tenant: str = "default"
    origin: Origin = field(default_factory=partial(Origin, service=""))
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is taken at once: connections, bytes of a message and of all that wait; of a batch."""

    connections: int = 256
    message: int = 64 * 1024
    waiting: int = 16 * 1024 * 1024
    batch: int = 2_000
    linger_s: float = 0.2
    full_s: float = 0.2


@dataclass(slots=True, kw_only=True)
class SyslogMeters(KeepingMeters):
    """Running totals."""

    name: str = "serinus.syslog"
    cannot: str = "cannot keep lines of syslog"
    again: str = "keeps lines of syslog again"
    connections: int = 0
    turned_away: int = 0
    broken: int = 0
    datagrams_dropped: int = 0


class Syslog:
    """Listens in a thread of its own; `close` ends it, with what came given on as it can be.

    Where the sink has no room connections are not read, so that senders wait; datagrams cannot
    wait, and are counted as dropped. Syslog confirms nothing: what is held here, at most
    `waiting` bytes, is lost with the process.
    """

    def __init__(
        self,
        sink: LogSink,
        *,
        tcp: Address | None = None,
        udp: Address | None = None,
        senders: Senders | None = None,
        bounds: Bounds | None = None,
        records: Callable[[Callable[[Flaw], None]], JsonLines] = JsonLines,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sink, self._tcp, self._udp = sink, tcp, udp
        self._senders = senders or Senders()
        self._bounds = bounds or Bounds()
        self._clock = clock
        self.meters = SyslogMeters()
        self._lines = SyslogLines(self.meters.flaws.add, records(self.meters.flaws.add))
        self._ready = threading.Event()
        self._error: OSError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self.tcp_port = self.udp_port = 0
        self._waiting = 0
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)

    def start(self) -> None:
        """Listen; `ConfigError` where an address cannot be had."""
        self._thread.start()
        self._ready.wait(_START_S)
        if self._error is not None:
            raise ConfigError(f"logs.syslog: cannot listen: {self._error}")

    def close(self) -> None:
        """End: what came is given on once more, then let go."""
        if self._loop is not None and self._closing is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        # None comes last.
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            server, transport = await self._open()
        except OSError as error:
            self._error = error
            self._ready.set()
            return
        self._ready.set()
        keeping = asyncio.create_task(self._keep())
        await self._closing.wait()
        for listening in (server, transport):
            if listening is not None:
                listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._queue.put_nowait(None)
        await keeping

    async def _open(self) -> tuple[asyncio.Server | None, asyncio.DatagramTransport | None]:
        server = transport = None
        if self._tcp is not None:
            handshake = None if self._tcp.tls is None else _START_S
            server = await asyncio.start_server(
                self._connected,
                self._tcp.host,
                self._tcp.port,
                limit=_PIECE,
                ssl=self._tcp.tls,
                ssl_handshake_timeout=handshake,
            )
            self.tcp_port = server.sockets[0].getsockname()[1]
        if self._udp is not None:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(
                partial(_Datagrams, self._heard),
                local_addr=(self._udp.host, self._udp.port),
            )
            self.udp_port = transport.get_extra_info("sockname")[1]
        return server, transport

    def _heard(self, datagram: bytes) -> None:
        if self._room.is_set():
            self._add(datagram[: self._bounds.message])
        else:
            self.meters.datagrams_dropped += 1

    def _add(self, message: bytes) -> None:
        self._queue.put_nowait(message)
        self._waiting += len(message)
        if self._waiting >= self._bounds.waiting:
            self._room.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.meters.connections >= self._bounds.connections:
            self.meters.turned_away += 1
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.meters.connections += 1
        try:
            await self._read(reader)
        except (OSError, ssl.SSLError):
            self.meters.broken += 1
        finally:
            self.meters.connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take messages of a connection while there is room for them."""
        framing = Framing(self._bounds.message)
        while piece := await reader.read(_PIECE):
            for message in framing.take(piece):
                self._add(message)
            self._count_long(framing)
            await self._room.wait()
        for message in framing.end():
            self._add(message)

    def _count_long(self, framing: Framing) -> None:
        if framing.too_long:
            self.meters.flaws.add(Flaw.TOO_LONG, framing.too_long)
            framing.too_long = 0

    async def _keep(self) -> None:
        """Give on what waits, in batches, until the last."""
        is_last = False
        while not is_last:
            messages = [await self._queue.get()]
            if self._queue.qsize() < self._bounds.batch:
                await asyncio.sleep(self._bounds.linger_s)
            while len(messages) < self._bounds.batch and not self._queue.empty():
                messages.append(self._queue.get_nowait())
            is_last = messages[-1] is None
            await self._give([message for message in messages if message is not None])

    async def _give(self, messages: list[bytes]) -> None:
        """Give messages on for as long as it takes, or once more where it is the end."""
        lines = await asyncio.to_thread(self._read_all, messages)
        is_over = False
        assert self._closing is not None
        while not await asyncio.to_thread(self._put, lines) and not is_over:
            is_over = self._closing.is_set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._bounds.full_s)
        self._waiting -= sum(map(len, messages))
        if self._waiting < self._bounds.waiting:
            self._room.set()

    def _read_all(self, messages: list[bytes]) -> LogLines:
        now = round(self._clock() * 1000)
        told = Told(origin=self._senders.origin, now=now, zone=self._senders.zone)
        lines = (self._lines.read(message, told) for message in messages)
        return lines_of(line for line in lines if line is not None)

    def _put(self, lines: LogLines) -> bool:
        if not len(lines):
            return True
        try:
            if not self._sink.put(self._senders.tenant, lines):
                self.meters.fulls += 1
                return False
        except Exception as error:  # noqa: BLE001 - the one at the top of the thread
            self.meters.failed(error)
            return False
        self.meters.took(len(lines))
        return True


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        """One message each (RFC 5426)."""
        del addr
        self._heard(data)
