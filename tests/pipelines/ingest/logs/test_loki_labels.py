"""Labels of Loki's streams and its structured metadata: spelling, escapes, and what they tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.logs.lines import Level, Origin
from pipelines.ingest.decoded import Refusal
from pipelines.ingest.logs.conventions import convention
from pipelines.ingest.logs.loki import LokiPush
from pipelines.ingest.logs.loki_json import Entry, Stream, labels_text, packed_streams
from pipelines.ingest.logs.loki_labels import labels_of
from pipelines.ingest.protocol import LogDoor
from pipelines.testing.log_sink import Line
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS, Logway
from tests.pipelines.ingest.logs.lokis import PushRequest, pushed
from tests.profiles import HEAVY

TRACE = "0af7651916cd43dd8448eb211c80319c"


def one(labels: str = '{app="shop"}', line: str = "said", **metadata: str) -> Line:
    """A push of one line of now."""
    return at_moment(NOW_NS, labels, line, metadata)


def at_moment(
    at: int,
    labels: str = '{app="shop"}',
    line: str = "said",
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> Line:
    """A push of one line."""
    way = Logway()
    way.take(pushed({labels: [(at, line, metadata)]}).SerializeToString(), LogDoor.LOKI)
    return way.line


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('{app="shop"}', {"app": "shop"}),
        ('{ app = "shop" , pod="p" }', {"app": "shop", "pod": "p"}),
        ('{app="shop",}', {"app": "shop"}),
        (r'{app="a \"quoted\" name"}', {"app": 'a "quoted" name'}),
        (r'{path="C:\\logs\\a"}', {"path": "C:\\logs\\a"}),
        (r'{app="two\nlines"}', {"app": "two\nlines"}),
        (r'{app="tab\there"}', {"app": "tab\there"}),
        ('{app="shop}{,=~"}', {"app": "shop}{,=~"}),
        ('{app="größer 🛒"}', {"app": "größer 🛒"}),
        ('{app=""}', {"app": ""}),
        ('{_x1="y"}', {"_x1": "y"}),
    ],
)
def test_labels_as_loki_spells_them(text: str, labels: dict[str, str]) -> None:
    """Quotes, paths of Windows and line ends in a value end nothing."""
    assert labels_of(text) == labels


@pytest.mark.parametrize(
    "text",
    ["", "{}", "{ }", "shop", "{app}", "{app=shop}", '{app!="shop"}', '{app=~".*"}', '{app!~"x"}',
     '{app="shop"', 'app="shop"}', '{app="shop"} more', '{1app="x"}', '{"app"="x"', '{app="x\\"}',
     '{a="b" c="d"}', '{app="shop"}{pod="p"}'],
)  # fmt: skip
def test_what_are_no_labels_is_an_error_of_the_sender(text: str) -> None:
    """Said with the beginning of what was sent."""
    with pytest.raises(InputError, match="stream"):
        labels_of(text)


@pytest.mark.parametrize(
    ("labels", "origin"),
    [
        ({"service_name": "a", "app": "b", "job": "c"}, Origin(service="a")),
        ({"app": "b", "container": "c"}, Origin(service="b")),
        ({"k8s_deployment_name": "a", "k8s_namespace_name": "n"},
         Origin(service="a", namespace="n")),
        ({"namespace": "n", "pod": "cart-6d9f7c8b5d-x2b4z"},
         Origin(service="cart", namespace="n", pod="cart-6d9f7c8b5d-x2b4z")),
        ({"compose_service": "a", "host": "h"}, Origin(service="a", pod="h")),
        ({"unit": "nginx.service", "hostname": "h"}, Origin(service="nginx.service", pod="h")),
        ({"filename": "/var/log/a.log"}, Origin(service="/var/log/a.log")),
        ({"app": "a", "env": "prod", "cluster": "eu"},
         Origin(service="a", namespace="prod", cluster="eu")),
        ({"app": "a", "image_tag": "1.2"}, Origin(service="a", version="1.2")),
        ({"app": " ", "job": "c"}, Origin(service="c")),
        ({"app": "a" * 999}, Origin(service="a" * 256)),
    ],
    ids=str,
)  # fmt: skip
def test_labels_of_each_sender_tell_who_wrote(labels: dict[str, str], origin: Origin) -> None:
    """Alloy, Promtail, Fluent Bit, Docker's plugin and OpenTelemetry's exporter."""
    assert one(labels_text(labels)).origin == origin


@pytest.mark.parametrize(
    ("metadata", "level"),
    [
        ({"severity_text": "Error", "level": "info"}, Level.ERROR),
        ({"severity_number": "17"}, Level.ERROR),
        ({"priority": "3"}, Level.ERROR),
        ({"detected_level": "unknown"}, Level.UNKNOWN),
        ({"detected_level": "unknown", "severity_number": "9"}, Level.UNKNOWN),
        ({"LEVEL": "error"}, Level.UNKNOWN),
    ],
    ids=str,
)
def test_levels_in_metadata(metadata: dict[str, str], level: Level) -> None:
    """The preferred name of those that are there."""
    assert one(**metadata).level is level


def test_metadata_goes_before_labels_and_lines() -> None:
    """What is told of one line is nearer than what is told of its stream."""
    line = one(
        '{app="shop", pod="p", level="info"}', f"2025-11-24 ERROR said trace_id={'1' * 32}",
        pod="q", trace_id=TRACE, level="warn",
    )  # fmt: skip
    assert (line.level, line.trace, line.origin.pod, line.origin.service) == (
        Level.WARN, TRACE, "q", "shop",
    )  # fmt: skip


def test_a_stack_in_metadata_belongs_to_its_line() -> None:
    """OpenTelemetry's exporter puts it there, with the dots of its name as strokes."""
    line = one(exception_stacktrace="a.B: bad\n\tat a.B.c(B.java:1)", severity_text="ERROR")
    assert line.message == b"said\na.B: bad\n\tat a.B.c(B.java:1)"


