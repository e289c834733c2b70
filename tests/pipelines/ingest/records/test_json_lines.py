from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.logs.lines import Level, Origin
from pipelines.ingest.records.building import Written
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.mapping import parse_mapping, shipped_mappings
from pipelines.ingest.records.plain import Told
from pipelines.testing.log_sink import lines_of

NOW = 1_714_557_600_000
TOLD = Told(origin=Origin(service=""), now=NOW)
TRACE = "0af7651916cd43dd8448eb211c80319c"
POD = "cart-6d9f7c8b5d-x2b4z"
PATH = f"/var/log/pods/shop_{POD}_8f0a/app/0.log"
LABELS = {"app.kubernetes.io/name": "cart", "app.kubernetes.io/version": "2.1"}
GOLDEN = Path(__file__).parent / "golden"
FIVE = "DEBUG INFO WARN ERROR FATAL"
CART = Origin(service="cart", namespace="shop", pod=POD, version="2.1")


def read(record: dict[str, Any], mapping: str = "auto") -> Written:
    flaws: Counter[Flaw] = Counter()
    line = JsonLines(lambda flaw: flaws.update([flaw]), mapping=mapping).read(
        json.dumps(record).encode(), TOLD
    )
    assert line is not None
    assert not flaws
    return line


FLUENT_BIT = {
    "@timestamp": "2024-05-01T10:00:00.250Z",
    "log": f"2024-05-01 10:00:00,250 ERROR [main] shop.Cart - no stock trace_id={TRACE}\n",
    "stream": "stderr",
    "time": "2024-05-01T10:00:00.250000000Z",
    "kubernetes": {
        "pod_name": POD, "namespace_name": "shop", "pod_id": "8f0a", "labels": LABELS,
        "container_name": "app", "docker_id": "1d", "container_hash": "cart@sha256:1",
    },
}  # fmt: skip
FILEBEAT = {
    "@timestamp": "2024-05-01T10:00:00.250Z",
    "@metadata": {"beat": "filebeat", "type": "_doc", "version": "8.13.0"},
    "message": "no stock",
    "log": {"level": "error", "offset": 12, "file": {"path": "/var/log/containers/cart.log"}},
    "trace": {"id": TRACE},
    "ecs": {"version": "8.0.0"},
    "agent": {"type": "filebeat", "ephemeral_id": "1", "name": "node-1"},
    "host": {"name": "node-1"},
    "input": {"type": "filestream"},
    "kubernetes": {
        "namespace": "shop",
        "pod": {"name": POD, "uid": "8f0a"},
        "labels": {"app_kubernetes_io/name": "cart", "app_kubernetes_io/version": "2.1"},
        "container": {"name": "app"},
        "deployment": {"name": "cart-deploy"},
    },
}
VECTOR = {
    "file": "/var/log/pods/shop_cart-6d9f7c8b5d-x2b4z_8f0a/app/0.log",
    "kubernetes": {
        "container_name": "app", "pod_name": POD, "pod_namespace": "shop", "pod_uid": "8f0a",
        "pod_labels": LABELS, "pod_node_name": "node-1",
    },
    "message": json.dumps({"level": "error", "msg": "no stock", "trace_id": TRACE}),
    "source_type": "kubernetes_logs",
    "stream": "stderr",
    "timestamp": "2024-05-01T10:00:00.250Z",
}  # fmt: skip
OTEL = {
    "timestamp": "2024-05-01T10:00:00.250000Z",
    "body": "no stock",
    "severity_text": "ERROR",
    "severity_number": 17,
    "trace_id": f"0x{TRACE}"[2:],
    "resource": {
        "attributes": {
            "service.name": "cart", "service.version": "2.1", "k8s.namespace.name": "shop",
            "k8s.pod.name": POD,
        }
    },
}  # fmt: skip
ECS = {
    "@timestamp": "2024-05-01T10:00:00.250Z", "log.level": "ERROR", "message": "no stock",
    "ecs.version": "1.6.0", "service.name": "cart", "service.version": "2.1", "trace.id": TRACE,
    "kubernetes": {"namespace": "shop", "pod": {"name": POD}},
}  # fmt: skip


