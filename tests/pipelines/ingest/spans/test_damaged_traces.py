"""Bodies that somebody damaged, in protobuf and in JSON: an error, or what was left whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from pipelines.ingest.decoded import Window
from pipelines.ingest.spans.decoded import SpanRefusal
from pipelines.ingest.spans.otlp import Otlp
from pipelines.ingest.spans.otlp_json import protobuf_of
from tests.pipelines.ingest.spans.requests import (
    NOW_MS,
    OPEN,
    in_json,
    request_of,
    requests,
    span_of,
)
from tests.profiles import HEAVY

EVER = Window(oldest=-(2**62), newest=2**62)
WHOLE = request_of(
    span_of({"http.request.method": "GET", "http.route": "/r"}, name="GET /r", kind=2),
    span_of({"db.system": "mysql", "db.statement": "SELECT 1 FROM a"}, name="q", kind=3),
    service_name="checkout",
)
SPAN: dict[str, Any] = {
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "spanId": "b7ad6b7169203331",
    "name": "work",
    "kind": 2,
    "startTimeUnixNano": str(NOW_MS * 10**6),
    "endTimeUnixNano": str(NOW_MS * 10**6 + 5),
}


def body_of(**changed: object) -> bytes:
    """A request in JSON of one span, of which some is otherwise; None takes it away."""
    span = {key: value for key, value in (SPAN | changed).items() if value is not None}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def read(body: bytes) -> tuple[int, dict[Any, int]]:
    """How many spans a body in JSON has, and what was refused of it."""
    told = Otlp().decode(protobuf_of(body), OPEN, NOW_MS)
    return told.taken, dict(told.refused.counts)


def test_a_span_in_json_is_one() -> None:
    """The one that the others here are made of by damage."""
    assert read(body_of()) == (1, {})


BROKEN = {
    "empty": b"",
    "no json": b"resourceSpans",
    "cut off": b'{"resourceSpans": [{"scopeSpans": [{"spa',
    "no utf-8": b'{"resourceSpans": "\xff\xfe"}',
    "a list": b"[]",
    "a text": b'"spans"',
    "a number": b"17",
    "nothing": b"null",
    "spans that are a text": b'{"resourceSpans": "x"}',
    "resources that are a map": b'{"resourceSpans": {"0": {}}}',
    "a span that is a number": b'{"resourceSpans": [{"scopeSpans": [{"spans": [1]}]}]}',
    "scopes that are a number": b'{"resourceSpans": [{"scopeSpans": 3}]}',
    "deep": b'{"resourceSpans": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an id that is a number": body_of(traceId=17),
    "a kind that is a list": body_of(kind=[2]),
    "a time that is no number": body_of(startTimeUnixNano="today"),
    "a time below zero": body_of(startTimeUnixNano=-5),
    "a time above 64 bits": body_of(endTimeUnixNano=str(2**64)),
    "a name that is a map": body_of(name={"a": 1}),
    "attributes that are a map": body_of(attributes={"http.route": "/r"}),
    "an attribute of two values": body_of(attributes=[{"key": "a", "value": {"intValue": "x"}}]),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_in_json_that_is_none_is_an_error_of_its_sender(body: bytes) -> None:
    """Told with the answer, and never as a fault of ours; nothing of it is counted."""
    with pytest.raises(InputError) as told:
        read(body)
    assert 10 < len(str(told.value)) < 400


SENT = {
    "no span": (b"{}", (0, {})),
    "nulls": (b'{"resourceSpans": [{"resource": null, "scopeSpans": null}]}', (0, {})),
    "ids in capitals": (body_of(traceId="0AF7651916CD43DD8448EB211C80319C"), (1, {})),
    "no trace id": (body_of(traceId=None), (0, {SpanRefusal.IDS: 1})),
    "an empty span id": (body_of(spanId=""), (0, {SpanRefusal.IDS: 1})),
    "an id of base64": (body_of(spanId="t61rcWkgMzE="), (0, {SpanRefusal.IDS: 1})),
    "an id of another length": (body_of(traceId="0af7"), (0, {SpanRefusal.IDS: 1})),
    "an id of other letters": (body_of(spanId="é7ad6b7169203331"), (0, {SpanRefusal.IDS: 1})),
    "an id of zeros": (body_of(traceId="0" * 32), (0, {SpanRefusal.IDS: 1})),
    "times as numbers": (body_of(startTimeUnixNano=NOW_MS * 10**6), (1, {})),
    "unknown fields": (body_of(future={"a": [1]}, traceState="a=b"), (1, {})),
    "events that are nonsense": (body_of(events="x", links=17), (1, {})),
    "a kind by its name": (body_of(kind="SPAN_KIND_SERVER"), (1, {})),
    "a kind that is no name": (body_of(kind="SERVER-ISH"), (1, {})),
    "a status that is a word": (body_of(status="ERROR"), (1, {})),
    "a resource that is a text": (b'{"resourceSpans": [{"resource": "x"}]}', (0, {})),
    "a kind of tomorrow": (body_of(kind=17), (1, {})),
    "no times": (body_of(startTimeUnixNano=None, endTimeUnixNano=None), (1, {})),
    "null attributes": (body_of(attributes=[{"key": "a", "value": None}]), (1, {})),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), SENT.values(), ids=SENT)
def test_what_writers_of_json_do_differently_is_read(
    body: bytes, expected: tuple[int, dict[Any, int]]
) -> None:
    """Browsers and small exporters write this by hand."""
    assert read(body) == expected


def test_events_and_links_in_json_are_not_even_looked_at() -> None:
    """A stack trace of a megabyte in each span costs no second reading."""
    huge = [{"attributes": [{"key": "x", "value": {"stringValue": "x" * 2**20}}]}]
    assert len(protobuf_of(body_of(events=huge, links=huge))) < 200


@HEAVY
@given(st.integers(0, 2**32), st.integers(1, 255))
def test_a_bit_that_turned_over_ends_in_spans_or_in_an_error(place: int, mask: int) -> None:
    """A length that lies leads out of the body; what is read stays within."""
    body = bytearray(WHOLE.SerializeToString())
    body[place % len(body)] ^= mask
    try:
        told = Otlp().decode(bytes(body), EVER, NOW_MS)
    except InputError:
        return
    assert told.taken + told.refused.total <= len(body)
    assert all(len(name) <= 255 for name in told.spans.operations)
    assert len(told.spans.origin) == told.taken


@pytest.mark.parametrize("door", [bytes, in_json], ids=["protobuf", "json"])
def test_each_body_that_was_cut_off_is_an_error_or_less(door: Any) -> None:  # noqa: ANN401
    """A connection ends at any byte."""
    whole = WHOLE.SerializeToString() if door is bytes else in_json(WHOLE)
    counts = set()
    for end in range(len(whole)):
        try:
            cut = whole[:end] if door is bytes else protobuf_of(whole[:end])
            counts.add(Otlp().decode(cut, EVER, NOW_MS).taken)
        except InputError:
            counts.add(-1)
    assert counts <= {-1, 0}


@HEAVY
@given(requests(), requests())
def test_two_requests_behind_each_other_are_one(one: Any, other: Any) -> None:  # noqa: ANN401
    """Protobuf says so, and collectors make use of it."""
    parts = [request.SerializeToString() for request in (one, other)]
    door = Otlp()
    apart = [door.decode(part, EVER, NOW_MS) for part in parts]
    both = Otlp().decode(b"".join(parts), EVER, NOW_MS)
    assert both.taken == sum(told.taken for told in apart)
    assert both.spans.span.tolist() == [id for told in apart for id in told.spans.span.tolist()]
    assert both.refused.total == sum(told.refused.total for told in apart)


@HEAVY
@given(st.lists(requests(), min_size=2, max_size=4))
def test_a_door_that_has_read_much_reads_as_a_new_one(sent: list[Any]) -> None:
    """What is remembered of names makes it faster, and nothing else."""
    old = Otlp()
    for request in sent:
        body = request.SerializeToString()
        one, other = old.decode(body, EVER, NOW_MS), Otlp().decode(body, EVER, NOW_MS)
        assert [one.spans.operations[n] for n in one.spans.operation] == [
            other.spans.operations[n] for n in other.spans.operation
        ]
        assert [one.spans.peers[n] for n in one.spans.peer] == [
            other.spans.peers[n] for n in other.spans.peer
        ]
        assert one.dropped == other.dropped
