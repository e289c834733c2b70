"""rsyslog, really sending: what an application gave to it arrives, over each kind of connection."""

from __future__ import annotations

import logging
import logging.handlers
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector.logs.lines import Level, LogLines
from pipelines.syslog.receiving import Address, Bounds, Syslog
from pipelines.testing.log_sink import MemoryLogSink
from tests.servers import require_server

pytestmark = pytest.mark.real

HERE = Address(host="127.0.0.1", port=0)
NEW = "RSYSLOG_SyslogProtocol23Format"
OLD = "RSYSLOG_TraditionalForwardFormat"
TRACE = "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'cup'"


class Counting(MemoryLogSink):
    """Waits until it has so many lines."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def put(self, tenant: str, lines: LogLines) -> bool:
        taken = super().put(tenant, lines)
        with self._changed:
            self._changed.notify_all()
        return taken

    def wait(self, count: int) -> None:
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.lines()) >= count, 30)
        assert enough, f"{len(self.lines())} of {count} came"


@contextmanager
def running_rsyslog(folder: Path, action: str) -> Iterator[logging.Logger]:
    """A logger of an application whose lines rsyslog sends on by an action."""
    place = folder / "log.sock"
    config = folder / "rsyslog.conf"
    config.write_text(
        f"""
global(workDirectory="{folder}" maxMessageSize="64k" localHostname="web-1")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{place}" RateLimit.Interval="0")
{action}
"""
    )
    command = [str(require_server("rsyslog")), "-n", "-f", str(config), "-i", str(folder / "pid")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        handler = _handler(process, place)
        yield _logger(handler)
        handler.close()
    finally:
        process.terminate()
        process.wait(20)


def _handler(process: subprocess.Popen[bytes], place: Path) -> logging.handlers.SysLogHandler:
    until = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < until:
        if place.exists():
            return logging.handlers.SysLogHandler(str(place))
        time.sleep(0.05)
    raise AssertionError("rsyslog did not open its socket")


def _logger(handler: logging.handlers.SysLogHandler) -> logging.Logger:
    handler.ident = "checkout: "
    logger = logging.Logger("checkout", logging.DEBUG)  # noqa: LOG001 - of this test alone
    logger.addHandler(handler)
    return logger


@pytest.mark.parametrize("template", [NEW, OLD], ids=["rfc5424", "rfc3164"])
@pytest.mark.parametrize("framing", ["octet-counted", "traditional"])
def test_lines_over_tcp_come_each_once(tmp_path: Path, framing: str, template: str) -> None:
    """Two thousand lines and a stack trace, counted or by line, in the new form and the old one."""
    sink = Counting()
    syslog = Syslog(sink, tcp=HERE, bounds=Bounds(linger_s=0.02))
    syslog.start()
    action = (
        f'action(type="omfwd" target="127.0.0.1" port="{syslog.tcp_port}" protocol="tcp" '
        f'TCP_Framing="{framing}" template="{template}")'
    )
    with running_rsyslog(tmp_path, action) as logger:
        for number in range(2000):
            logger.warning("order %d is slow", number)
        logger.error("cannot sum\n%s", TRACE)
        sink.wait(2001)
    syslog.close()
    *slow, trace = sink.lines()
    assert [line.message.decode() for line in slow] == [f"order {n} is slow" for n in range(2000)]
    assert {(line.origin.service, line.origin.pod, line.level) for line in slow} == {
        ("checkout", "web-1", Level.WARN)
    }
    assert (trace.message.decode(), trace.level) == (f"cannot sum\n{TRACE}", Level.ERROR)
    assert abs(trace.at / 1000 - time.time()) < 60


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, its key beside it."""
    file = tmp_path / "tls.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(file.with_suffix(".key")), "-out", str(file)],
        check=True, capture_output=True,
    )  # fmt: skip
    return file


@pytest.mark.skipif(
    not any(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so")),
    reason="rsyslog-openssl is not installed here: run `make servers`",
)
def test_lines_over_tls_come_each_once(tmp_path: Path, certificate: Path) -> None:
    """rsyslog looks at our certificate, and its name, before it sends."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    sink = Counting()
    secured = Address(host="127.0.0.1", port=0, tls=context)
    syslog = Syslog(sink, tcp=secured, bounds=Bounds(linger_s=0.02))
    syslog.start()
    action = f"""
global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{certificate}")
action(type="omfwd" target="127.0.0.1" port="{syslog.tcp_port}" protocol="tcp"
       StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
       StreamDriverPermittedPeers="localhost" TCP_Framing="octet-counted" template="{NEW}")
"""
    with running_rsyslog(tmp_path, action) as logger:
        for number in range(500):
            logger.error("order %d failed", number)
        sink.wait(500)
    syslog.close()
    assert [line.message.decode() for line in sink.lines()] == [
        f"order {n} failed" for n in range(500)
    ]
    assert syslog.meters.broken == 0


def test_lines_over_udp_come(tmp_path: Path) -> None:
    """Datagrams may be lost; one machine with itself loses none of a few."""
    sink = Counting()
    syslog = Syslog(sink, udp=HERE, bounds=Bounds(linger_s=0.02))
    syslog.start()
    action = (
        f'action(type="omfwd" target="127.0.0.1" port="{syslog.udp_port}" protocol="udp" '
        f'template="{NEW}")'
    )
    with running_rsyslog(tmp_path, action) as logger:
        for number in range(20):
            logger.critical("order %d is lost", number)
        sink.wait(20)
    syslog.close()
    assert {line.message.decode() for line in sink.lines()} == {
        f"order {n} is lost" for n in range(20)
    }
    assert {line.level for line in sink.lines()} == {Level.FATAL}


def test_rsyslog_waits_while_there_is_no_room(tmp_path: Path) -> None:
    """A sink that is full for a while holds the sender back; nothing is lost."""
    sink = Counting()
    sink.is_full = True
    bounds = Bounds(linger_s=0.02, full_s=0.02, waiting=20_000, batch=100)
    syslog = Syslog(sink, tcp=HERE, bounds=bounds)
    syslog.start()
    action = (
        f'action(type="omfwd" target="127.0.0.1" port="{syslog.tcp_port}" protocol="tcp" '
        f'TCP_Framing="octet-counted" template="{NEW}")'
    )
    with running_rsyslog(tmp_path, action) as logger:
        for number in range(3000):
            logger.info("order %d %s", number, "x" * 1000)
        while sink.refusals < 5:
            time.sleep(0.02)
        sink.is_full = False
        sink.wait(3000)
    syslog.close()
    assert len({line.message for line in sink.lines()}) == 3000
