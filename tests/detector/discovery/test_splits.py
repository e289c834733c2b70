"""Which label splits versions, and which one only seems to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.matching import fits
from detector.discovery.splits import SplitKind, splits
from detector.selector import parse_selector

STABLE = ("web-5c4b8d-x2x7k", "web-5c4b8d-b9fqz")
CANARY = ("web-6d9f7c-k8w2d",)


def series(**by_pod: dict[str, str]) -> list[dict[str, str]]:
    """A series for each pod."""
    return [{"pod": pod.replace("_", "-"), **labels} for pod, labels in by_pod.items()]


def plain(*pods: str, **labels: str) -> list[dict[str, str]]:
    """Pods with the same labels."""
    return [{"pod": pod, **labels} for pod in pods]


def test_the_hash_in_the_pods_names_splits_where_no_label_does() -> None:
    """The usual cluster: nothing but names."""
    (found,) = splits(plain(*STABLE, *CANARY), "pod")
    assert found.kind is SplitKind.NAME
    assert {value: len(pods) for value, pods in found.values.items()} == {
        "web-5c4b8d": 2,
        "web-6d9f7c": 1,
    }


def test_a_hash_label_is_surer_than_names_and_names_than_a_version() -> None:
    """The first one is what is used."""
    held = plain(*STABLE, pod_template_hash="5c4b8d", version="v1")
    held += plain(*CANARY, pod_template_hash="6d9f7c", version="v2")
    kinds = [one.kind for one in splits(held, "pod")]
    assert kinds == [SplitKind.HASH, SplitKind.NAME, SplitKind.VERSION]


def test_track_and_colour_and_deployment_are_seen() -> None:
    """Every way in which people name the two sides."""
    held = plain("a", track="stable", color="blue", deployment="web")
    held += plain("b", track="canary", color="green", deployment="web-canary")
    labels = {one.label: one.kind for one in splits(held, "pod")}
    assert labels == {
        "track": SplitKind.TRACK,
        "color": SplitKind.TRACK,
        "deployment": SplitKind.WORKLOAD,
    }


def test_a_label_that_changes_its_meaning_is_shown_and_not_used() -> None:
    """Argo moves its role labels at the promotion: the canary's pods become the stable ones."""
    held = plain(*STABLE, *CANARY, role="stable") + plain(*CANARY, role="canary")
    found = {one.label: one for one in splits(held, "pod")}
    assert "changes its meaning" in found["role"].against
    assert CANARY[0] in found["role"].against
    assert not found["pod"].against


def test_a_label_of_the_request_is_no_version() -> None:
    """Clients send a version, too: each pod serves all of them."""
    held = [{"pod": pod, "version": v} for pod in STABLE for v in ("ios-1", "ios-2")]
    (used, refused) = splits(held, "pod")
    assert (used.kind, refused.label) == (SplitKind.NAME, "version")
    assert refused.against


def test_a_label_that_only_some_series_carry_is_not_used() -> None:
    """Half a version label would compare the labelled pods with the unlabelled ones."""
    held = plain("a", version="v1") + plain("b")
    (found,) = splits(held, "pod")
    assert found.against == "1 of 2 series do not carry it"


def test_series_without_pods_are_split_by_labels_alone() -> None:
    """What an ingress reports names its own pods, not the service's."""
    held = plain("gw-1", deployment="web") + plain("gw-1", deployment="web-canary")
    (found,) = splits(held, "")
    assert (found.label, found.against) == ("deployment", "")


def test_a_pod_with_unusual_letters_joins_its_set() -> None:
    """One odd name does not make the names useless."""
    (found,) = splits(plain(*STABLE, "web-5c4b8d-zzz3a"), "pod")
    assert not found.against
    assert len(found.values["web-5c4b8d"]) == 3


def test_pods_without_a_hash_make_the_names_useless() -> None:
    """A StatefulSet has no hash."""
    (found,) = splits(plain(*STABLE, "web-0"), "pod")
    assert "no hash" in found.against


def test_nothing_splits_nothing() -> None:
    """No series, no split."""
    assert splits([], "pod") == ()


@given(
    st.lists(
        st.tuples(st.sampled_from([*STABLE, *CANARY]), st.sampled_from(["v1", "v.2", 'v"3'])),
        min_size=1,
        max_size=12,
    )
)
def test_what_selects_a_value_selects_its_series_and_no_other(told: list[tuple[str, str]]) -> None:
    """A selector that is shown can be pasted."""
    held = [{"pod": pod, "version": version} for pod, version in told]
    for split in splits(held, "pod"):
        for value, selector in split.selectors.items():
            matched = [s for s in held if fits(parse_selector(selector), s)]
            if split.label == "version":
                assert matched == [s for s in held if s["version"] == value]
            else:
                assert {s["pod"] for s in matched} == split.values[value]
