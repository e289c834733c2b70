"""Levels, times, texts and names of every logger's convention: one table for each of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level, Origin
from pipelines.ingest.records.building import Written
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.levels import Scale, level_of
from pipelines.ingest.records.moments import at_of
from pipelines.ingest.records.plain import Told
from tests.profiles import HEAVY

NOW = 1_714_557_600_000  # 2024-05-01T10:00:00Z
AT = NOW + 250
ISO = "2024-05-01T10:00:00.250Z"
TOLD = Told(origin=Origin(service=""), now=NOW)
LINES = JsonLines(lambda flaw: None)


def read(record: dict[str, Any], told: Told = TOLD) -> Written:
    """One record's line."""
    line = LINES.read(json.dumps(record).encode(), told)
    assert line is not None
    return line


# What each library writes for "no stock" at the level of an error, by its defaults.
LOGGERS: dict[str, dict[str, Any]] = {
    "logstash-logback": {"@timestamp": ISO, "@version": "1", "message": "no stock",
                         "logger_name": "a.B", "level": "ERROR", "level_value": 40000},
    "log4j2": {"instant": {"epochSecond": 1714557600.25}, "level": "ERROR", "message": "no stock"},
    "log4j2-json": {"timeMillis": AT, "level": "ERROR", "loggerName": "a.B", "message": "no stock"},
    "pino": {"level": 50, "time": AT, "pid": 7, "hostname": "web-1", "msg": "no stock"},
    "bunyan": {"name": "cart", "level": 50, "time": ISO, "msg": "no stock", "v": 0},
    "winston": {"level": "error", "message": "no stock", "timestamp": ISO},
    "zap": {"level": "error", "ts": 1714557600.25, "caller": "a.go:7", "msg": "no stock"},
    "zap-iso": {"level": "ERROR", "ts": "2024-05-01T12:00:00.250+0200", "msg": "no stock"},
    "slog": {"time": ISO, "level": "ERROR", "msg": "no stock"},
    "slog-custom": {"time": ISO, "level": "ERROR+2", "msg": "no stock"},
    "logrus": {"level": "error", "msg": "no stock", "time": ISO},
    "zerolog": {"level": "error", "time": ISO, "message": "no stock"},
    "zerolog-unix": {"level": "error", "time": AT, "message": "no stock"},
    "structlog": {"event": "no stock", "level": "error", "timestamp": ISO},
    "python-json-logger": {"asctime": "2024-05-01 10:00:00,250", "levelname": "ERROR",
                           "message": "no stock"},
    "python-numbers": {"created": 1714557600.25, "levelno": 40, "message": "no stock"},
    "serilog-compact": {"@t": ISO, "@mt": "no stock", "@l": "Error"},
    "serilog": {"Timestamp": ISO, "Level": "Error", "message": "no stock", "timestamp": ISO},
    "dotnet-json": {"Timestamp": ISO, "timestamp": ISO, "LogLevel": "Error", "message": "no stock"},
    "google": {"severity": "ERROR", "message": "no stock", "time": ISO},
    "journald": {"PRIORITY": "3", "MESSAGE": "no stock", "timestamp": ISO},
    "gelf": {"short_message": "no stock", "log_level": "error", "timestamp": 1714557600.25},
    "otel": {"severityNumber": 17, "severityText": "ERROR", "body": "no stock",
             "timeUnixNano": "1714557600250000000"},
    "otel-words": {"SeverityText": "ERROR", "Body": "no stock", "Timestamp": ISO},
    "ecs": {"@timestamp": ISO, "log.level": "ERROR", "message": "no stock", "ecs.version": "1.6"},
    "ecs-nested": {"@timestamp": ISO, "log": {"level": "error"}, "message": "no stock",
                   "ecs": {"version": "8"}},
    "ecs-syslog": {"@timestamp": ISO, "log": {"syslog": {"severity": {"code": 3}}},
                   "message": "no stock", "ecs": {"version": "8"}},
    "vector-journald": {"PRIORITY": "3", "message": "no stock", "timestamp": ISO,
                        "source_type": "journald"},
    "fluent-bit-merged": {"date": 1714557600.25, "log": "no stock", "kubernetes": {"pod_id": "7"},
                          "log_processed": {"level": "error"}},
    "filebeat-json": {"@timestamp": ISO, "@metadata": {"beat": "filebeat"}, "message": "no stock",
                      "json": {"level": "error"}},
}  # fmt: skip


