"""Names with something of one request in them, as frameworks and people make them."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import NOBODY, SpanKind
from detector.spans.masking import is_address, masked, printable
from detector.spans.naming import Told, operation_of, peer_of

MASKS = {
    # Numbers.
    "GET /users/1": "GET /users/<num>",
    "GET /users/1/orders/22/lines/333": "GET /users/<num>/orders/<num>/lines/<num>",
    "/v1/users/4711": "/v1/users/<num>",
    "charge 12.50 EUR": "charge <num> EUR",
    "page=3&size=50": "page=<num>&size=<num>",
    "batch-2026-11-27": "batch-<num>-<num>-<num>",
    "orders_20261127": "orders_<num>",
    "shard12345.write": "shard<num>.write",
    "reply.8812.queue": "reply.<num>.queue",
    "task[17]": "task[<num>]",
    "-17": "-<num>",
    # Ids.
    "GET /o/8D8AC610-566D-4EF0-9C22-186B2A5ED793": "GET /o/<id>",
    "job 5f0c8e1a9b2d4c6e8f0a1b2c": "job <id>",
    "commit 6b1bf486c81ceb7edf3c093f4c48582e38c0e791": "commit <id>",
    "session=eyJhbGciOi1IUzI1NiJ9x4": "session=<id>",
    "cache:7d9f8c6b54": "cache:<id>",
    "upload 01J9ZQ8K3T5V7X9Y1Z3A5C7E9G": "upload <id>",
    # Addresses and quoted words.
    "dial 10.0.0.7": "dial <ip>",
    "dial 10.0.0.7:5432": "dial <ip>",
    'find "a b" in "c"': "find <*> in <*>",
    "hello 'Jane O.'": "hello <*>",
    # Queries.
    "GET /find?q=shoes&page=2": "GET /find",
    "GET /find?q=a b": "GET /find b",
    "?a=1": "",
    # What the eye does not see.
    "  spaced  ": "spaced",
    "a\tb\nc": "a b c",
    "\x1b[31mred\x1b[0m": "[31mred [0m",
    "left\u202eright": "left right",
}
KEPT = [
    "",
    "GET",
    "GET /users/{id}",
    "GET /users/:id",
    "GET /users/<int:id>",
    "POST /api/v2/orders",
    "/oauth2/token",
    "s3.PutObject",
    "ec2 describe",
    "sha1",
    "utf8 decode",
    "h2c upgrade",
    "shop.v1.Cart/AddItem",
    "OrderService.placeOrder",
    "middleware - jsonParser",
    "SELECT t1 t2",
    "facade",
    "deadbeef",
    "Größe prüfen",
    "処理",
    "__main__",
]


@pytest.mark.parametrize(("name", "mask"), MASKS.items())
def test_what_is_of_one_request_is_left_out(name: str, mask: str) -> None:
    """Else each customer, order and day is an operation, and none has enough calls to judge."""
    assert masked(name) == mask


@pytest.mark.parametrize("name", KEPT)
def test_what_is_of_the_code_stays_as_it_is(name: str) -> None:
    """A person looks for it in the source, letter by letter."""
    assert masked(name) == name


@given(st.uuids(), st.integers(0, 2**63), st.ip_addresses(v=4))
def test_a_name_made_of_anything_is_one_name(id: uuid.UUID, number: int, address: object) -> None:
    """Every request to one endpoint."""
    assert masked(f"GET /a/{id}/b/{number} via {address}") == "GET /a/<id>/b/<num> via <ip>"
    bare = "<num>" if id.hex.isdigit() else id.hex if id.hex.isalpha() else "<id>"
    assert masked(f"GET /a/{id.hex}") == f"GET /a/{bare}"


@given(st.text(alphabet="ab1 0-_/.'\"?<>:=", max_size=60))
def test_a_mask_is_of_no_request_any_more(name: str) -> None:
    """No number that stands for itself is left."""
    assert not re.search(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])", masked(name))


@given(st.text(max_size=500))
def test_what_is_printable_is_so_already(name: str) -> None:
    """It is asked of every name that is shown, some of them twice."""
    once = printable(name)
    assert printable(once) == once
    assert len(once) <= 120


def test_a_name_of_a_megabyte_takes_no_time() -> None:
    """Patterns that go back and forth would be a way to stop us."""
    for unit in ("a", "1", "a1", "'", "1.", "-1", "_1", "f0", "[", "?", " "):
        assert len(masked(unit * 2**20)) <= 400


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.1.2.3", True), ("10.1.2.3:80", True), ("::1", True), ("[fd00::1]", True),
        ("fe80::1:2", True), ("payments", False), ("payments.shop.svc", False),
        ("db-0.db", False), ("cart:8080", False), ("", False), ("10.1.2", False),
    ],
)  # fmt: skip
def test_an_address_is_told_from_a_name(host: str, expected: bool) -> None:
    """A pod's address is another one after each rollout."""
    assert is_address(host) is expected


@pytest.mark.parametrize("kind", list(SpanKind))
def test_a_span_that_tells_nothing_has_a_name_and_no_end(kind: SpanKind) -> None:
    """Whatever side it is of."""
    assert operation_of(Told(kind=kind)) == "unnamed"
    assert peer_of(Told(kind=kind)).name == ""


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.INTERNAL, SpanKind.UNSPECIFIED])
def test_who_calls_nobody_has_no_end(kind: SpanKind) -> None:
    """A server tells its own address, which is no peer of it."""
    told = Told(kind=kind, address="cart", peer="cart", db_system="mysql", db_namespace="shop")
    assert peer_of(told) == NOBODY


TEXTS = st.text(alphabet="abc/ 17\x00\u202e", max_size=12)
TOLD = st.builds(
    Told,
    kind=st.sampled_from(list(SpanKind)),
    **{
        name: TEXTS | st.just("")
        for name in Told.__slots__
        if name != "kind"
    },
)  # fmt: skip


@given(TOLD)
def test_whatever_is_told_makes_a_name_for_people(told: Told) -> None:
    """One that is there, can be printed, and is the same each time."""
    name, peer = operation_of(told), peer_of(told)
    assert name == operation_of(told)
    assert name
    assert not set(name + peer.name) & {"\x00", "\u202e"}
