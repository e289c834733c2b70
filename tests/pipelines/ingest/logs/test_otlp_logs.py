"""OTLP logs as bytes: what the library encodes is what is read, and nothing else is lost by it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from detector.errors import InputError
from detector.logs.lines import Level, Origin
from pipelines.ingest.decoded import Refusal
from pipelines.ingest.logs.otlp import OtlpLogs
from pipelines.ingest.protocol import LogDoor
from pipelines.ingest.records.cleaned import LONGEST
from pipelines.ingest.records.flaws import Flaw
from pipelines.testing.log_sink import Line
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS, LogExport, Logway, attributes
from tests.profiles import HEAVY

TRACE = bytes(range(16))
HOUR_NS = 3_600 * 10**9
RESOURCE = {
    "service_name": "checkout",
    "service_version": "1.4.2",
    "k8s_namespace_name": "shop",
    "k8s_cluster_name": "eu-1",
    "k8s_pod_name": "checkout-7d9f",
}
CHECKOUT = Origin(
    service="checkout", namespace="shop", cluster="eu-1", pod="checkout-7d9f", version="1.4.2"
)
# Texts that mean the same to every reader: no control characters, no mark of the byte order.
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).filter(
    lambda text: not text.startswith("\ufeff")
)


def test_a_record_is_a_line_with_all_that_it_tells() -> None:
    """Whose, how grave, when, in which trace, and what it says."""
    way, export = Logway(), LogExport(**RESOURCE)
    export.record("order placed", severity_number=17, severity_text="ERROR", trace_id=TRACE)
    way.take(export.body)
    assert way.line == Line(
        at=NOW_MS,
        level=Level.ERROR,
        origin=CHECKOUT,
        message=b"order placed",
        trace=TRACE.hex(),
    )


@pytest.mark.parametrize(
    ("number", "level"),
    [(1, Level.TRACE), (5, Level.DEBUG), (9, Level.INFO), (12, Level.INFO), (13, Level.WARN),
     (20, Level.ERROR), (21, Level.FATAL), (24, Level.FATAL)],
)  # fmt: skip
def test_numbers_of_severity_are_levels_by_fours(number: int, level: Level) -> None:
    """Loggers differ in which of the four they choose."""
    way, export = Logway(), LogExport()
    export.record("x", severity_number=number)
    way.take(export.body)
    assert way.line.level is level


@pytest.mark.parametrize(
    ("fields", "told", "level"),
    [
        ({"severity_text": "Warning"}, {}, Level.WARN),
        ({"severity_text": "ERROR3"}, {}, Level.ERROR),
        ({"severity_text": "?"}, {"log.level": "fatal"}, Level.FATAL),
        ({}, {"level": "error", "severity": "info"}, Level.ERROR),
        ({}, {"x": "error"}, Level.UNKNOWN),
    ],
    ids=["word", "word and digit", "attribute", "preferred attribute", "none"],
)
def test_without_a_number_a_word_or_an_attribute_tells_the_level(
    fields: dict[str, Any], told: dict[str, str], level: Level
) -> None:
    """Pipelines that parse nothing often keep the level in one of these places."""
    way, export = Logway(), LogExport()
    attributes(export.record("words", severity_number=0, **fields), told)
    way.take(export.body)
    assert way.line.level is level


def test_a_whole_line_without_a_level_is_split_as_one_from_a_file() -> None:
    """A collector that reads files and parses nothing sends what the program wrote."""
    way, export = Logway(), LogExport(service_name="checkout")
    export.record("2025-11-24 16:00:00,123 ERROR payment: card refused", severity_number=0)
    way.take(export.body)
    assert (way.line.level, way.line.at) == (Level.ERROR, NOW_MS)
    assert way.line.message == b"payment: card refused"


def test_a_record_may_tell_itself_whose_it_is() -> None:
    """One collector reads the files of many pods, and keeps names with each record."""
    way, export = Logway(), LogExport(service_name="agent", k8s_cluster_name="eu-1")
    attributes(export.record("a"), {"service.name": "cart", "k8s.pod.name": "cart-1"})
    attributes(export.record("b"), {"k8s.pod.name": "cart-2", "service.name": "cart"})
    export.record("c")
    way.take(export.body)
    told = [(line.origin.service, line.origin.pod, line.origin.cluster) for line in way.lines]
    assert told == [("cart", "cart-1", "eu-1"), ("cart", "cart-2", "eu-1"), ("agent", "", "eu-1")]


def test_a_stack_that_is_told_as_an_attribute_belongs_to_the_message() -> None:
    """Loggers put what was thrown beside the message: without it no error has a root frame."""
    way, export = Logway(), LogExport()
    record = export.record("checkout failed", severity_number=17)
    attributes(record, {"exception.stacktrace": "Traceback:\n  File \x1b[31m'a.py'\nKeyError: 'a'"})
    way.take(export.body)
    assert way.line.message == b"checkout failed\nTraceback:\n  File 'a.py'\nKeyError: 'a'"


def nested(depth: int) -> AnyValue:
    """Lists within lists."""
    value = AnyValue(string_value="x")
    for _ in range(depth):
        outer = AnyValue()
        outer.array_value.values.append(value)
        value = outer
    return value


def test_a_body_of_another_kind_is_compact_json() -> None:
    """An object has no other text that two could agree on."""
    way, export = Logway(), LogExport()
    pairs = export.record().body.kvlist_value.values
    pairs.add(key="order").value.int_value = 7
    pairs.add(key="päid").value.bool_value = True
    export.record().body.int_value = 3
    export.record().body.bytes_value = b"raw \xc3\xa4"
    export.record()
    way.take(export.body)
    assert way.sink.messages() == ['{"order":7,"päid":true}', "3", "raw ä", ""]


def test_an_event_without_a_body_says_its_name() -> None:
    """Events of OpenTelemetry keep what happened there."""
    way, export = Logway(), LogExport()
    export.record(event_name="cart.emptied")
    export.record("said", event_name="cart.emptied")
    way.take(export.body)
    assert way.sink.messages() == ["cart.emptied", "said"]


def test_hostile_nesting_costs_its_own_record_only() -> None:
    """Deep values are cut at a depth; what no reader of protobuf reads is refused and counted."""
    way, export = Logway(), LogExport()
    export.record().body.CopyFrom(nested(40))
    export.record("next")
    taken = way.take(export.body)
    assert taken.dropped == {Flaw.TOO_DEEP: 1}
    assert way.sink.messages() == ["[" * 16 + '"…"' + "]" * 16, "next"]


def test_a_body_that_cannot_be_read_is_refused_alone() -> None:
    """A list of which the length is a lie: its neighbours are taken."""
    way, export = Logway(), LogExport()
    export.record().body.bytes_value = b"?"
    export.record("next")
    # Field 7 (bytes) becomes field 5 (a list), whose only byte is the tag of a broken field.
    body = export.body.replace(b"\x3a\x01?", b"\x2a\x01\x0a")
    taken = way.take(body)
    assert (taken.refused.counts, way.sink.messages()) == ({Refusal.BODY: 1}, ["next"])


def test_a_time_that_is_not_told_is_when_it_was_seen_or_now() -> None:
    """Zero is no time, and every line has one."""
    way, export = Logway(), LogExport()
    export.record("seen", at=0, observed_time_unix_nano=NOW_NS - HOUR_NS)
    export.record("never", at=0)
    way.take(export.body)
    assert [line.at for line in way.lines] == [NOW_MS - 3_600_000, NOW_MS]


def test_a_clock_that_jumps_ahead_is_not_believed() -> None:
    """A line of next week would else be the newest for a week."""
    way, export = Logway(), LogExport()
    export.record("a", at=NOW_NS + 200 * HOUR_NS, observed_time_unix_nano=NOW_NS - 10**9)
    export.record("b", at=2**64 - 1, observed_time_unix_nano=2**64 - 1)
    taken = way.take(export.body)
    assert [line.at for line in way.lines] == [NOW_MS - 1000, NOW_MS]
    assert taken.dropped == {Flaw.IN_THE_FUTURE: 2}


def test_what_is_too_old_is_refused_by_name() -> None:
    """Its bins are long counted."""
    way, export = Logway(behind_s=3_600), LogExport()
    export.record("old", at=NOW_NS - 2 * HOUR_NS)
    export.record("new")
    taken = way.take(export.body)
    assert (taken.refused.counts, way.sink.messages()) == ({Refusal.TOO_OLD: 1}, ["new"])


def broken_text(text: bytes, export: LogExport, mark: bytes) -> bytes:
    """The body of an export in which a marked text is replaced by one that the library refuses."""
    assert len(text) == len(mark)
    return export.body.replace(mark, text)


def test_what_is_no_utf8_is_mended_and_counted() -> None:
    """The library refuses the whole batch for one such byte; we do not."""
    way, export = Logway(), LogExport()
    export.record("latin: ....")
    export.record("next")
    taken = way.take(broken_text(b"caf\xe9", export, b"...."))
    assert way.sink.messages() == ["latin: caf\ufffd", "next"]
    assert taken.dropped == {Flaw.NOT_UTF8: 1}


def test_a_line_of_ten_megabytes_is_cut_and_its_neighbour_whole() -> None:
    """Bounded memory, and a count that says so."""
    way, export = Logway(), LogExport()
    export.record("ä" * 5_000_000)
    export.record("next")
    taken = way.take(export.body)
    assert taken.dropped == {Flaw.TOO_LONG: 1}
    long, following = way.lines
    assert LONGEST - 4 <= len(long.message) <= LONGEST + 4
    assert following.message == b"next"


@pytest.mark.parametrize(
    ("text", "message", "flaw"),
    [
        ("\x1b[31mred\x1b[0m", "red", Flaw.TERMINAL),
        ("nul\x00 bell\x07", "nul bell", Flaw.BINARY),
        ("\ufeffmarked", "marked", None),
        ("tab\tand\nline", "tab\tand\nline", None),
    ],
    ids=["colours", "binary", "byte order mark", "white space"],
)
def test_a_text_holds_only_what_texts_hold(text: str, message: str, flaw: Flaw | None) -> None:
    """Nothing of it gives orders to the terminal of who looks at it."""
    way, export = Logway(), LogExport()
    export.record(text)
    taken = way.take(export.body)
    assert way.sink.messages() == [message]
    assert list(taken.dropped) == ([] if flaw is None else [flaw])


def test_fields_in_another_order_are_read_by_the_library() -> None:
    """A resource told in two parts belongs together."""
    export, other = LogExport(service_name="checkout"), LogExport(k8s_pod_name="a")
    export.record("said")
    first, second = (one.request.resource_logs[0] for one in (export, other))
    inner = first.SerializeToString() + second.SerializeToString()
    way = Logway()
    way.take(b"\x0a" + _varint(len(inner)) + inner)
    assert (way.line.origin.service, way.line.origin.pod) == ("checkout", "a")


def _varint(value: int) -> bytes:
    return bytes([value & 0x7F | 0x80, value >> 7]) if value > 0x7F else bytes([value])


@pytest.mark.parametrize("body", [b"\xff\xff", b"\x0a\x05abc", b"\x0a"])
def test_what_is_no_protobuf_is_an_error_of_the_sender(body: bytes) -> None:
    """Not ours, and nothing of it is taken."""
    way = Logway()
    with pytest.raises(InputError):
        way.take(body)
    assert way.lines == []


def test_an_empty_request_brings_no_batch() -> None:
    """Exporters send one to see whether we are there."""
    way = Logway()
    assert way.take(b"").taken == 0
    assert way.sink.batches == {}


@st.composite
def exports(draw: st.DrawFn) -> ExportLogsServiceRequest:
    """Any request with texts that all readers agree on."""
    request = ExportLogsServiceRequest()
    for _ in range(draw(st.integers(0, 3))):
        resource = request.resource_logs.add(schema_url=draw(WORDS))
        attributes(resource.resource, draw(st.dictionaries(NAMES, WORDS, max_size=4)))
        for _ in range(draw(st.integers(0, 2))):
            scope = resource.scope_logs.add()
            scope.scope.name = draw(WORDS)
            for _ in range(draw(st.integers(0, 4))):
                _draw_record(draw, scope)
    return request


NAMES = st.sampled_from(["service.name", "k8s.pod.name", "service.version", "other", "x.y"])


def _draw_record(draw: st.DrawFn, scope: Any) -> None:  # noqa: ANN401
    record = scope.log_records.add(
        time_unix_nano=draw(st.integers(0, NOW_NS)),
        observed_time_unix_nano=draw(st.integers(1, NOW_NS)),
        severity_number=draw(st.integers(1, 24)),
        severity_text=draw(WORDS),
        trace_id=draw(st.binary(min_size=16, max_size=16)),
        span_id=draw(st.binary(max_size=8)),
        flags=draw(st.integers(0, 255)),
        dropped_attributes_count=draw(st.integers(0, 9)),
    )
    record.body.string_value = draw(WORDS)
    attributes(record, draw(st.dictionaries(st.sampled_from(["a", "code.line"]), WORDS)))


def as_the_library_reads(request: ExportLogsServiceRequest) -> list[Line]:
    """The lines of a request, by the library."""
    return [
        Line(
            at=(record.time_unix_nano or record.observed_time_unix_nano) // 10**6,
            level=Level(1 + (record.severity_number - 1) // 4),
            origin=_origin(resource.resource),
            message=record.body.string_value.encode(),
            trace=record.trace_id.hex() if any(record.trace_id) else "",
        )
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def _origin(resource: Any) -> Origin:  # noqa: ANN401
    told = {pair.key: pair.value.string_value.strip() for pair in resource.attributes}
    return Origin(
        service=told.get("service.name", ""),
        pod=told.get("k8s.pod.name", ""),
        version=told.get("service.version", ""),
    )


@HEAVY
@given(request=exports())
def test_every_request_is_read_as_the_library_reads_it(request: ExportLogsServiceRequest) -> None:
    """The walk in compiled loops knows no other protobuf than everybody."""
    way = Logway(behind_s=10**12)
    way.take(request.SerializeToString())
    assert way.lines == as_the_library_reads(request)


@HEAVY
@given(request=exports())
def test_json_is_the_same_request(request: ExportLogsServiceRequest) -> None:
    """Whoever changes the encoding keeps templates, origins and traces."""
    tree = MessageToDict(request)
    for resource, told in zip(request.resource_logs, tree.get("resourceLogs", ()), strict=True):
        _hex_ids(resource, told)
    way = Logway(behind_s=10**12)
    way.take(json.dumps(tree).encode(), LogDoor.OTLP_JSON)
    assert way.lines == as_the_library_reads(request)


def _hex_ids(resource: Any, tree: dict[str, Any]) -> None:  # noqa: ANN401
    """Ids as OTLP writes them, and not as protobuf's own JSON does; enums as numbers."""
    for scope, told in zip(resource.scope_logs, tree.get("scopeLogs", ()), strict=True):
        for record, line in zip(scope.log_records, told.get("logRecords", ()), strict=True):
            line |= {"traceId": record.trace_id.hex(), "spanId": record.span_id.hex()}
            line["severityNumber"] = record.severity_number