@pytest.mark.parametrize("mapping", ["auto", "named"])
@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("fluent-bit", FLUENT_BIT), ("filebeat", FILEBEAT), ("vector", VECTOR), ("otel", OTEL),
        ("ecs", ECS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_shipper_is_understood(name: str, record: dict[str, Any], mapping: str) -> None:
    """The same event is the same line, whoever brought it, named or recognised."""
    line = read(record, name if mapping == "named" else "auto")
    assert (line.at, line.level, line.origin) == (NOW + 250, Level.ERROR, CART)
    assert line.text.startswith(b"no stock")
    assert line.trace.hex() == TRACE


@pytest.mark.parametrize(
    ("record", "level"),
    [
        ({"level": 50, "time": 1714557600000, "pid": 7, "hostname": "web", "msg": "x"}, "ERROR"),
        ({"level": 30, "msg": "x", "v": 0}, "INFO"),
        ({"level": "WARN", "level_value": 30000, "logger_name": "a.B", "message": "x"}, "WARN"),
        ({"level_value": 40000, "message": "x"}, "ERROR"),
        ({"levelname": "CRITICAL", "message": "x"}, "FATAL"),
        ({"levelno": 30, "message": "x"}, "WARN"),
        ({"level": "dpanic", "ts": 1714557600.1, "msg": "x"}, "FATAL"),
        ({"event": "x", "level": "warning", "timestamp": "2024-05-01T10:00:00Z"}, "WARN"),
        ({"@t": "2024-05-01T10:00:00Z", "@m": "x", "@l": "Fatal"}, "FATAL"),
        ({"severity": "NOTICE", "message": "x"}, "INFO"),
        ({"PRIORITY": "3", "MESSAGE": "x"}, "ERROR"),
        ({"severity_number": 9, "body": "x"}, "INFO"),
        ({"log.syslog.severity.code": 4, "ecs.version": "8", "message": "x"}, "WARN"),
        ({"level": True, "message": "x"}, "UNKNOWN"),
    ],
    ids=str,
)
def test_levels_of_loggers(record: dict[str, Any], level: str) -> None:
    """pino's 30 is not Python's 30."""
    line = read(record)
    assert (line.level.name, line.text) == (level, b"x")


@pytest.mark.parametrize(
    "time",
    [
        "2024-05-01T10:00:00.250Z", "2024-05-01T12:00:00.250+0200", "2024-05-01 10:00:00,250",
        1714557600.25, 1714557600250, 1714557600250000, 1714557600250000000, "1714557600.25",
    ],
)  # fmt: skip
def test_times_of_loggers(time: object) -> None:
    """Seconds, milli-, micro- and nanoseconds are told apart by their size."""
    assert read({"time": time, "level": "info", "msg": "x"}).at == NOW + 250


@pytest.mark.parametrize(
    ("key", "value", "trace"),
    [
        ("traceId", TRACE, TRACE),
        ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        ("trace_id", "b7ad6b7169203331", "0" * 16 + "b7ad6b7169203331"),
        ("dd.trace_id", "1234567890123456789", f"{1234567890123456789:032x}"),
        ("logging.googleapis.com/trace", f"projects/shop/traces/{TRACE}", TRACE),
        ("trace_id", "none of these", "0" * 32),
        ("trace_id", "", "0" * 32),
    ],
)
def test_trace_ids_of_tracers(key: str, value: str, trace: str) -> None:
    """A line leads to its trace, however the tracer writes it."""
    assert read({key: value, "level": "info", "msg": "x"}).trace.hex() == trace


def test_stack_trace_goes_with_the_message() -> None:
    """The fingerprint of an error is made of its frames."""
    stack = "a.BException: bad\n\tat a.B.c(B.java:1)"
    line = read({"level": "ERROR", "message": "failed", "stack_trace": stack})
    assert line.text.decode() == f"failed\n{stack}"


def test_workload_stands_in_for_a_service() -> None:
    """A pod without labels is of the service that its name tells."""
    record = {"log": "x", "kubernetes": {"pod_name": POD, "namespace_name": "shop"}}
    assert read(record).origin == Origin(service="cart", namespace="shop", pod=POD)


@pytest.mark.parametrize(
    "record",
    [
        {"log": {"file": {"path": PATH}}, "input": {"type": "container"}, "message": "x"},
        {"file": PATH, "source_type": "file", "message": "x", "host": "node-1"},
        {"filepath": PATH, "log": "x", "date": 1714557600.0},
    ],
    ids=["filebeat", "vector", "fluent-bit"],
)
def test_path_of_a_pods_log_tells_the_pod(record: dict[str, Any]) -> None:
    """A shipper that asks no cluster tells where it read the line."""
    assert read(record).origin == Origin(service="cart", namespace="shop", pod=POD)


def test_a_record_without_text_says_itself() -> None:
    """Nothing that was logged is dropped for having no message."""
    assert json.loads(read({"level": "info", "rows": 7}).text) == {"level": "info", "rows": 7}


def test_words_of_a_loggers_own() -> None:
    """People who log in their language say in a mapping what their words mean."""
    mapping = parse_mapping(
        "name: ours\ntext: [texto]\nlevel: [nivel]\nwords: {falha: error}", origin="ours.yaml"
    )
    lines = JsonLines(lambda flaw: None, mapping="ours", mappings=(*shipped_mappings(), mapping))
    line = lines.read(b'{"nivel": "Falha", "texto": "sem estoque"}', TOLD)
    assert line is not None
    assert (line.level, line.text) == (Level.ERROR, b"sem estoque")


def test_unknown_mapping_is_told_with_those_that_there_are() -> None:
    """A misspelt name is seen at the start."""
    with pytest.raises(ConfigError, match="no mapping 'flunt-bit'; there are auto, filebeat"):
        JsonLines(lambda flaw: None, mapping="flunt-bit")


def decoded(message: bytes) -> tuple[list[bytes], dict[str, int]]:
    flaws: Counter[Flaw] = Counter()
    lines = JsonLines(lambda flaw: flaws.update([flaw])).decode(message, TOLD)
    told = {flaw.value: count for flaw, count in flaws.items()}
    return [line.message for line in lines_of(lines)], told


@pytest.mark.parametrize(
    ("message", "texts"),
    [
        (b'{"msg": "a"}', [b"a"]),
        (b'{"msg": "a"}\n\n{"msg": "b"}\r\n', [b"a", b"b"]),
        (b'[{"msg": "a"}, {"msg": "b"}]', [b"a", b"b"]),
        (b'{"msg": "a"}\nplain text', [b"a", b"plain text"]),
        (b"", []),
    ],
)
def test_a_message_of_kafka_may_hold_many(message: bytes, texts: list[bytes]) -> None:
    """Shippers write one record a message, lines of them, or an array."""
    assert decoded(message) == (texts, {})


@pytest.mark.parametrize(
    ("message", "flaws"),
    [
        (b'{"a":' * 100_000, {"too_deep": 1, "too_long": 1}),
        (b"[" * 100_000, {"too_deep": 1, "too_long": 1}),
        (b'{"msg": "cut', {"not_json": 1}),
        (b'{"msg": "\xff\xfe"}', {"not_json": 1, "not_utf8": 1}),
        (b'[{"msg": "a"}, 7]', {"not_a_record": 1}),
        (b'{"msg": "' + b"x" * 10_000_000 + b'"}', {"not_json": 1, "too_long": 1}),
        (b'{"msg": "\\u001b[2Jx"}', {"terminal": 1}),
        (b'{"msg": "x\\u0000"}', {"binary": 1}),
        (b'{"time": 4102444800, "msg": "x"}', {"in_the_future": 1}),
    ],
    ids=["deep", "deeper", "cut", "bytes", "number", "huge", "terminal", "zeros", "ahead"],
)
def test_hostile_records_are_counted_and_bounded(message: bytes, flaws: dict[str, int]) -> None:
    """None of them takes the decoder down, and each is counted by what was wrong."""
    texts, told = decoded(message)
    assert told == flaws
    assert len(texts) == 1
    assert len(texts[0]) <= 33 * 1024


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["log", "message", "level", "kubernetes", "pod_name", "time", "trace_id", "service", "labels"]
)


