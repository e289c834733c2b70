from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from detector.errors import ConfigError
from detector.logs.lines import LogLines
from pipelines.syslog.receiving import Address, Bounds, Syslog
from pipelines.testing.log_sink import MemoryLogSink

HERE = Address(host="127.0.0.1", port=0)


class HearingSink(MemoryLogSink):
    """Tells when it has as many lines as a test waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self.tries = 0

    def put(self, tenant: str, lines: LogLines) -> bool:
        taken = super().put(tenant, lines)
        with self._changed:
            self.tries += 1
            self._changed.notify_all()
        return taken

    def wait(self, count: int) -> list[str]:
        """The messages, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages()) >= count, 20)
        return self.messages()

    def wait_tries(self, count: int) -> None:
        """Until it was asked so often."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.tries >= count, 20)


@pytest.fixture
def sink() -> HearingSink:
    return HearingSink()


@contextmanager
def listening(
    sink: HearingSink, bounds: Bounds | None = None, **doors: Address
) -> Iterator[Syslog]:
    own = bounds or Bounds(linger_s=0.01, full_s=0.01)
    syslog = Syslog(sink, tcp=doors.get("tcp"), udp=doors.get("udp"), bounds=own)
    syslog.start()
    try:
        yield syslog
    finally:
        syslog.close()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def test_connections_and_datagrams_are_heard(sink: HearingSink) -> None:
    """One door for all ways to send."""
    with listening(sink, tcp=HERE, udp=HERE) as syslog:
        with connected(syslog.tcp_port) as sender:
            sender.sendall(b"<14>1 - h app - - - a line\n21 <14>1 - h app - - - x")
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<14>1 - h app - - - a datagram", ("127.0.0.1", syslog.udp_port))
        assert sorted(sink.wait(3)) == ["a datagram", "a line", "x"]


def test_what_came_before_the_end_is_given_on(sink: HearingSink) -> None:
    """A restart loses nothing that was received."""
    syslog = Syslog(sink, tcp=HERE, bounds=Bounds(linger_s=0.2))
    syslog.start()
    with connected(syslog.tcp_port) as sender:
        sender.sendall(b"<14>1 - h app - - - a line\n")
        sender.shutdown(socket.SHUT_WR)
        assert sender.recv(1) == b""
    syslog.close()
    assert sink.messages() == ["a line"]


def test_no_room_stops_reading_and_loses_nothing(sink: HearingSink) -> None:
    """The sender waits while the sink is full; then all comes, once."""
    sink.is_full = True
    bounds = Bounds(linger_s=0.01, full_s=0.01, waiting=2_000, batch=10)
    messages = b"".join(b"<14>1 - h app - - - line %d %s\n" % (n, b"x" * 500) for n in range(4000))
    with listening(sink, tcp=HERE, bounds=bounds) as syslog:
        with connected(syslog.tcp_port) as sender:
            sending = threading.Thread(target=sender.sendall, args=(messages,))
            sending.start()
            sink.wait_tries(5)
            sink.is_full = False
            assert len(set(sink.wait(4000))) == 4000
            sending.join()
        assert syslog.meters.fulls >= 5


def test_datagrams_that_find_no_room_are_counted(sink: HearingSink) -> None:
    """They cannot wait, but people hear that they were lost."""
    sink.is_full = True
    bounds = Bounds(linger_s=0.01, full_s=0.01, waiting=100, batch=1)
    with listening(sink, udp=HERE, bounds=bounds) as syslog:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for _ in range(20):
                sender.sendto(b"<14>1 - h app - - - " + b"x" * 50, ("127.0.0.1", syslog.udp_port))
            sink.wait_tries(10)
        assert syslog.meters.datagrams_dropped > 0


def test_a_store_that_fails_is_tried_again(sink: HearingSink) -> None:
    """A full disk is no reason to forget what came."""
    sink.is_down = True
    with listening(sink, tcp=HERE) as syslog:
        with connected(syslog.tcp_port) as sender:
            sender.sendall(b"<14>1 - h app - - - a line\n")
            while syslog.meters.failures < 2:
                threading.Event().wait(0.01)
        assert syslog.meters.failing == "the disk is full"
        sink.is_down = False
        assert sink.wait(1) == ["a line"]


def test_connections_beyond_the_bound_are_turned_away(sink: HearingSink) -> None:
    """A thousand senders do not take the gate's files and memory."""
    bounds = Bounds(linger_s=0.01, connections=1)
    with listening(sink, tcp=HERE, bounds=bounds) as syslog:
        with connected(syslog.tcp_port) as first:
            first.sendall(b"<14>1 - h app - - - a line\n")
            sink.wait(1)
            with connected(syslog.tcp_port) as second:
                assert second.recv(1) == b""
        assert syslog.meters.turned_away == 1


def test_a_message_of_ten_megabytes_is_cut(sink: HearingSink) -> None:
    """… and counted, and the next one is whole."""
    with listening(sink, tcp=HERE) as syslog:
        with connected(syslog.tcp_port) as sender:
            sender.sendall(b"<14>1 - h app - - - " + b"x" * 10_000_000 + b"\n<14>1 - - - - - - y\n")
            long, short = sink.wait(2)
        assert (len(long) <= 32 * 1024, short) == (True, "y")
        assert syslog.meters.flaws.told()["too_long"] >= 1


def test_an_address_that_is_taken_is_told(sink: HearingSink) -> None:
    """A second serinus on one port ends at its start, in words."""
    with listening(sink, tcp=HERE) as syslog:
        taken = Address(host="127.0.0.1", port=syslog.tcp_port)
        with pytest.raises(ConfigError, match=r"logs\.syslog: cannot listen: .*in use"):
            Syslog(sink, tcp=taken).start()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its own certificate for localhost, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(file), "-out", f"{file}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def test_tls_is_spoken_where_it_is_set(sink: HearingSink, certificate: Path) -> None:
    """RFC 5425: counted messages over TLS; who does not speak it is not heard."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    secured = Address(host="127.0.0.1", port=0, tls=context)
    with listening(sink, tcp=secured) as syslog:
        with connected(syslog.tcp_port) as plain:
            plain.sendall(b"<14>1 - - - - - - in the clear\n" * 10)
            _until_closed(plain)
        secret = connected(syslog.tcp_port)
        with trusting.wrap_socket(secret, server_hostname="localhost") as sender:
            sender.sendall(b"21 <14>1 - h app - - - x")
            sender.unwrap()
            assert sink.wait(1) == ["x"]


def _until_closed(connection: socket.socket) -> None:
    """Read until the other side hangs up; it times out, and fails, where that never happens."""
    with suppress(ConnectionError):
        while connection.recv(100):
            pass
