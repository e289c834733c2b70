"""Values of OTLP of any kind, as what they say; and the small parts that doors are made of."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from detector.logs.lines import Level, Origin
from pipelines.ingest.decoded import Refusal
from pipelines.ingest.logs.packing import field, fixed64, number, utf8, varint
from pipelines.ingest.logs.remembering import Owner, Remembered
from pipelines.ingest.logs.values import DEEPEST, LONGEST_VALUE, spoken, text_of, tree_of
from pipelines.ingest.records.flaws import Flaw
from tests.pipelines.ingest.logs.logways import LogExport, Logway
from tests.profiles import HEAVY


def value_of(tree: Any) -> AnyValue:  # noqa: ANN401 - whatever JSON has
    """A tree as OTLP's value."""
    value = AnyValue()
    match tree:
        case bool():
            value.bool_value = tree
        case int():
            value.int_value = tree
        case float():
            value.double_value = tree
        case str():
            value.string_value = tree
        case bytes():
            value.bytes_value = tree
        case list():
            value.array_value.SetInParent()
            value.array_value.values.extend(map(value_of, tree))
        case dict():
            value.kvlist_value.SetInParent()
            pairs = [KeyValue(key=key, value=value_of(one)) for key, one in tree.items()]
            value.kvlist_value.values.extend(pairs)
    return value


def said(tree: Any, **record: Any) -> Logway:  # noqa: ANN401
    """A push of one record with this body."""
    way, export = Logway(), LogExport(service_name="shop")
    export.record(**record).body.CopyFrom(value_of(tree))
    way.take(export.body)
    return way


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (True, "true"), (False, "false"), (0, "0"), (-(2**63), str(-(2**63))), (0.5, "0.5"),
        (b"\x00\xff", base64.b64encode(b"\x00\xff").decode()), ([], "[]"), ({}, "{}"),
        ([1, "a", None, [True]], '[1,"a",null,[true]]'), ({"k": {"l": [1]}}, '{"k":{"l":[1]}}'),
        ({"größe": "ß"}, '{"größe":"ß"}'), ("", ""), (None, ""), ([None], "[null]"),
        ({"a": None}, '{"a":null}'), ("plain words", "plain words"),
    ],
    ids=str,
)  # fmt: skip
def test_values_of_each_kind_say_what_they_are(tree: Any, text: str) -> None:  # noqa: ANN401
    """Text as it is, all else as compact JSON that a person can read."""
    packed = value_of(tree).SerializeToString()
    assert text_of(packed) == text
    found = spoken(packed)
    assert found is not None
    assert (found.text, found.flaws) == (text, ())


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@HEAVY
@given(TREES)
def test_a_value_comes_back_from_what_it_says(tree: Any) -> None:  # noqa: ANN401
    """Nothing is lost on the way into the text of a line."""
    value = value_of(tree)
    assert tree_of(value) == tree
    text = text_of(value.SerializeToString())
    if not isinstance(tree, str | None):
        assert json.loads(text) == tree


@given(st.binary(max_size=60))
def test_bytes_that_are_no_value_say_nothing(packed: bytes) -> None:
    """Whatever somebody sends as a value: a text, or none."""
    found = spoken(packed)
    assert text_of(packed) == ("" if found is None else found.text)


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST, DEEPEST + 1, 30])
@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_what_nests_too_deeply_is_cut_and_counted(depth: int, kind: str) -> None:
    """The rest of its record stands."""
    tree: Any = "core"
    for _ in range(depth):
        tree = [tree] if kind == "lists" else {"k": tree}
    found = spoken(value_of(tree).SerializeToString())
    assert found is not None
    is_cut = depth > DEEPEST
    assert (Flaw.TOO_DEEP in found.flaws, "core" in found.text, "…" in found.text) == (
        is_cut, not is_cut, is_cut,
    )  # fmt: skip


def test_a_value_that_is_too_long_is_not_taken_apart() -> None:
    """A quarter of a megabyte in one attribute is no name of anything."""
    packed = value_of("x" * LONGEST_VALUE).SerializeToString()
    assert spoken(packed) is None
    assert text_of(packed) == ""
    assert spoken(value_of("x" * 1000).SerializeToString()) is not None


