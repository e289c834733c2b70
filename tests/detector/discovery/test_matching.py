"""Matchers turned round and made of names: what they select and what they must not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.matching import any_of, first_label, fits, negated
from detector.discovery.workloads import hash_of, prefix_of, selecting
from detector.selector import matches
from detector.series import Matcher, MatchOp

LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "x", "y", "xy"]))
MATCHERS = st.lists(
    st.builds(
        Matcher,
        st.sampled_from("abc"),
        st.sampled_from(list(MatchOp)),
        st.sampled_from(["", "x", "y", "x.*", ".+"]),
    ),
    min_size=1,
    max_size=3,
)
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
PODS = st.builds(
    "{}-{}-{}".format,
    st.sampled_from(["web", "web-api", "w.b"]),
    st.text(LETTERS, min_size=6, max_size=10),
    st.text(LETTERS, min_size=5, max_size=5),
)


@given(MATCHERS, LABELS)
def test_a_series_is_canary_or_in_one_part_of_the_rest(
    matchers: list[Matcher], labels: dict[str, str]
) -> None:
    """No request of the service is lost between the arms, and none counted twice."""
    parts = [tuple(matchers), *negated(matchers)]
    assert sum(fits(part, labels) for part in parts) == 1


@given(st.sets(st.text(max_size=6), min_size=1), st.text(max_size=6))
def test_names_select_themselves(names: set[str], other: str) -> None:
    """Whatever characters a name has, it is a name and no pattern."""
    matcher = any_of("pod", names)
    assert all(matches(matcher, {"pod": name}) for name in names)
    assert matches(matcher, {"pod": other}) == (other in names)


@given(st.sets(PODS, min_size=1, max_size=6), st.sets(PODS, max_size=6))
def test_selected_pods_are_those_and_their_like(pods: set[str], others: set[str]) -> None:
    """A pod that its ReplicaSet makes later is in; a pod of the other arm never is."""
    others -= pods
    matcher = selecting(pods, others, "pod")
    assert all(matches(matcher, {"pod": pod}) for pod in pods)
    assert not any(matches(matcher, {"pod": pod}) for pod in others)
    alone = {prefix_of(pod) for pod in pods} - {prefix_of(pod) for pod in others}
    assert all(matches(matcher, {"pod": f"{prefix}zzzzz"}) for prefix in alone)


def test_pods_of_a_longer_name_are_another_workload() -> None:
    """`checkout-primary` is not `checkout`."""
    matcher = selecting({"checkout-6d9f7c-k8w2d"}, (), "pod")
    assert not matches(matcher, {"pod": "checkout-primary-6d9f7c-k8w2d"})


def test_words_are_no_hashes() -> None:
    """A name that only looks like one of a ReplicaSet is a pod by itself."""
    assert [hash_of(name) for name in ("web-service-abcde", "web-0", "web", "")] == [""] * 4


def test_a_label_that_all_have_goes_before_one_that_some_have() -> None:
    """A second scrape job with a label of its own does not rename everybody's pods."""
    series = [{"instance": "a", "pod": "p"}, {"instance": "b"}]
    assert first_label(("pod", "instance"), series) == "instance"
    assert first_label(("pod", "host"), series) == "pod"
    assert first_label(("host",), series) is None
