"""The shop's small HTTP server, against real sockets."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo.web import LARGEST_BODY, Exchange, Reply, content_length, listen, serving
from tests.api.demo.stand import answers, web

GET = b"GET /cart?x=1 HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST /orders HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"


def said(sent: bytes, *replies: Reply) -> tuple[bytes, list[Exchange]]:
    """What the server says to some bytes, and what it understood."""

    async def talk() -> tuple[bytes, list[Exchange]]:
        async with web(*replies or (Reply(),)) as (port, asked):
            return await answers(port, sent), asked

    return asyncio.run(talk())


def test_one_connection_carries_many_requests() -> None:
    """Customers keep their connections: opening one per request would cost more than the shop."""
    heard, asked = said(GET + POST + GET, Reply(body=b"1"), Reply(500, b"2"), Reply(body=b"3"))
    assert asked == [
        Exchange("GET", "/cart"),
        Exchange("POST", "/orders", b"hello"),
        Exchange("GET", "/cart"),
    ]
    assert heard.count(b"HTTP/1.1 ") == 3
    assert b"HTTP/1.1 500 Internal Server Error\r\n" in heard


def test_reply_announces_its_length() -> None:
    """Prometheus reads exactly what is announced."""
    head, _, body = Reply(200, "größe".encode()).encode().partition(b"\r\n\r\n")
    assert content_length(head) == len(body) == 7


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        f"POST / HTTP/1.1\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n".encode(),
        b"GET /" + b"a" * 100_000 + b"\r\n\r\n",
        "GET /ü HTTP/1.1\r\n\r\n".encode(),
    ],
    ids=["no-request", "length-a-word", "negative", "body-too-large", "endless-head", "not-ascii"],
)
def test_nonsense_is_a_bad_request(sent: bytes) -> None:
    """Whatever comes, the pod answers 400 and goes on serving others."""
    heard, asked = said(sent)
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert asked == []


def test_half_a_request_is_no_request() -> None:
    """A customer who leaves in the middle is not counted."""
    assert said(b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nhalf") == (b"", [])


@given(st.integers(0, 10**6), st.sampled_from([b"Content-Length", b"content-length"]))
def test_length_is_read_whatever_its_case(length: int, name: bytes) -> None:
    """Header names have no case."""
    head = b"GET / HTTP/1.1\r\n%s: %d\r\nHost: shop" % (name, length)
    assert content_length(head) == length


def test_open_connections_are_cut_at_the_end() -> None:
    """A pod that is stopped does not wait for customers who stay connected."""

    async def left() -> bytes:
        async def respond(_: Exchange) -> Reply:
            return Reply()

        async with serving(respond, listen()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            await reader.readuntil(b"ok\n")
        async with asyncio.timeout(5):
            rest = await reader.read()
        writer.close()
        return rest

    assert asyncio.run(left()) == b""


def test_a_taken_port_is_an_error() -> None:
    """Two gates on one port would answer by turns."""
    with listen() as first, pytest.raises(OSError, match="in use"):
        listen(first.getsockname()[1])