@pytest.mark.parametrize("name", LOGGERS)
def test_each_logger_says_when_and_how_grave(name: str) -> None:
    """One error in thirty libraries is one error."""
    line = read(LOGGERS[name])
    assert (line.at, line.level, line.text) == (AT, Level.ERROR, b"no stock")


@pytest.mark.parametrize("name", LOGGERS)
def test_a_shipper_around_a_logger_changes_nothing(name: str) -> None:
    """What a program wrote as a record into its output, in the record of who carried it."""
    pod = {"pod_name": "cart-0", "namespace_name": "shop", "pod_id": "7"}
    carried = {"log": json.dumps(LOGGERS[name]) + "\n", "stream": "stderr", "kubernetes": pod}
    line = read(carried)
    assert (line.at, line.level, line.text) == (AT, Level.ERROR, b"no stock")
    assert line.origin == Origin(service="cart", namespace="shop", pod="cart-0")


WORDS = {
    Level.TRACE: "trace TRACE Verbose finest finer trce silly",
    Level.DEBUG: "debug DBG fine dbug config",
    Level.INFO: "info Information INFORMATIONAL notice success inf audit",
    Level.WARN: "warn Warning WRN caution",
    Level.ERROR: "error ERR severe failure fail eror",
    Level.FATAL: "fatal CRITICAL crit emerg Emergency alert panic dpanic ftl off",
    Level.UNKNOWN: "unknown none nil loud ??? - 3.7 ERROR! 12345678",
}


@pytest.mark.parametrize(
    ("word", "level"), [(word, level) for level, words in WORDS.items() for word in words.split()]
)
def test_words_of_loggers(word: str, level: Level) -> None:
    """In whatever letters, with blanks around them."""
    assert level_of(word) is level
    assert level_of(f" {word}\t") is level
    assert read({"level": word, "msg": "x"}).level is level


@pytest.mark.parametrize(
    ("scale", "value", "level"),
    [
        (Scale.OTEL, 0, "UNKNOWN"), (Scale.OTEL, 8, "DEBUG"), (Scale.OTEL, 24, "FATAL"),
        (Scale.OTEL, 25, "UNKNOWN"), (Scale.SYSLOG, -1, "UNKNOWN"), (Scale.SYSLOG, 0, "FATAL"),
        (Scale.SYSLOG, 5, "INFO"), (Scale.SYSLOG, 8, "UNKNOWN"), (Scale.PINO, 0, "UNKNOWN"),
        (Scale.PINO, 35, "INFO"), (Scale.PYTHON, 25, "INFO"), (Scale.PYTHON, 45, "ERROR"),
        (Scale.LOGBACK, 39_999, "WARN"), (Scale.LOGBACK, 2**31 - 1, "FATAL"),
    ],
)  # fmt: skip
def test_numbers_at_the_edges_of_scales(scale: Scale, value: int, level: str) -> None:
    """Own levels of a program lie between those that there are."""
    assert level_of(value, scale).name == level
    assert level_of(float(value), scale).name == level


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1714557600, NOW), ("1714557600", NOW), (1714557600.25, AT), ("1714557600.25", AT),
        (1714557600250, AT), ("1714557600250", AT), (1714557600250999, AT + 1),
        (1714557600250000999, AT), ("2024-05-01T10:00:00.250999999Z", AT),
        ("2024-05-01 10:00:00.250 UTC", AT), ("2024-05-01T10:00:00.25+00:00 extra", AT),
        ("2024-05-01T19:30:00.250+0930", AT), ("2024/05/01 10:00:00,250", AT),
        (" 1714557600 ", NOW),
        (0, None), (-1714557600, None), (17, None), (1e300, None), ("1e9", 10**12), ("١٧١٤", None),
        ("2024-05-01", None), ("10:00:00", None), (True, None), (None, None), ([], None),
        ({}, None),
    ],
)  # fmt: skip
def test_moments_in_fields(value: object, at: int | None) -> None:
    """Seconds or parts of them, numbers or texts; what is no time is none."""
    assert at_of(value) == at


