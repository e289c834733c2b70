"""Whose spans are the canary's: by pods first, by a revision where pods have other names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Origin
from detector.spans.opposed import Versions, opposed, versions_of
from detector.spans.state import opened

TOLD = Versions(
    every=frozenset({"v1", "v2", "7d9f6b5c4"}),
    of_pod={"checkout-a": "v1", "checkout-b": "v1", "checkout-c": "v2"},
)


def test_pods_say_which_version_they_are() -> None:
    """Prometheus knows pods and traces know versions: the pod is in both."""
    found = opposed(TOLD, ["checkout-c"], ["checkout-a", "checkout-b"])
    assert found == (frozenset({"v2"}), frozenset({"v1"}))


def test_the_hash_of_a_pods_template_stands_for_a_version() -> None:
    """Many services tell no version."""
    found = opposed(TOLD, ["checkout-7d9f6b5c4-x2z9k"], ["checkout-a"])
    assert found == (frozenset({"7d9f6b5c4"}), frozenset({"v1"}))


def test_a_revision_helps_where_no_pod_is_found() -> None:
    """An instance is called by its address, and not as its pod."""
    found = opposed(TOLD, ["10.0.0.7:8080"], ["10.0.0.8:8080"], "v2")
    assert found == (frozenset({"v2"}), frozenset({"v1", "7d9f6b5c4"}))


def test_nothing_is_compared_with_itself() -> None:
    """Only its configuration is new, and the version says the same on both sides."""
    ours, theirs = opposed(TOLD, ["checkout-a"], ["checkout-b"])
    assert not ours
    assert not theirs


def test_an_unknown_canary_is_not_guessed() -> None:
    """Better no comparison than one of the wrong pods."""
    assert opposed(TOLD, ["checkout-z"], ["checkout-a"], "v9")[0] == frozenset()


def test_versions_are_those_of_the_service_alone() -> None:
    """Another service has a v2, too."""
    state = opened(seed=1)
    for origin in (
        Origin(service="checkout", pod="checkout-a", version="v1"),
        Origin(service="checkout", pod="checkout-7d9f6b5c4-x2z9k"),
        Origin(service="cart", pod="cart-a", version="v7"),
    ):
        state.names.origins[origin] = len(state.names.origins)
    found = versions_of(state, "checkout")
    assert found.of_pod == {"checkout-a": "v1"}
    assert versions_of(state, "nobody") == Versions(every=frozenset(), of_pod={})


PODS = st.lists(
    st.sampled_from(["checkout-a", "checkout-b", "checkout-c", "x", "y-7d9f6b5c4-zzzzz"])
)


@given(canary=PODS, control=PODS, revision=st.sampled_from([None, "", "v1", "v2", "v9"]))
def test_sides_never_share_a_version(
    canary: list[str], control: list[str], revision: str | None
) -> None:
    """A request that counts on both sides hides every difference."""
    ours, theirs = opposed(TOLD, canary, control, revision)
    assert not ours & theirs
    assert ours | theirs <= TOLD.every
