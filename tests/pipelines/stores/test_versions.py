"""Which versions were seen is kept by service and tenant, and goes when nobody looks any more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeKind, Place
from detector.changes.inferred import Known, Opened, Span
from detector.ports import Stores
from pipelines.stores.codec import pack, unpack
from pipelines.stores.versions import _Row

DAY_S = 86_400
NOW = 1_790_000_000
SHOP, CART = Place(service="shop"), Place(service="cart", namespace="eu", cluster="one")


def known(at: int = 1000 * NOW, *, refused: str = "") -> Known:
    """Two versions, of which one came beside the other."""
    return Known(
        label="version",
        at=at,
        spans={"1": Span(at - 9000, at), "2": Span(at, at)},
        opened=(
            Opened(
                version="2",
                kind=ChangeKind.DEPLOYMENT,
                at=at,
                words="seen",
                olds=frozenset({"1"}),
                is_told=True,
            ),
        ),
        refused=refused,
    )


def test_nothing_was_ever_seen(stores: Stores) -> None:
    """A first start."""
    assert dict(stores.versions.of("default")) == {}


def test_what_was_seen_comes_back_as_it_was(stores: Stores) -> None:
    """To the millisecond, who was looked at longest ago first."""
    new, old = known(), known(1000 * NOW - 5, refused="it tells no version")
    stores.versions.keep("default", {SHOP: new, CART: old})
    assert list(stores.versions.of("default").items()) == [(CART, old), (SHOP, new)]


def test_the_last_word_counts(stores: Stores) -> None:
    """Of each service by itself."""
    stores.versions.keep("default", {SHOP: known(), CART: known()})
    later = known(1000 * NOW + 60_000)
    stores.versions.keep("default", {SHOP: later})
    assert dict(stores.versions.of("default")) == {CART: known(), SHOP: later}


def test_services_of_one_name_in_several_places_are_several(stores: Stores) -> None:
    """As are tenants."""
    other = Place(service="shop", namespace="us")
    stores.versions.keep("default", {SHOP: known(), other: known(1)})
    stores.versions.keep("acme", {SHOP: known(2)})
    assert set(stores.versions.of("default")) == {SHOP, other}
    assert dict(stores.versions.of("acme")) == {SHOP: known(2)}


def test_who_was_not_looked_at_for_a_month_is_forgotten(stores: Stores) -> None:
    """A service that is gone, or is called otherwise."""
    stores.versions.keep("default", {SHOP: known(), CART: known(1000 * (NOW - 31 * DAY_S))})
    stores.retention.prune(NOW)
    assert set(stores.versions.of("default")) == {SHOP}


@given(
    name=st.text(max_size=9),
    spans=st.dictionaries(
        st.text(max_size=5), st.builds(Span, st.integers(0, 2**45), st.integers(0, 2**45))
    ),
)
def test_any_name_and_any_version_is_kept(name: str, spans: dict[str, Span]) -> None:
    """Labels are written by whoever sends metrics."""
    row = _Row(place=Place(service=name), known=Known(label=name, spans=spans))
    assert unpack(_Row, pack(row)) == row
