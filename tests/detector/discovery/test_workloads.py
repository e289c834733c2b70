"""Pods by the workload that made them: names, revisions, and what selects their like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.matching import fits
from detector.discovery.workloads import describe, hash_of, prefix_of, revisions, selecting
from detector.series import Matcher, MatchOp

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
hashes = st.text(LETTERS, min_size=6, max_size=10).filter(lambda t: any(c.isdigit() for c in t))
ends = st.text(LETTERS, min_size=5, max_size=5)
words = st.from_regex(r"[a-z]{1,8}(-[a-z]{1,8})?", fullmatch=True)


@given(words, hashes, ends)
def test_a_pods_name_tells_its_replica_set(name: str, hash_: str, end: str) -> None:
    """However a service is called, dashes included."""
    pod = f"{name}-{hash_}-{end}"
    assert hash_of(pod) == hash_
    assert prefix_of(pod) == f"{name}-{hash_}-"


@pytest.mark.parametrize("pod", ["checkout-0", "checkout", "10.0.0.1:8080", "", "a-b-c"])
def test_other_names_tell_none(pod: str) -> None:
    """A StatefulSet's pods and bare addresses have no template hash; none is made up."""
    assert (hash_of(pod), prefix_of(pod)) == ("", "")


@given(words, hashes, hashes, st.lists(ends, min_size=1, max_size=4, unique=True), ends)
def test_pods_still_to_come_are_selected_too(
    name: str, ours: str, theirs: str, pods: list[str], later: str
) -> None:
    """A rollout grows: its tenth pod is judged without asking again, the control's is not."""
    canary = {f"{name}-{ours}-{end}" for end in pods}
    control = {f"{name}-{theirs}-{end}" for end in pods}
    matcher = selecting(canary, control, "pod")
    assert all(fits((matcher,), {"pod": pod}) for pod in canary)
    if ours != theirs:
        assert fits((matcher,), {"pod": f"{name}-{ours}-{later}"})
        assert not any(fits((matcher,), {"pod": pod}) for pod in control)


def test_a_mixed_replica_set_is_named_pod_by_pod() -> None:
    """Where both arms have pods of one ReplicaSet only the named ones are the canary's."""
    matcher = selecting({"web-6d9f7c5b4-k8w2d"}, {"web-6d9f7c5b4-x2x7k"}, "pod")
    assert matcher == Matcher("pod", MatchOp.EQUAL, "web-6d9f7c5b4-k8w2d")


def test_revisions_gather_their_pods() -> None:
    """By name where it tells, else by the version label, else together."""
    series = [
        {"pod": "web-6d9f7c5b4-k8w2d", "code": "200"},
        {"pod": "web-6d9f7c5b4-k8w2d", "code": "500"},
        {"pod": "web-6d9f7c5b4-x2x7k"},
        {"pod": "web-0", "version": "v2"},
        {"pod": "web-1"},
        {"pod": "web-2"},
    ]
    found = revisions(series, "pod")
    assert sorted(map(sorted, found.values())) == [
        ["web-0"],
        ["web-1", "web-2"],
        ["web-6d9f7c5b4-k8w2d", "web-6d9f7c5b4-x2x7k"],
    ]
    told = describe(found)
    assert "web-6d9f7c5b4 (2 pods)" in told
    assert "v2 (1 pods)" in told
    assert "others (2 pods)" in told
    assert told.endswith("v2 (1 pods)")
