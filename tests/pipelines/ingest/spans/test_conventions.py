"""Names of attributes of every age, from the bytes of a request to what a span is called."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import NOBODY, Peer, PeerKind
from pipelines.ingest.spans.keys import KEYS, Slot, slot_of
from tests.pipelines.ingest.spans.requests import decoded, request_of, span_of

SERVER, CLIENT, PRODUCER, CONSUMER, INTERNAL = 2, 3, 4, 5, 1
NAME = "as it was called"


def named(told: dict[str, object], kind: int = CLIENT, name: str = NAME) -> tuple[str, Peer]:
    """The operation and the other end of one span."""
    spans = decoded(request_of(span_of(told, name=name, kind=kind))).spans
    return spans.operations[spans.operation[0]], spans.peers[spans.peer[0]]


OPERATIONS = {
    "http of today": (
        {"http.request.method": "GET", "http.route": "/orders/{id}", "url.path": "/orders/17"},
        SERVER, "GET /orders/{id}",
    ),
    "http of before": (
        {"http.method": "POST", "http.route": "/orders", "http.target": "/orders?x=17"},
        SERVER, "POST /orders",
    ),
    "http from outside": (
        {"http.request.method": "PUT", "url.template": "/v1/users/{id}", "url.full": "http://a/"},
        CLIENT, "PUT /v1/users/{id}",
    ),
    "a route before a template": (
        {"http.method": "GET", "url.template": "/t", "http.route": "/r"}, SERVER, "GET /r",
    ),
    "http without a route": ({"http.method": "GET"}, SERVER, NAME),
    "a route without a method": ({"http.route": "/orders"}, SERVER, NAME),
    "grpc of before": (
        {"rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": "Add"},
        SERVER, "shop.Cart/Add",
    ),
    "rpc of today": (
        {"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Add"}, SERVER, "shop.Cart/Add",
    ),
    "rpc with a slash before": ({"rpc.method": "/shop.Cart/Add"}, CLIENT, "shop.Cart/Add"),
    "grpc over http": (
        {"rpc.service": "shop.Cart", "rpc.method": "Add", "http.request.method": "POST"},
        CLIENT, "shop.Cart/Add",
    ),
    "sql of today": (
        {"db.system.name": "postgresql", "db.operation.name": "SELECT",
         "db.collection.name": "orders"},
        CLIENT, "SELECT orders",
    ),
    "sql of before": (
        {"db.system": "mysql", "db.operation": "select", "db.sql.table": "`orders`"},
        CLIENT, "SELECT orders",
    ),
    "a summary": (
        {"db.system.name": "mysql", "db.query.summary": "SELECT orders lines",
         "db.query.text": "SELECT * FROM other"},
        CLIENT, "SELECT orders lines",
    ),
    "an operation and a text": (
        {"db.system": "mysql", "db.operation": "SELECT", "db.statement": "select 1 from orders"},
        CLIENT, "SELECT orders",
    ),
    "a text alone": (
        {"db.system": "mysql", "db.statement": "update orders set a = 1"}, CLIENT, "UPDATE orders",
    ),
    "mongo of before": (
        {"db.system": "mongodb", "db.operation": "findAndModify", "db.mongodb.collection": "carts"},
        CLIENT, "FINDANDMODIFY carts",
    ),
    "mongo by its command": (
        {"db.system": "mongodb", "db.statement": '{"find": "carts", "filter": {"_id": 17}}'},
        CLIENT, NAME,
    ),
    "cassandra": (
        {"db.system": "cassandra", "db.operation": "SELECT", "db.cassandra.table": "carts"},
        CLIENT, "SELECT carts",
    ),
    "redis": ({"db.system": "redis", "db.statement": "HGET cart:17 total"}, CLIENT, "HGET"),
    "redis of today": (
        {"db.system.name": "redis", "db.operation.name": "HGET"}, CLIENT, "HGET",
    ),
    "a statement of nothing known": ({"db.statement": "select 1 from a"}, CLIENT, NAME),
    "kafka of today": (
        {"messaging.system": "kafka", "messaging.operation.name": "send",
         "messaging.destination.name": "orders"},
        PRODUCER, "send orders",
    ),
    "kafka of before": (
        {"messaging.system": "kafka", "messaging.operation": "process",
         "messaging.destination": "orders"},
        CONSUMER, "process orders",
    ),
    "a template of topics": (
        {"messaging.operation.type": "send", "messaging.destination.name": "reply-17",
         "messaging.destination.template": "reply-{id}"},
        PRODUCER, "send reply-{id}",
    ),
    "a topic without an operation": ({"messaging.destination.name": "orders"}, PRODUCER, NAME),
    "no attribute that counts": ({"code.function": "main", "thread.id": 17}, INTERNAL, NAME),
}  # fmt: skip
PEERS = {
    "a service by its name": ({"peer.service": "cart", "server.address": "10.0.0.9"}, "cart"),
    "a service by its name of today": (
        {"service.peer.name": "cart", "peer.service": "old"}, "cart",
    ),
    "a host": ({"server.address": "cart.shop.svc", "net.peer.name": "other"}, "cart.shop.svc"),
    "a host of before": ({"net.peer.name": "cart"}, "cart"),
    "an address": ({"server.address": "10.0.0.9"}, ""),
}  # fmt: skip
PAIRS = [
    (older, newer)
    for names in (
        ("db.operation", "db.operation.name"),
        ("db.cassandra.table", "db.mongodb.collection", "db.sql.table", "db.collection.name"),
        ("messaging.destination", "messaging.destination.name", "messaging.destination.template"),
        ("messaging.operation", "messaging.operation.type", "messaging.operation.name"),
        ("http.method", "http.request.method"),
    )
    for older, newer in pairwise(names)
]
# What has to be there besides, for the one in question to be in the name.
BESIDE: dict[str, dict[str, object]] = {
    "db.op": {"db.system": "x"},
    "db.": {"db.system": "x", "db.query.text": "SELECT 1"},
    "messaging.d": {"messaging.operation.name": "send"},
    "messaging.o": {"messaging.destination.name": "topic"},
    "http": {"http.route": "/r"},
}


@pytest.mark.parametrize(("told", "kind", "name"), OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_found_under_every_convention(
    told: dict[str, object], kind: int, name: str
) -> None:
    """A library of five years ago and one of today name the same call the same."""
    assert named(told, kind)[0] == name
    backwards = dict(reversed(told.items()))
    assert named(backwards, kind)[0] == name


@pytest.mark.parametrize(("told", "name"), PEERS.values(), ids=PEERS)
def test_the_other_end_is_found_under_every_convention(told: dict[str, object], name: str) -> None:
    """The graph has one node for a service, whoever calls it."""
    expected = Peer(kind=PeerKind.SERVICE, name=name) if name else NOBODY
    assert named(told)[1] == expected
    assert named(told, SERVER)[1] == NOBODY


@pytest.mark.parametrize("system", ["db.system", "db.system.name"])
@pytest.mark.parametrize("space", ["db.name", "db.namespace"])
def test_a_database_is_an_end_of_its_own(system: str, space: str) -> None:
    """Two databases on one server are two, and their host is none."""
    told: dict[str, object] = {system: "mysql", space: "shop", "server.address": "db-0"}
    assert named(told)[1] == Peer(kind=PeerKind.DATABASE, name="mysql:shop")


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(("older", "newer"), PAIRS)
def test_of_two_names_for_one_thing_the_newer_counts(
    older: str, newer: str, is_first: bool
) -> None:
    """Libraries write both while they move, in any order."""
    beside = next(more for start, more in BESIDE.items() if newer.startswith(start))
    both = [(newer, "new"), (older, "old")]
    told = dict(both if is_first else reversed(both))
    name = named({key: more for key, more in beside.items() if key not in told} | told)[0]
    assert "new" in name.lower()
    assert "old" not in name.lower()


def test_an_empty_value_and_one_that_is_no_text_are_none() -> None:
    """Another name for the same thing stands in."""
    told: dict[str, object] = {
        "http.request.method": "", "http.method": "GET", "http.route": "/r",
    }  # fmt: skip
    assert named(told, SERVER)[0] == "GET /r"
    assert (
        named({"http.request.method": 7, "http.method": "GET", "http.route": "/r"})[0] == "GET /r"
    )


def test_values_that_differ_in_each_span_make_no_new_name() -> None:
    """Paths, statements, ports and hosts of callers: a thousand users, one operation of each."""
    many = [
        span_of(
            {
                "http.request.method": "GET", "http.route": "/u/{id}", "url.path": f"/u/{user}",
                "server.address": f"pod-{user}", "client.address": f"10.0.{user}.1",
            },
            name=f"GET /u/{user}", kind=SERVER, span_id=user.to_bytes(8, "big"),
        )
        for user in range(1, 200)
    ]  # fmt: skip
    spans = decoded(request_of(*many)).spans
    assert spans.operations == ("GET /u/{id}",)
    assert spans.peers == (NOBODY,)


def known() -> dict[str, tuple[int, int]]:
    """All names with what they tell, as they lie in the table."""
    letters = KEYS.letters.tobytes()
    return {
        letters[a:b].decode(): (int(slot), int(rank))
        for (a, b), slot, rank in zip(
            pairwise(KEYS.ends.tolist()), KEYS.slot, KEYS.rank, strict=True
        )
    }


def looked_up(name: bytes, beside: bytes = b"") -> tuple[int, int]:
    """What a name tells that lies between others."""
    data = np.frombuffer(beside + name + beside, np.uint8)
    return slot_of(data, len(beside), len(beside) + len(name), KEYS)


def test_each_name_is_found_and_each_slot_has_one() -> None:
    """A name that was lost in the table would be a convention that nobody reads."""
    for name, told in known().items():
        assert looked_up(name.encode(), b"db.") == told
    assert {slot for slot, _ in known().values()} == {int(slot) for slot in Slot} - {Slot.NAME}


@given(st.sampled_from(sorted(known())), st.text(max_size=3), st.integers(0, 40))
def test_what_is_nearly_a_name_is_none(name: str, more: str, cut: int) -> None:
    """`http.route.group` is not the route."""
    other = name[:cut] + more + name[cut:]
    assert looked_up(other.encode()) == known().get(other, (-1, 0))
    short = name[:cut]
    assert looked_up(short.encode()) == known().get(short, (-1, 0))