def test_metadata_that_nobody_asks_for_is_passed_over() -> None:
    """Names that only begin or end alike tell nothing."""
    line = one(
        pods="x", po="y", spod="z", trace="w", levels="error", **{f"n{n}": "v" for n in range(99)}
    )
    assert (line.origin, line.level, line.trace) == (Origin(service="shop"), Level.UNKNOWN, "")


@pytest.mark.parametrize("nanos", [0, 1, 999_999, 1_000_000, 999_999_999])
def test_nanoseconds_are_of_their_millisecond(nanos: int) -> None:
    """A line of the last nanosecond of a bin is not one of the next."""
    second = NOW_NS // 10**9 - 5
    assert at_moment(second * 10**9 + nanos).at == second * 1_000 + nanos // 10**6


def test_nanoseconds_beyond_a_second_or_below_zero_do_no_harm() -> None:
    """Of a sender that does not know protobuf's timestamps."""
    for nanos in (-1, 2**31 - 1, -(2**31)):
        request = pushed({'{app="shop"}': []})
        entry = request.streams[0].entries.add(line="a")
        entry.timestamp.seconds, entry.timestamp.nanos = NOW_NS // 10**9, nanos
        way = Logway()
        way.take(request.SerializeToString(), LogDoor.LOKI)
        assert abs(way.line.at - NOW_MS) <= 2_200


@pytest.mark.parametrize(
    "at", ["", "soon", "-1", "1.5", "1e9", "0x1", "９", str(2**63), "1" * 30, " 1", "1_0"]
)
def test_a_time_in_json_that_is_none_is_an_error_of_the_sender(at: str) -> None:
    """Named with what was sent; nothing of the push is taken."""
    way = Logway()
    body = {"streams": [{"stream": {"app": "shop"}, "values": [[str(NOW_NS), "a"], [at, "b"]]}]}
    with pytest.raises(InputError, match="unix nanoseconds in digits"):
        way.take(json.dumps(body).encode(), LogDoor.LOKI_JSON)
    assert way.lines == []


@pytest.mark.parametrize(
    "body",
    [
        {"streams": [{"values": []}]}, {"streams": {}}, {"streams": [{"stream": {"a": 1}}]},
        {"streams": [{"stream": {}, "values": [["1"]]}]}, [], "x", 7, None,
        {"streams": [{"stream": {"a": "b"}, "values": [["1", "x", {"pod": 7}]]}]},
    ],
    ids=str,
)  # fmt: skip
def test_json_of_another_shape_is_an_error_of_the_sender(body: object) -> None:
    """Told by what it should have been."""
    with pytest.raises(InputError, match="what Loki's senders push"):
        Logway().take(json.dumps(body).encode(), LogDoor.LOKI_JSON)


@pytest.mark.parametrize("body", [{}, {"streams": []}, {"new": 1}], ids=str)
def test_an_empty_push_brings_no_batch(body: object) -> None:
    """Senders try the door with one."""
    way = Logway()
    assert way.take(json.dumps(body).encode(), LogDoor.LOKI_JSON).taken == 0
    assert way.sink.batches == {}


def test_a_name_in_json_that_is_no_label_costs_its_own_stream() -> None:
    """As in protobuf: refused by name."""
    way = Logway()
    values = [[str(NOW_NS), "a"]]
    body = {"streams": [{"stream": {"no label": "x"}, "values": values},
                        {"stream": {"app": "shop"}, "values": values}]}  # fmt: skip
    told = way.take(json.dumps(body).encode(), LogDoor.LOKI_JSON)
    assert told.refused.counts == {Refusal.LABELS: 1}
    assert [line.origin.service for line in way.lines] == ["shop"]


NAMES = st.from_regex(r"\A[a-z_][a-z0-9_]{0,6}\Z")
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@HEAVY
@given(
    labels=st.dictionaries(NAMES, VALUES, min_size=1, max_size=4),
    metadata=st.dictionaries(NAMES, VALUES, max_size=3),
    at=st.integers(0, 2**62),
    line=VALUES,
)
def test_streams_in_protobuf_are_as_the_library_packs_them(
    labels: dict[str, str], metadata: dict[str, str], at: int, line: str
) -> None:
    """A push in JSON is the same push."""
    entry = Entry(at=str(at), line=line, metadata=metadata)
    packed = packed_streams([Stream(stream=labels, values=[entry])])
    request = PushRequest.FromString(packed)
    assert request == pushed({labels_text(labels): [(at, line, metadata)]})
    assert labels_of(request.streams[0].labels) == labels


def test_a_stream_is_read_once() -> None:
    """Its labels come again with each push."""
    push = LokiPush()
    labels = b'{app="shop"}'
    assert push._owners.of(labels) is push._owners.of(bytes(bytearray(labels)))


def test_names_of_a_convention_are_of_one_role_each() -> None:
    """A name that told two things would tell only the first of them."""
    for name in ("loki", "otlp"):
        found = convention(name)
        assert len(found.spelled) == len(found.names.role) == len(found.scales)
