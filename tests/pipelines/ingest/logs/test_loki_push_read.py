"""Pushes of Loki as bytes: whose lines they are, what they say, and what is left out of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.logs.lines import Level
from pipelines.ingest.decoded import Refusal
from pipelines.ingest.logs.loki_json import labels_text
from pipelines.ingest.logs.loki_labels import labels_of
from pipelines.ingest.protocol import LogDoor
from pipelines.ingest.records.flaws import Flaw
from pipelines.testing.log_sink import Line
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS, Logway
from tests.pipelines.ingest.logs.lokis import pushed
from tests.profiles import HEAVY

SHOP = '{app="shop"}'
TRACE = "0af7651916cd43dd8448eb211c80319c"
MINUTE_NS = 60 * 10**9
# Lines that have no header and no flaw, so that they are told as they are.
WORDS = st.text(st.sampled_from("abcxyzäß…"), max_size=12)


def taken(way: Logway, streams: Mapping[str, Any]) -> list[Line]:
    """The lines of a push."""
    way.take(pushed(streams).SerializeToString(), LogDoor.LOKI)
    return way.lines


def one(line: str = "said", labels: str = SHOP, **metadata: str) -> Line:
    """A push of one line."""
    return taken(Logway(), {labels: [(NOW_NS, line, metadata)]})[0]


@pytest.mark.parametrize(
    ("labels", "service", "pod"),
    [
        ('{app="shop", pod="shop-1"}', "shop", "shop-1"),
        ('{job="prod/shop", instance="web-3"}', "prod/shop", "web-3"),
        ('{service_name="a", app="b", job="c"}', "a", ""),
        ('{k8s_container_name="shop", k8s_pod_name="p"}', "shop", "p"),
        ('{container="shop"}', "shop", ""),
        ('{x="y"}', "", ""),
    ],
    ids=["kubernetes", "job", "preferred", "otel", "container", "nobody"],
)
def test_labels_tell_whose_the_lines_are(labels: str, service: str, pod: str) -> None:
    """In the words of each sender."""
    origin = one(labels=labels).origin
    assert (origin.service, origin.pod) == (service, pod)


def test_structured_metadata_tells_more_than_labels() -> None:
    """Pods and traces are no labels where people keep streams few."""
    line = one(pod="shop-2", service_version="1.2", trace_id=TRACE, detected_level="warn")
    assert (line.origin.service, line.origin.pod, line.origin.version) == ("shop", "shop-2", "1.2")
    assert (line.level, line.trace) == (Level.WARN, TRACE)


@pytest.mark.parametrize("label", ["level", "detected_level", "severity", "severity_text"])
def test_a_label_may_tell_the_level(label: str) -> None:
    """Of all lines of its stream."""
    assert one(labels=f'{{app="shop", {label}="error"}}').level is Level.ERROR


def test_a_line_is_read_as_its_program_wrote_it() -> None:
    """Time and level go from the message; what labels tell of the level is believed more."""
    text = "2025-11-24 10:00:00,123 ERROR [main] shop.Cart - cannot add item"
    line = one(text)
    assert (line.level, line.at) == (Level.ERROR, NOW_MS)
    assert line.message == b"cannot add item"
    assert one(text, detected_level="warn").level is Level.WARN
    assert one(text, detected_level="warn").message == b"cannot add item"


def test_the_same_line_at_the_same_nanosecond_is_taken_once() -> None:
    """Loki leaves it out: a sender that came again with half a batch would else make a burst."""
    way = Logway()
    entries = [(NOW_NS, "a"), (NOW_NS, "a"), (NOW_NS, "b"), (NOW_NS + 1, "b"), (NOW_NS + 1, "b")]
    told = way.take(pushed({SHOP: entries}).SerializeToString(), LogDoor.LOKI)
    assert way.sink.messages() == ["a", "b", "b"]
    assert told.dropped == {Flaw.REPEATED: 2}


def test_streams_with_the_same_line_are_not_the_same() -> None:
    """Two pods may say one thing at one time, in one push; and a stream may come in two parts."""
    way = Logway()
    request = pushed({SHOP: [(NOW_NS, "a")], '{app="cart"}': [(NOW_NS, "a")]})
    request.streams.add(labels=SHOP).entries.add(line="b").timestamp.seconds = NOW_NS // 10**9
    way.take(request.SerializeToString(), LogDoor.LOKI)
    told = [(line.origin.service, line.message) for line in way.lines]
    assert told == [("shop", b"a"), ("cart", b"a"), ("shop", b"b")]


@pytest.mark.parametrize(
    "labels",
    ["", "{}", "{app=}", '{app="shop"', '{app=~"shop"}', "words", '{app="a", app="b'],
)
def test_labels_that_cannot_be_read_cost_their_own_stream(labels: str) -> None:
    """Refused by name, and its neighbours are taken."""
    way = Logway()
    request = pushed({labels: [(NOW_NS, "a"), (NOW_NS, "b")], SHOP: [(NOW_NS, "c")]})
    told = way.take(request.SerializeToString(), LogDoor.LOKI)
    assert (told.refused.counts, way.sink.messages()) == ({Refusal.LABELS: 2}, ["c"])


def test_what_is_too_old_is_refused_by_name() -> None:
    """As of every door."""
    way = Logway(behind_s=60)
    request = pushed({SHOP: [(NOW_NS - 2 * MINUTE_NS, "old"), (NOW_NS, "new")]})
    told = way.take(request.SerializeToString(), LogDoor.LOKI)
    assert (told.refused.counts, way.sink.messages()) == ({Refusal.TOO_OLD: 1}, ["new"])


def test_a_time_before_unix_is_no_time() -> None:
    """A negative second is what a broken clock gives: the line came now."""
    way = Logway()
    request = pushed({SHOP: []})
    request.streams[0].entries.add(line="a").timestamp.seconds = -5
    way.take(request.SerializeToString(), LogDoor.LOKI)
    assert way.line.at == NOW_MS


def test_bytes_that_are_no_utf8_are_mended() -> None:
    """Promtail passes on what it read."""
    way = Logway()
    body = pushed({SHOP: [(NOW_NS, "caf....")]}).SerializeToString()
    told = way.take(body.replace(b"caf....", b"caf\xe9 \xff!"), LogDoor.LOKI)
    assert way.sink.messages() == ["caf\ufffd \ufffd!"]
    assert told.dropped == {Flaw.NOT_UTF8: 1}


@pytest.mark.parametrize(
    ("line", "message"),
    [(b'"half \\ud800 pair"', "half ? pair"), (b'"caf\xe9"', "caf\ufffd")],
    ids=["surrogate", "latin"],
)
def test_json_with_a_text_that_is_none_costs_no_batch(line: bytes, message: str) -> None:
    """Its neighbours are taken, too."""
    way = Logway()
    body = b'{"streams": [{"stream": {"app": "shop"}, "values": [["%d", %b], ["%d", "next"]]}]}'
    told = way.take(body % (NOW_NS, line, NOW_NS), LogDoor.LOKI_JSON)
    assert way.sink.messages() == [message, "next"]
    assert told.dropped == {Flaw.NOT_UTF8: 1}


def test_labels_in_json_may_hold_what_labels_hold_as_text() -> None:
    """Quotes, strokes and line ends of a value come back as they were."""
    way = Logway()
    stream = {"app": 'a"b\\c\nd'}
    body = json.dumps({"streams": [{"stream": stream, "values": [[str(NOW_NS), "x"]]}]})
    way.take(body.encode(), LogDoor.LOKI_JSON)
    assert way.line.origin.service == stream["app"]


@given(
    st.dictionaries(
        st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_labels_written_and_read_are_the_same(labels: dict[str, str]) -> None:
    """By JSON and by protobuf a stream is one."""
    assert labels_of(labels_text(labels)) == dict(sorted(labels.items()))


ENTRIES = st.lists(st.tuples(st.integers(0, MINUTE_NS), WORDS), max_size=5)
STREAMS = st.dictionaries(st.sampled_from(["shop", "cart", "ads"]), ENTRIES, max_size=3)


def expected(streams: Mapping[str, list[tuple[int, str]]]) -> list[tuple[str, int, str]]:
    """Service, time and line of each, but for those that are the one before them once more."""
    return [
        (app, (NOW_NS + at) // 10**6, line)
        for app, entries in streams.items()
        for nth, (at, line) in enumerate(entries)
        if nth == 0 or entries[nth - 1] != (at, line)
    ]


@HEAVY
@given(streams=STREAMS)
def test_every_push_is_read_as_it_was_written(
    streams: dict[str, list[tuple[int, str]]],
) -> None:
    """In protobuf and in JSON."""
    shifted = {app: [(NOW_NS + at, line) for at, line in told] for app, told in streams.items()}
    request = pushed({f'{{app="{app}"}}': told for app, told in shifted.items()})
    tree = {
        "streams": [
            {"stream": {"app": app}, "values": [[str(at), line] for at, line in told]}
            for app, told in shifted.items()
        ]
    }
    for body, door in (
        (request.SerializeToString(), LogDoor.LOKI),
        (json.dumps(tree).encode(), LogDoor.LOKI_JSON),
    ):
        way = Logway()
        way.take(body, door)
        told = [(line.origin.service, line.at, line.message.decode()) for line in way.lines]
        assert told == expected(streams)


@HEAVY
@given(streams=STREAMS, place=st.integers(0, 2**16), byte=st.integers(0, 255))
def test_a_push_with_a_byte_changed_is_lines_or_an_error(
    streams: dict[str, list[tuple[int, str]]], place: int, byte: int
) -> None:
    """A flipped bit on the way never ends the process."""
    request = pushed({f'{{app="{app}"}}': told for app, told in streams.items()})
    body = bytearray(request.SerializeToString())
    if body:
        body[place % len(body)] = byte
    with suppress(InputError):
        told = Logway().take(bytes(body), LogDoor.LOKI)
        assert told.taken == len(told.lines.ends)