@HEAVY
@given(request=exports(), place=st.integers(0, 2**16), byte=st.integers(0, 255))
def test_a_request_with_a_byte_changed_is_lines_or_an_error(
    request: ExportLogsServiceRequest, place: int, byte: int
) -> None:
    """A flipped bit on the way never ends the process, nor makes it read beyond the body."""
    body = bytearray(request.SerializeToString())
    if body:
        body[place % len(body)] = byte
    with suppress(InputError):
        taken = Logway().take(bytes(body))
        assert taken.taken == len(taken.lines.ends)


@HEAVY
@given(request=exports(), cut=st.integers(0, 2**16))
def test_a_request_cut_short_gives_no_line_that_was_not_sent(
    request: ExportLogsServiceRequest, cut: int
) -> None:
    """Half a message is not half read."""
    body = request.SerializeToString()
    way = Logway(behind_s=10**12)
    with suppress(InputError):
        way.take(body[: cut % (len(body) + 1)])
    sent = [line.message for line in as_the_library_reads(request)]
    assert [line.message for line in way.lines] == sent[: len(way.lines)]


def test_a_resource_is_read_once() -> None:
    """Each of a million records would else decode its attributes."""
    door, export = OtlpLogs(), LogExport(**RESOURCE)
    key = export.request.resource_logs[0].resource.SerializeToString()
    assert door._owners.of(key) is door._owners.of(key)


