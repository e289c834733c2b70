"""OTLP traces to columns: against the library of protobuf, and with what nobody should send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from detector.errors import InputError
from detector.spans.columns import SpanStatus
from detector.spans.masking import printable
from detector.spans.naming import operation_of, peer_of
from pipelines.ingest.decoded import Window
from pipelines.ingest.spans.decoded import Oddity, SpanRefusal
from pipelines.ingest.spans.origins import UNKNOWN_SERVICE
from pipelines.ingest.spans.otlp import LONGEST_NS, Otlp
from pipelines.ingest.spans.otlp_json import protobuf_of
from pipelines.ingest.spans.shapes import OTHER, Named
from tests.pipelines.ingest.spans.requests import (
    NOW_MS,
    OPEN,
    attributes,
    decoded,
    in_json,
    request_of,
    requests,
    span_of,
    told_by_library,
)

EVER = Window(oldest=-(2**62), newest=2**62)


def signed(number: int) -> int:
    """As 64 bits with a sign."""
    return number - 2**64 if number >= 2**63 else number


def expected(request: ExportTraceServiceRequest) -> list[tuple[object, ...]]:
    """The spans with ids, by the library."""
    found: list[tuple[object, ...]] = []
    for one in request.resource_spans:
        words = {pair.key: pair.value.string_value for pair in one.resource.attributes}
        for scope in one.scope_spans:
            found += [_row(span, words) for span in scope.spans if _has_ids(span)]
    return found


def _has_ids(span: Span) -> bool:
    return len(span.trace_id) == 16 and any(span.trace_id) and _id(span.span_id) > 0


def _id(raw: bytes) -> int:
    return int.from_bytes(raw, "big") if len(raw) == 8 else 0


def _row(span: Span, words: dict[str, str]) -> tuple[object, ...]:
    told = told_by_library(span)
    start = signed(span.start_time_unix_nano)
    status = span.status.code if span.status.code <= 2 else 0
    return (
        span.trace_id,
        _id(span.span_id),
        _id(span.parent_span_id),
        start,
        int(told.kind),
        status,
        printable(words.get("service.name", "")) or UNKNOWN_SERVICE,
    )


@given(requests())
def test_columns_are_what_the_library_reads(request: ExportTraceServiceRequest) -> None:
    """The compiled walk sees each span as the published reader of the format does."""
    spans = Otlp().decode(request.SerializeToString(), EVER, NOW_MS).spans
    found = [
        (
            spans.trace[row].tobytes(),
            int(spans.span[row]),
            int(spans.parent[row]),
            int(spans.start[row]),
            int(spans.kind[row]),
            int(spans.status[row]),
            spans.origins[spans.origin[row]].service,
        )
        for row in range(len(spans))
    ]
    assert found == expected(request)


@given(requests())
def test_names_are_what_the_attributes_tell(request: ExportTraceServiceRequest) -> None:
    """Whatever the order and the age of the names, and however long the values."""
    spans = Otlp().decode(request.SerializeToString(), EVER, NOW_MS).spans
    rows = [
        span
        for one in request.resource_spans
        for scope in one.scope_spans
        for span in scope.spans
        if _has_ids(span)
    ]
    for row, span in enumerate(rows):
        told = told_by_library(span)
        if max(map(len, (pair.value.string_value for pair in span.attributes)), default=0) > 100:
            continue
        assert spans.operations[spans.operation[row]] == operation_of(told)
        assert spans.peers[spans.peer[row]] == peer_of(told)


@given(requests())
def test_json_is_the_same(request: ExportTraceServiceRequest) -> None:
    """An exporter may be told to write either."""
    packed = protobuf_of(in_json(request))
    one = Otlp().decode(packed, EVER, NOW_MS).spans
    other = Otlp().decode(request.SerializeToString(), EVER, NOW_MS).spans
    for name in ("trace", "span", "parent", "start", "duration", "kind", "status"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert [one.operations[n] for n in one.operation] == [
        other.operations[n] for n in other.operation
    ]


@given(st.binary(max_size=80))
def test_any_bytes_end_in_spans_or_in_an_error(body: bytes) -> None:
    """Nothing that is sent breaks the door."""
    try:
        taken = Otlp().decode(body, OPEN, NOW_MS).taken
    except InputError:
        return
    assert taken <= len(body)


@given(requests(), st.data())
def test_a_body_that_was_cut_off_breaks_nothing(
    request: ExportTraceServiceRequest, data: st.DataObject
) -> None:
    """A connection ends in the middle of a span."""
    body = request.SerializeToString()
    cut = body[: data.draw(st.integers(0, len(body)))]
    try:
        assert Otlp().decode(cut, EVER, NOW_MS).taken <= len(expected(request))
    except InputError:
        assert cut != body


def test_fields_in_another_order_are_read_all_the_same() -> None:
    """A resource may come behind its spans, and in two parts."""
    spans = request_of(span_of(name="work")).resource_spans[0].SerializeToString()
    late = request_of(service_name="checkout").resource_spans[0].resource
    more = request_of(service_version="v2").resource_spans[0].resource
    tail = b"".join(
        b"\x0a" + bytes([len(part)]) + part
        for part in (late.SerializeToString(), more.SerializeToString())
    )
    inner = spans + tail
    body = b"\x0a" + bytes([len(inner)]) + inner
    origin = Otlp().decode(body, OPEN, NOW_MS).spans.origins[0]
    assert (origin.service, origin.version) == ("checkout", "v2")


def test_what_has_no_ids_or_is_of_another_time_is_counted() -> None:
    """By name, beside what is taken."""
    told = decoded(
        request_of(
            span_of(), span_of(trace_id=b""), span_of(span_id=bytes(8)),
            span_of(start_time_unix_nano=5), span_of(start_time_unix_nano=2**63 + 5),
            span_of(start_time_unix_nano=3 * NOW_MS * 10**6),
        ),
        Window(oldest=NOW_MS - 1, newest=NOW_MS + 1),
    )  # fmt: skip
    counts = {SpanRefusal.IDS: 2, SpanRefusal.TOO_OLD: 2, SpanRefusal.IN_THE_FUTURE: 1}
    assert (told.taken, dict(told.refused.counts)) == (1, counts)


def test_a_negative_duration_is_none() -> None:
    """A clock that was set back during a request makes no year of it."""
    told = decoded(request_of(span_of(end_time_unix_nano=7)))
    assert told.spans.duration.tolist() == [0]
    assert told.dropped[Oddity.NEGATIVE_DURATION] == 1


@pytest.mark.parametrize("end", [2**63 - 1, 2**63 + 5, 2**64 - 1, (NOW_MS + 10**9) * 10**6])
def test_an_absurd_end_makes_no_absurd_sum(end: int) -> None:
    """Who says that a request took a century does not make the mean of all others meaningless."""
    told = decoded(request_of(span_of(end_time_unix_nano=end)))
    assert 0 <= told.spans.duration[0] <= LONGEST_NS
    assert {Oddity.LONG_DURATION, Oddity.NEGATIVE_DURATION} & set(told.dropped)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (attributes(http__response__status_code=503), SpanStatus.ERROR),
        (attributes(http__status_code=500), SpanStatus.ERROR),
        (attributes(http__status_code="502"), SpanStatus.ERROR),
        (attributes(http__response__status_code=404), SpanStatus.UNSET),
        (attributes(http__response__status_code=200), SpanStatus.UNSET),
        (attributes(http__response__status_code=-3), SpanStatus.UNSET),
        (attributes(http__response__status_code="5xx"), SpanStatus.UNSET),
        (attributes(http__response__status_code=600), SpanStatus.UNSET),
        (attributes(http__response__status_code=404, http__status_code=500), SpanStatus.UNSET),
        (attributes(http__status_code=404, http__response__status_code=500), SpanStatus.ERROR),
    ],
)
def test_an_answer_of_5xx_is_an_error(told: dict[str, object], status: SpanStatus) -> None:
    """Some instrumentations leave the status of the span alone."""
    assert decoded(request_of(span_of(told))).spans.status.tolist() == [status]


def test_who_says_that_all_went_well_is_believed() -> None:
    """A status that was set by a person is not overruled by a code."""
    span = span_of(attributes(http__response__status_code=500), status={"code": 1})
    assert decoded(request_of(span)).spans.status.tolist() == [SpanStatus.OK]


def test_a_statement_with_values_makes_one_shape() -> None:
    """A million customers do not fill the memory of names."""
    door = Otlp()
    for customer in range(300):
        told = {"db.system": "pg", "db.statement": f"SELECT * FROM t WHERE id = {customer}"}  # noqa: S608
        route = {
            "http.request.method": "GET",
            "http.route": "/u/{id}",
            "url.path": f"/u/{customer}",
        }
        request = request_of(
            span_of(told, name=f"q{customer}"), span_of(route, name=f"GET /u/{customer}")
        )
        door.decode(request.SerializeToString(), OPEN, NOW_MS)
    assert len(door._named._names) == 2


def test_too_many_shapes_are_forgotten_and_learned_again() -> None:
    """Names that are new in each span cost time, never memory; the last resort is `other`."""
    door = Otlp()
    door._named = Named(1, most=64)
    for first in range(0, 400, 40):
        spans = [
            span_of(name=f"work {chr(97 + n % 26)}{chr(97 + n // 26 % 26)}x")
            for n in range(first, first + 40)
        ]
        told = door.decode(request_of(*spans).SerializeToString(), OPEN, NOW_MS)
        assert OTHER not in told.spans.operations
    crowd = [span_of(name=f"w {'abcdefghij'[n % 10] * (1 + n // 10)}") for n in range(200)]
    told = door.decode(request_of(*crowd).SerializeToString(), OPEN, NOW_MS)
    assert told.dropped[Oddity.TOO_MANY_NAMES] > 0
    assert OTHER in told.spans.operations


def test_huge_attributes_and_names_are_cut() -> None:
    """A megabyte in an attribute is read over."""
    huge = "x" * 2**20
    spans = decoded(
        request_of(span_of({"url.full": huge, "peer.service": huge}, name=huge, kind=3))
    ).spans
    assert len(spans.operations[0]) <= 255
    assert len(spans.peers[0].name) <= 255


def test_words_for_a_terminal_do_not_reach_one() -> None:
    """A name that would clear the screen of who reads it."""
    spans = decoded(request_of(span_of(name="\x1b[2J\u202eevil"), service_name="a\x1b[31m")).spans
    assert "\x1b" not in spans.operations[0] + spans.origins[0].service
    assert "\u202e" not in spans.operations[0]


def test_a_service_without_a_name_is_one_and_counted() -> None:
    """Its spans are counted under the name that SDKs have for it."""
    told = decoded(request_of(span_of()))
    assert told.spans.origins[0].service == "unknown_service"
    assert told.dropped[Oddity.UNNAMED_SERVICE] == 1