@given(st.integers(1_000_000_000, 4_102_444_800), st.integers(0, 999))
def test_one_moment_in_all_units_is_one(second: int, part: int) -> None:
    """Whoever changes the unit of a logger's time moves no line."""
    at = 1000 * second + part
    assert at_of(at) == at_of(str(at)) == at_of(1000 * at) == at
    assert at_of(second) == 1000 * second


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"msg": "a", "message": "b"}, "b"),
        ({"message": "", "msg": "a"}, "a"),
        ({"message": None, "event": "a"}, "a"),
        ({"message": 7, "text": "a"}, "a"),
        ({"message": "a", "exc_info": "Traceback\n  x"}, "a\nTraceback\n  x"),
        ({"message": "a", "error": {"stack": "Error: b\n    at c"}}, "a\nError: b\n    at c"),
        ({"message": "a\nat b", "stack_trace": "at b"}, "a\nat b"),
        ({"message": "a", "stack": ["no", "text"]}, "a"),
        ({"message": "a  \n\n"}, "a"),
    ],
)
def test_texts_with_their_stacks(record: dict[str, Any], text: str) -> None:
    """What is said, and what was thrown, each once."""
    assert read({"level": "error", **record}).text.decode() == text


@pytest.mark.parametrize(
    ("record", "origin"),
    [
        ({"service": "a"}, Origin(service="a")),
        ({"service": {"name": "a", "version": "2"}}, Origin(service="a", version="2")),
        ({"service": {}, "app": "a"}, Origin(service="a")),
        ({"dd.service": "a", "dd.version": "3"}, Origin(service="a", version="3")),
        ({"dd": {"service": "a", "version": "3"}}, Origin(service="a", version="3")),
        ({"app": 7, "version": 12}, Origin(service="7", version="12")),
        ({"app": True}, Origin(service="")),
        ({"app": " a ", "hostname": "h"}, Origin(service="a", pod="h")),
        ({"app": "a" * 300}, Origin(service="a" * 256)),
        ({"namespace": "n", "pod": "cart-0"}, Origin(service="cart", namespace="n", pod="cart-0")),
        ({"SYSLOG_IDENTIFIER": "a", "_HOSTNAME": "h"}, Origin(service="a", pod="h")),
    ],
    ids=str,
)
def test_names_of_who_wrote(record: dict[str, Any], origin: Origin) -> None:
    """In the words of each sender; what is no name is none, what is too long is cut."""
    assert read({"level": "info", "msg": "x", **record}).origin == origin


def test_what_is_told_beforehand_goes_before_what_a_record_says() -> None:
    """The configuration of a file knows better than a library's default."""
    told = Told(origin=Origin(service="mine", version="9"), now=NOW)
    line = read(
        {"msg": "x", "level": "info", "service": "theirs", "pod": "p", "version": "1"}, told
    )
    assert line.origin == Origin(service="mine", version="9", pod="p")


def test_a_time_ahead_of_ours_is_ours_and_counted() -> None:
    """Clocks differ by minutes; by more they are broken."""
    flaws: Counter[Flaw] = Counter()
    lines = JsonLines(lambda flaw: flaws.update([flaw]))
    for ahead_s, at in ((599, NOW + 599_000), (601, NOW)):
        record = {"time": NOW // 1000 + ahead_s, "level": "info", "msg": "x"}
        line = lines.read(json.dumps(record).encode(), TOLD)
        assert line is not None
        assert line.at == at
    assert flaws == {Flaw.IN_THE_FUTURE: 1}


@HEAVY
@given(st.sampled_from(sorted(LOGGERS)), st.randoms(use_true_random=False))
def test_the_order_of_names_in_a_record_does_not_matter(name: str, random: Any) -> None:  # noqa: ANN401
    """Objects of JSON have none."""
    pairs = list(LOGGERS[name].items())
    random.shuffle(pairs)
    assert read(dict(pairs)) == read(LOGGERS[name])


def test_a_carried_record_of_a_convention_keeps_its_stack() -> None:
    """Loggers of Elastic's schema put it where no other does, also in a container's output."""
    own = {"ecs.version": "1.6", "log.level": "ERROR", "message": "no stock", "@timestamp": ISO,
           "error.stack_trace": "a.B: x\n\tat a.B.c(B.java:1)"}  # fmt: skip
    line = read({"log": json.dumps(own), "stream": "stdout", "kubernetes": {"pod_id": "7"}})
    assert line.text == b"no stock\na.B: x\n\tat a.B.c(B.java:1)"