def test_a_body_that_is_a_record_is_read_by_the_mappings_of_records() -> None:
    """Fluent Bit sends each record as an object, loggers write JSON into the text."""
    way, export = Logway(), LogExport()
    pairs = export.record(severity_number=0).body.kvlist_value.values
    pairs.add(key="log").value.string_value = "2025-11-24 10:00:00 ERROR card refused"
    pod = pairs.add(key="kubernetes").value.kvlist_value.values
    pod.add(key="pod_name").value.string_value = "cart-6d9f7c8b5d-x2b4z"
    pod.add(key="namespace_name").value.string_value = "shop"
    export.record('{"level": "warn", "msg": "card is slow", "n": 1}', severity_number=0)
    export.record('{"msg": "told twice", "level": "debug"}', severity_number=17)
    way.take(export.body)
    assert way.sink.messages() == ["card refused", "card is slow", "told twice"]
    assert [line.level for line in way.lines] == [Level.ERROR, Level.WARN, Level.ERROR]
    origin = way.lines[0].origin
    assert (origin.service, origin.namespace, origin.pod) == (
        "cart",
        "shop",
        "cart-6d9f7c8b5d-x2b4z",
    )


def test_two_messages_at_once_count_their_own_flaws() -> None:
    """The doors of a tenant are open to many senders."""
    way = Logway()

    def body(text: str) -> bytes:
        export = LogExport()
        export.record(text, severity_number=0)
        return export.body

    with ThreadPoolExecutor(4) as pool:
        flawed = [pool.submit(way.take, body(f'{{"{nth}": ' + "[" * 20_000)) for nth in range(20)]
        fine = [pool.submit(way.take, body(f"words {nth}")) for nth in range(20)]
    assert all(done.result().dropped == {Flaw.TOO_DEEP: 1} for done in flawed)
    assert not any(done.result().dropped for done in fine)