@given(st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON, max_size=3), max_size=4))
def test_any_record_is_one_line(record: dict[str, Any]) -> None:
    """Whatever stands where something else is expected, a record is taken."""
    lines = JsonLines(lambda flaw: None).decode(json.dumps(record).encode(), TOLD)
    assert len(lines) <= 1
    assert lines.ends.tolist() == [len(lines.text)] * len(lines)
    assert (lines.at <= NOW + 600_000).all()


@given(st.binary(max_size=400))
def test_any_bytes_are_taken_or_left(message: bytes) -> None:
    """A topic with something else in it stops nobody."""
    lines = JsonLines(lambda flaw: None).decode(message, TOLD)
    assert len(lines) <= message.count(b"\n") + message.count(b"\r") + 1 + message.count(b"{")
    lines.text.tobytes().decode()


@pytest.mark.parametrize(
    ("file", "levels"),
    [
        # pino, then winston, bunyan, and pino with an error.
        ("js", f"TRACE {FIVE} DEBUG INFO WARN ERROR {FIVE} ERROR"),
        # zap, slog, zerolog, logrus.
        ("go", f"{FIVE} DEBUG INFO WARN ERROR ERROR {FIVE} TRACE DEBUG INFO WARN ERROR"),
        # structlog.
        ("python", f"{FIVE} ERROR"),
    ],
)
def test_real_loggers_are_understood(file: str, levels: str) -> None:
    """What these libraries really wrote, level by level; stacks go with their message."""
    flaws: Counter[Flaw] = Counter()
    told = Told(origin=Origin(service=""), now=1_900_000_000_000)
    lines = lines_of(
        JsonLines(lambda flaw: flaws.update([flaw])).decode(
            (GOLDEN / f"{file}.jsonl").read_bytes(), told
        )
    )
    assert " ".join(line.level.name for line in lines) == levels
    assert {line.message.split(b"\n")[0] for line in lines} <= {b"no stock", b"cannot sum"}
    assert {line.at // 86_400_000_000 for line in lines} == {20}
    assert any(b"\n" in line.message for line in lines)
    assert not flaws


def test_what_filebeat_really_wrote_is_understood() -> None:
    """Parsed records, lines of containers with a header or a record in them, and plain lines."""
    told = Told(origin=Origin(service=""), now=1_900_000_000_000)
    message = (GOLDEN / "filebeat.jsonl").read_bytes()
    ecs, words, record, plain, quiet = lines_of(JsonLines(lambda flaw: None).decode(message, told))
    assert (ecs.origin.service, ecs.origin.version, ecs.trace) == ("cart", "2.1", TRACE)
    assert [(one.level, one.message) for one in (ecs, words, record, plain)] == [
        (Level.ERROR, b"no stock")
    ] * 3 + [(Level.ERROR, f"no stock trace_id={TRACE}".encode())]
    assert (quiet.level, quiet.message) == (Level.INFO, b"all is well")
    # The time in the line is nearer than that at which Filebeat read it.
    assert [one.at for one in (ecs, words, plain)] == [1795752000250] * 3
    assert (plain.trace, plain.origin.pod) == (TRACE, "node-1")
