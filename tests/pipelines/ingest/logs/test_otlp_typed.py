"""OTLP logs in JSON as they are typed: what protobuf's own reader finds in it is found."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from detector.errors import InputError
from detector.logs.lines import Level
from pipelines.ingest.logs.otlp_typed import Export, packed_export
from pipelines.ingest.protocol import LogDoor
from pipelines.ingest.records.flaws import Flaw
from tests.pipelines.ingest.logs.logways import NOW_MS, NOW_NS, Logway

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LEAVES = st.one_of(
    TEXTS.map(lambda text: AnyValue(string_value=text)),
    st.booleans().map(lambda value: AnyValue(bool_value=value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: AnyValue(int_value=value)),
    st.floats(allow_nan=False).map(lambda value: AnyValue(double_value=value)),
    st.binary(max_size=6).map(lambda value: AnyValue(bytes_value=value)),
)


def _list(values: list[AnyValue]) -> AnyValue:
    value = AnyValue()
    value.array_value.values.extend(values)
    return value


def _object(pairs: dict[str, AnyValue]) -> AnyValue:
    value = AnyValue()
    for key, inner in pairs.items():
        value.kvlist_value.values.add(key=key).value.CopyFrom(inner)
    return value


VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(_list),
        st.dictionaries(TEXTS, inner, min_size=1, max_size=3).map(_object),
    ),
    max_leaves=6,
)


@given(body=VALUES)
def test_a_value_is_the_one_that_the_library_wrote(body: AnyValue) -> None:
    """Of each kind, and however they nest."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1)
    record.body.CopyFrom(body)
    tree = MessageToDict(request)
    packed = packed_export(msgspec.convert(tree, Export))
    read = ExportLogsServiceRequest.FromString(packed)
    assert read.resource_logs[0].scope_logs[0].log_records[0].body == body


def taken(record: dict[str, Any]) -> Logway:
    """A push of one record."""
    way = Logway()
    tree = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    way.take(json.dumps(tree).encode(), LogDoor.OTLP_JSON)
    return way


@pytest.mark.parametrize("at", [NOW_NS, str(NOW_NS)])
def test_numbers_may_be_texts(at: object) -> None:
    """64 bits are more than some readers of JSON can hold."""
    way = taken({"timeUnixNano": at, "severityNumber": "17", "body": {"intValue": "7"}})
    assert (way.line.at, way.line.level, way.line.message) == (NOW_MS, Level.ERROR, b"7")


def test_null_and_unknown_fields_are_nothing() -> None:
    """Some writers name all that there is not."""
    nothing = {"traceId": None, "body": None, "attributes": None, "severityText": None}
    way = taken({"timeUnixNano": NOW_NS, **nothing, "newIn2030": [1]})
    assert (way.line.message, way.line.trace) == (b"", "")


@pytest.mark.parametrize(
    "record",
    [
        {"timeUnixNano": "soon"},
        {"timeUnixNano": 2**64},
        {"timeUnixNano": -1},
        {"severityNumber": "INFO"},
        {"body": {"bytesValue": "?"}},
        {"body": {"doubleValue": "much"}},
        {"body": "text"},
        {"attributes": {"a": "b"}},
    ],
    ids=lambda record: json.dumps(record)[:40],
)
def test_what_is_typed_otherwise_is_an_error_of_the_sender(record: dict[str, Any]) -> None:
    """Named, and nothing of the message is taken."""
    with pytest.raises(InputError, match="OTLP logs request"):
        taken(record)


def test_a_trace_that_is_no_hexadecimal_is_none() -> None:
    """The line is worth more than its trace."""
    way = taken({"timeUnixNano": NOW_NS, "traceId": "xyz", "body": {"stringValue": "said"}})
    assert (way.line.message, way.line.trace) == (b"said", "")


def test_half_a_character_costs_no_batch() -> None:
    """JSON can write what no text holds."""
    way = Logway()
    body = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a\\ud800"}}]}]}]}'
    told = way.take(body.encode(), LogDoor.OTLP_JSON)
    assert (way.sink.messages(), told.dropped) == (["a?"], {Flaw.NOT_UTF8: 1})


def test_numbers_that_are_none_are_told_by_name() -> None:
    """Protobuf writes them as texts."""
    way = taken({"timeUnixNano": NOW_NS, "body": {"doubleValue": "Infinity"}})
    assert math.isinf(float(way.line.message))
