"""A small HTTP/1.1 server: keep-alive, a handful of paths, next to no CPU per request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

__all__ = ["Exchange", "Reply", "Respond", "content_length", "listen", "serving"]

LARGEST_BODY = 65_536
PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: bytes = b"ok\n"
    content_type: str = "text/plain; charset=utf-8"

    def encode(self) -> bytes:
        """The bytes on the wire."""
        head = (
            f"HTTP/1.1 {self.status} {PHRASES.get(self.status, 'Unknown')}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode("ascii") + self.body


Respond = Callable[[Exchange], Awaitable[Reply]]


def listen(port: int = 0) -> socket.socket:
    """A listening socket of 127.0.0.1; port 0 picks a free one."""
    return socket.create_server(("127.0.0.1", port), backlog=256)


@contextlib.asynccontextmanager
async def serving(respond: Respond, listener: socket.socket) -> AsyncIterator[int]:
    """Serve while inside; gives the port. Connections that are open at the end are cut."""
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            await _converse(reader, writer, respond)
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(connected, sock=listener)
    port: int = listener.getsockname()[1]
    try:
        yield port
    finally:
        server.close()
        for writer in tuple(writers):
            writer.close()


def content_length(head: bytes) -> int:
    """Bytes of the body that a head announces; `ValueError` when it cannot be read."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, respond: Respond
) -> None:
    """Answer one request after another until the other side leaves."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            try:
                exchange = await _read(reader)
            except (ValueError, asyncio.LimitOverrunError):
                writer.write(Reply(400, b"not a request\n").encode())
                return
            reply = await respond(exchange)
            writer.write(reply.encode())
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Exchange:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
    length = content_length(head)
    if not 0 <= length <= LARGEST_BODY:
        raise ValueError("body too large")
    return Exchange(method, target.partition("?")[0], await reader.readexactly(length))
