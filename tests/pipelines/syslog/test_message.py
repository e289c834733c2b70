from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level, Origin
from pipelines.ingest.records.building import Written
from pipelines.ingest.records.flaws import Flaws
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.plain import Told
from pipelines.syslog.message import SyslogLines

NOW = 1_714_557_600_000  # 2024-05-01T10:00:00Z
TRACE = "0af7651916cd43dd8448eb211c80319c"


def read(message: str | bytes, told: Told | None = None) -> Written | None:
    raw = message.encode() if isinstance(message, str) else message
    count = Flaws().add
    lines = SyslogLines(count, JsonLines(count))
    return lines.read(raw, told or Told(origin=Origin(service=""), now=NOW))


def line(message: str) -> Written:
    found = read(message)
    assert found is not None
    return found


def test_message_of_rfc_5424_is_read() -> None:
    """The example of section 6.5, with structured data."""
    got = line(
        "<165>1 2024-05-01T10:00:00.003Z mymachine.example.com evntslog - ID47 "
        '[exampleSDID@32473 iut="3" eventSource="Application"] \ufeffAn application event'
    )
    assert (got.at, got.level, got.text) == (
        NOW + 3,
        Level.INFO,
        b"An application event",
    )
    assert got.origin == Origin(service="evntslog", pod="mymachine.example.com")


@pytest.mark.parametrize(
    ("severity", "level"),
    list(enumerate(["FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG"])),
)
def test_severity_is_the_level(severity: int, level: str) -> None:
    """Whatever the facility."""
    assert line(f"<{8 * 20 + severity}>1 - - - - - - x").level.name == level


def test_structured_data_tell_version_namespace_and_trace() -> None:
    """Escaped quotes and brackets within values end nothing."""
    got = line(
        '<14>1 - h app - - [a@1 x="\\]\\"" version="2.1"]'
        f'[b trace_id="{TRACE}" namespace="shop"] hi'
    )
    assert got.origin == Origin(service="app", namespace="shop", pod="h", version="2.1")
    assert (got.trace.hex(), got.text) == (TRACE, b"hi")


@pytest.mark.parametrize(
    ("message", "service", "pod", "text"),
    [
        ("<34>May  1 10:00:00 web-1 su: 'su root' failed", "su", "web-1", "'su root' failed"),
        ("<34>May  1 10:00:00 web-1 sshd[7]: no", "sshd", "web-1", "no"),
        ("<34>2024-05-01T10:00:00+00:00 web-1 sshd[7]: no", "sshd", "web-1", "no"),
        ("<34>May  1 10:00:00 sshd[7]: no", "sshd", "", "no"),
        ("<34>sshd[7]: no", "sshd", "", "no"),
        ("<34>nothing else", "", "", "nothing else"),
    ],
)
def test_messages_of_rfc_3164_are_tolerated(
    message: str, service: str, pod: str, text: str
) -> None:
    """What devices and old programs send has a host or not, a time or not."""
    got = line(message)
    assert (got.origin, got.text) == (Origin(service=service, pod=pod), text.encode())
    assert (got.at, got.level) == (NOW, Level.FATAL)


def test_line_ends_that_rsyslog_wrote_out_are_line_ends() -> None:
    """A stack trace that came through rsyslog has its frames."""
    got = line("<11>1 - - app - - - Error: x#012#011at a.B.c(B.java:1)")
    assert got.text == b"Error: x\n\tat a.B.c(B.java:1)"


def test_record_in_a_message_is_read_further() -> None:
    """A program that logs JSON to syslog says its level itself."""
    got = line('<14>1 - h app - - - {"level": "error", "msg": "no stock"}')
    assert (got.level, got.text, got.origin.service) == (Level.ERROR, b"no stock", "app")


def test_what_was_told_goes_before_what_a_message_says() -> None:
    """A port that is set up for one service is that service's."""
    told = Told(origin=Origin(service="cart", cluster="eu"), now=NOW)
    got = read("<14>1 - h app - - - hi", told)
    assert got is not None
    assert got.origin == Origin(service="cart", cluster="eu", pod="h")


def test_a_time_far_ahead_is_not_believed() -> None:
    """A device whose clock is off by a year does not fill bins of next year."""
    assert line("<14>1 2031-01-01T00:00:00Z h app - - - hi").at == NOW


@pytest.mark.parametrize("message", ["", "<14>", "<14>1 - - - - - -", "\0\0"])
def test_a_message_that_says_nothing_is_left(message: str) -> None:
    """Heartbeats of senders are no lines."""
    assert read(message) is None or line(message).text


@given(st.binary(max_size=300) | st.text('<>1 -[]="\\a:', max_size=300).map(str.encode))
def test_any_bytes_are_read_or_left(message: bytes) -> None:
    """No datagram stops the door."""
    found = read(b"<14>1 " + message)
    if found is not None:
        found.text.decode()
        assert found.at <= NOW + 600_000