@pytest.mark.parametrize(
    ("tree", "text", "level"),
    [
        ({"message": "no stock", "level": "error"}, "no stock", Level.ERROR),
        ({"log": "2025-11-24 10:00:00 WARN slow"}, "slow", Level.WARN),
        ({"rows": 7}, '{"rows":7}', Level.UNKNOWN),
        ([{"msg": "a"}, {"msg": "b"}], "a", Level.UNKNOWN),
        (["a", 1], '["a",1]', Level.UNKNOWN),
        (7, "7", Level.UNKNOWN),
    ],
    ids=str,
)  # fmt: skip
def test_bodies_that_are_records_are_read_as_records(tree: Any, text: str, level: Level) -> None:  # noqa: ANN401
    """Loggers that send an object say their message within it."""
    way = said(tree, severity_number=0)
    assert (way.sink.messages(), way.line.level) == ([text], level)


def test_attributes_of_any_kind_name_a_service() -> None:
    """Numbers become names; lists, and what is empty, do not hide what stands behind."""
    for tree, service in ((7, "7"), ("  shop ", "shop"), ([1], "dep"), ("", "dep"), (None, "dep")):
        way, export = Logway(), LogExport()
        told = export.request.resource_logs[0].resource.attributes
        told.add(key="service.name").value.CopyFrom(value_of(tree))
        told.add(key="k8s.deployment.name").value.string_value = "dep"
        export.record("x")
        way.take(export.body)
        assert way.line.origin == Origin(service=service), tree


def test_the_same_attribute_twice_is_what_it_was_last() -> None:
    """SDKs may append what overrides."""
    way, export = Logway(), LogExport()
    told = export.request.resource_logs[0].resource.attributes
    for name in ("first", "last"):
        told.add(key="service.name").value.string_value = name
    export.record("x")
    way.take(export.body)
    assert way.line.origin.service == "last"


def test_records_keep_their_order_over_resources_and_scopes() -> None:
    """What was said after something stands after it."""
    way, first = Logway(), LogExport(service_name="a")
    first.record("one")
    first.request.resource_logs[0].scope_logs.add().log_records.add(time_unix_nano=1)
    second = LogExport(service_name="b")
    second.record("two")
    taken = way.take(first.body + second.body)
    assert way.sink.messages() == ["one", "two"]
    assert taken.refused.counts == {Refusal.TOO_OLD: 1}


def test_a_message_that_comes_again_says_how_many_it_left_out() -> None:
    """The exporter hears yes, and nothing is counted twice."""
    way, export = Logway(), LogExport()
    for text in ("one", "two"):
        export.record(text)
    way.take(export.body)
    again = way.take(export.body)
    assert (again.taken, dict(again.dropped), way.sink.messages()) == (
        0, {Flaw.REPEATED: 2}, ["one", "two"],
    )  # fmt: skip


def test_an_owner_that_cannot_be_remembered_is_read_each_time() -> None:
    """A resource with a novel in it does not fill the memory."""
    read: list[bytes] = []

    def reading(key: bytes) -> Owner:
        read.append(key)
        return Owner(origin=Origin(service=key[:1].decode()))

    known = Remembered(reading)
    for key in (b"a", b"b", b"a", b"x" * 20_000, b"x" * 20_000):
        assert known.of(key).origin.service == key[:1].decode()
    assert [len(key) for key in read] == [1, 1, 20_000, 20_000]


def test_many_owners_are_forgotten_before_they_fill_the_memory() -> None:
    """A sender with a new pod in every request."""
    reads = 0

    def reading(key: bytes) -> Owner:
        nonlocal reads
        reads += 1
        return Owner(origin=Origin(service="x"))

    known = Remembered(reading)
    keys = [b"%06d" % n + b"-" * 16_000 for n in range(4_200)]
    for key in keys:
        known.of(key)
    assert sum(map(len, known._known)) < 66 * 2**20
    known.of(keys[-1])
    known.of(keys[0])
    assert reads == len(keys) + 1


@given(st.integers(0, 2**64 - 1), st.integers(1, 15), st.binary(max_size=300))
def test_fields_are_those_of_protobuf(value: int, nth: int, payload: bytes) -> None:
    """Checked by the library, which passes over what it does not know and keeps it."""
    assert len(varint(value)) == max(1, -(-value.bit_length() // 7))
    signed = value - 2**64 if value >= 2**63 else value
    read = AnyValue.FromString(number(3, signed) if nth % 2 else number(3, value))
    assert read.int_value == signed
    assert AnyValue.FromString(field(7, payload)).bytes_value == payload
    assert field(nth, payload)[-len(payload) :] == payload or not payload
    assert AnyValue.FromString(fixed64(4, bytes(8))).double_value == 0.0


def test_half_characters_become_question_marks() -> None:
    """Protobuf refuses a text with one in it."""
    assert utf8("a\ud800ß") == b"a?\xc3\x9f"
