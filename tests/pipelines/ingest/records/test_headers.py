from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level
from pipelines.ingest.records.headers import split

NOW = 1_714_557_600_000  # 2024-05-01T10:00:00Z
AT = NOW + 1_000


# A line, and below it whether it tells a time, its level, and its message.
LINES = """
2024-05-01T10:00:01.000Z  INFO 1 --- [  main] c.e.App : Started in 3 s
    AT INFO Started in 3 s
2024-05-01 10:00:01,000 INFO [main] com.example.Foo - it is up
    AT INFO it is up
2024-05-01 10:00:01,000 [main] WARN  com.example.Foo - it is up
    AT WARN it is up
2024-05-01 10:00:01,000 - app.mod - ERROR - it broke
    AT ERROR it broke
2024-05-01T12:00:01+02:00 ERROR it broke
    AT ERROR it broke
10:00:01.000 [main] DEBUG c.e.App - it is up
    AT DEBUG it is up
240501 100001 148 INFO dfs.DataNode$Packet: Packet 1 of 2
    AT INFO Packet 1 of 2
24/05/01 10:00:01 INFO executor.Backend: Registered
    AT INFO Registered
E0501 10:00:01.000000   12345 reconciler.go:123] cannot mount
    AT ERROR cannot mount
2024/05/01 10:00:01 [error] 12#12: *1 connect() failed
    AT ERROR 12#12: *1 connect() failed
2024/05/01 10:00:01 listening on 8080
    AT UNKNOWN listening on 8080
[Wed May 01 10:00:01 2024] [error] child in error state 6
    AT ERROR child in error state 6
[Wed May 01 10:00:01.000001 2024] [core:warn] [pid 1:tid 4] AH00124: x
    AT WARN AH00124: x
[2024-05-01 10:00:01] production.ERROR: it broke
    AT ERROR it broke
2024-05-01 10:00:01.000 UTC [123] ERROR:  no such relation
    AT ERROR no such relation
[10:00:01 INF] it is up
    AT INFO it is up
INFO:root:it is up
    - INFO it is up
INFO:     127.0.0.1:5 - GET /
    - INFO 127.0.0.1:5 - GET /
[ERROR] it broke
    - ERROR it broke
<3>it broke
    - ERROR it broke
time=2024-05-01T10:00:01Z level=WARN msg="it is slow" n=3
    AT WARN msg="it is slow" n=3
ts=2024-05-01T10:00:01Z caller=a.go:1 level=error msg=broke
    AT ERROR caller=a.go:1 msg=broke
1.2.3.4 - - [01/May/2024:10:00:01 +0000] "GET / HTTP/1.1" 200 7
    AT UNKNOWN 1.2.3.4 - - [01/May/2024:10:00:01 +0000] "GET / HTTP/1.1" 200 7
"""
CASES = re.findall(r"^(\S.*)\n    (AT|-) (\w+) (.*)$", LINES, re.MULTILINE)


@pytest.mark.parametrize(("line", "at", "level", "text"), CASES)
def test_headers_of_servers(line: str, at: str, level: str, text: str) -> None:
    """Each common way to begin a line is read, and leaves the message alone."""
    header = split(line, now=NOW)
    assert header.at == (AT if at == "AT" else None)
    assert (header.level.name, header.text) == (level, text)


@pytest.mark.parametrize(
    "line",
    [
        "May  1 10:00:01 web-1 sshd(pam_unix)[19939]: authentication failure",
        "2024-05-01T10:00:01.000000+00:00 web-1 sshd[1]: authentication failure",
    ],
)
def test_files_of_syslog_name_host_and_program(line: str) -> None:
    """Who wrote a line of /var/log/syslog stands in it."""
    header = split(line, now=NOW)
    assert (header.at, header.host, header.program) == (AT, "web-1", "sshd")
    assert header.text == "authentication failure"


@pytest.mark.parametrize(
    "line",
    ["VM Started (Lifecycle Event)", "Info about nothing", "INFO", "error", "42", "", "[", "= =",
     "Connection: refused", "2024 was a good year", "9999-99-99 99:99:99 ERROR never"],
)  # fmt: skip
def test_a_line_without_header_is_all_message(line: str) -> None:
    """A message is not cut because it begins with a word that could be a level."""
    header = split(line, now=NOW)
    assert (header.at, header.level, header.text) == (None, Level.UNKNOWN, line)


def test_a_word_and_a_colon_stay_in_the_message() -> None:
    """`Connection: refused` is no message of a logger called Connection."""
    header = split("2024-05-01 10:00:01 ERROR Connection: refused", now=NOW)
    assert header.text == "Connection: refused"


def test_times_without_a_zone_are_of_the_one_that_is_told() -> None:
    """Servers that log by the clock on the wall are not two hours off."""
    header = split("2024-05-01 12:00:01 hello", now=NOW, zone=ZoneInfo("Europe/Berlin"))
    assert header.at == AT


def test_the_year_is_the_nearest() -> None:
    """A line of New Year's Eve that is read on New Year's Day is a second old."""
    new_year = 1_704_067_200_000
    assert split("Dec 31 23:59:59 h a: x", now=new_year).at == new_year - 1_000


@pytest.mark.parametrize(
    "line", ["done trace_id=0af7651916cd43dd8448eb211c80319c",
             "2024-05-01 INFO [cart,0af7651916cd43dd8448eb211c80319c,b7ad6b7169203331] done"],
)  # fmt: skip
def test_a_trace_id_in_the_text_is_found(line: str) -> None:
    """What Spring and others put into the line leads to the trace."""
    assert split(line, now=NOW).trace == "0af7651916cd43dd8448eb211c80319c"


PIECES = st.sampled_from(
    [
        *("2024-05-01 10:00:01", "[", "]", "INFO", "error", " ", "-", "---", ": ", "a.b.C", "12"),
        *("level=info", "ts=", "<3>", "x", "|", "\t", "\n", "{", "May  1 10:00:01", "10:00:01"),
        *("[main]", "1.2.3.4", "..", "é", "\u2028"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join))
def test_a_message_is_the_end_of_its_line(line: str) -> None:
    """Nothing is made up, and nothing behind the header is touched."""
    header = split(line, now=NOW)
    assert line.endswith(header.text) or "level=" in line
    assert header.text or not line


@given(st.text("[]-|: .aI1", max_size=3000))
def test_no_line_takes_long(line: str) -> None:
    """Strokes and brackets without end are read in a bounded number of steps."""
    import time

    began = time.thread_time()
    split(f"2024-05-01 10:00:01 {line}", now=NOW)
    assert time.thread_time() - began < 0.5
