"""What spans are called, by the conventions of today and of before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import NOBODY, Peer, PeerKind, SpanKind
from detector.spans.masking import is_address, masked, printable
from detector.spans.naming import Told, operation_of, peer_of

SERVER, CLIENT = SpanKind.SERVER, SpanKind.CLIENT
OPERATIONS = {
    "GET /users/{id}": Told(kind=SERVER, method="GET", route="/users/{id}", name="GET"),
    "GET /v1/users/{id}": Told(kind=CLIENT, method="GET", template="/v1/users/{id}", name="GET"),
    "HTTP GET": Told(kind=CLIENT, method="GET", name="HTTP GET"),
    "GET /a/<num>": Told(kind=SERVER, method="GET", name="GET /a/17?x=1"),
    "shop.Cart/Add": Told(kind=SERVER, rpc_service="shop.Cart", rpc_method="Add"),
    "shop.Cart/Drop": Told(kind=SERVER, rpc_system="grpc", rpc_method="shop.Cart/Drop"),
    "SELECT orders": Told(
        kind=CLIENT, db_system="mysql", db_operation="select", db_collection="`orders`"
    ),
    "SELECT a b": Told(
        kind=CLIENT, db_system="mysql", db_summary="SELECT a b", db_operation="SELECT"
    ),
    "PING": Told(kind=CLIENT, db_system="redis", db_operation="PING"),
    "FINDANDMODIFY carts": Told(
        kind=CLIENT, db_system="mongodb", db_operation="findAndModify", db_collection="carts"
    ),
    "send invoices": Told(
        kind=SpanKind.PRODUCER, destination="invoices", messaging_operation="send"
    ),
    "compute total": Told(kind=SpanKind.INTERNAL, name="compute total"),
    "unnamed": Told(kind=SpanKind.INTERNAL),
}
PEERS = {
    "service": (Told(kind=CLIENT, peer="cart", address="10.0.0.7"), PeerKind.SERVICE, "cart"),
    "host": (Told(kind=CLIENT, address="cart.shop.svc"), PeerKind.SERVICE, "cart.shop.svc"),
    "database": (
        Told(kind=CLIENT, db_system="postgresql", db_namespace="shop"),
        PeerKind.DATABASE,
        "postgresql:shop",
    ),
    "topic": (
        Told(kind=SpanKind.PRODUCER, messaging_system="kafka", destination="orders"),
        PeerKind.MESSAGING,
        "kafka:orders",
    ),
    "consumed": (Told(kind=SpanKind.CONSUMER, destination="orders"), PeerKind.MESSAGING, "orders"),
    "reply queue": (
        Told(kind=SpanKind.PRODUCER, destination="reply-8812"),
        PeerKind.MESSAGING,
        "reply-<num>",
    ),
}


@pytest.mark.parametrize(("name", "told"), OPERATIONS.items(), ids=OPERATIONS)
def test_an_operation_is_named_as_people_would(name: str, told: Told) -> None:
    """A verdict names what they find in their code."""
    assert operation_of(told) == name


@pytest.mark.parametrize(("told", "kind", "name"), PEERS.values(), ids=PEERS)
def test_the_other_end_is_known_by_its_name(told: Told, kind: PeerKind, name: str) -> None:
    """The graph has a node for what sends no spans itself."""
    assert peer_of(told) == Peer(kind=kind, name=name)


@pytest.mark.parametrize(
    "told",
    [
        Told(kind=SERVER, peer="cart"),
        Told(kind=CLIENT, address="10.1.2.3"),
        Told(kind=CLIENT, address="fd00::1"),
    ],
    ids=["server", "address", "address of six"],
)
def test_an_address_and_a_caller_are_no_peer(told: Told) -> None:
    """A node for each pod that was ever called would be no graph."""
    assert peer_of(told) == NOBODY


NAMES = {
    "GET /users/4711": "GET /users/<num>",
    "GET /o/8d8ac610-566d-4ef0-9c22-186b2a5ed793/x": "GET /o/<id>/x",
    "load 5f0c8e1a9b": "load <id>",
    "job-20260101-7": "job-<num>-<num>",
    "user_4711": "user_<num>",
    "user4711": "user<num>",
    "ping 10.2.3.4:8080": "ping <ip>",
    "get 'a b'": "get <*>",
    "price 3.50": "price <num>",
    "sess aZ09bY18cX27dW36e": "sess <id>",
}
KEPT = [
    "api/v2/s3",
    "http2 upgrade",
    "GET /orders/{id}",
    "deadbeef",
    "decade",
    "i18n",
    "oauth2",
    "SELECT t1",
    "a?b"[:1],
]


@pytest.mark.parametrize(("name", "mask"), NAMES.items(), ids=NAMES)
def test_what_differs_by_request_is_masked(name: str, mask: str) -> None:
    """A name for each user would be a series for each user."""
    assert masked(name) == mask


@pytest.mark.parametrize("name", KEPT)
def test_what_people_wrote_is_kept(name: str) -> None:
    """Versions and words with a digit are names."""
    assert masked(name) == name


@given(st.text(max_size=200))
def test_a_masked_name_is_short_printable_and_stays_so(name: str) -> None:
    """It goes to terminals, pages and labels."""
    once = masked(name)
    assert len(once) <= 200
    assert once.strip() == once
    assert not any(ord(letter) < 32 or letter in "\u202e\u2066" for letter in once)
    assert printable(once)[:100] == once[:100]


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=2))
def test_requests_to_one_thing_have_one_name(ids: list[int]) -> None:
    """Whatever the number of digits."""
    assert len({masked(f"GET /users/{id}/cart") for id in ids}) == 1


@given(st.ip_addresses())
def test_addresses_are_told_from_names(address: object) -> None:
    """Of either family."""
    assert is_address(str(address))
    assert not is_address("payments-db")
