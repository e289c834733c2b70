"""Who could be compared, where nobody says it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.matching import fits
from detector.discovery.rehearsal import placebo_arms, rehearsal
from detector.discovery.splits import splits
from detector.selector import parse_selector

SIX = [{"pod": f"web-5c4b8d-{end}"} for end in ("bbbbb", "ccccc", "ddddd", "fffff", "ggggg")]


def test_two_live_versions_are_compared_and_the_smaller_is_the_canary() -> None:
    """A rollout is going on."""
    held = [*SIX, {"pod": "web-6d9f7c-bbbbb"}]
    made = rehearsal(splits(held, "pod"), held, "pod")
    assert made is not None
    assert (made.is_placebo, made.canary) == (False, '{pod=~"web-6d9f7c-.+"}')
    assert "two versions are live" in made.words


def test_a_value_that_says_canary_is_the_canary_however_many_pods_it_has() -> None:
    """Half-way through a rollout the canary may be the larger one."""
    held = [{"pod": "a", "track": "stable"}, *({"pod": p, "track": "canary"} for p in "bcd")]
    made = rehearsal(splits(held, "pod"), held, "pod")
    assert made is not None
    assert made.canary == '{track="canary"}'


def test_beside_a_primary_the_other_one_is_the_canary() -> None:
    """Flagger calls the stable workload `<name>-primary`."""
    held = [{"deployment": "web"}, {"deployment": "web-primary"}]
    made = rehearsal(splits(held, ""), held, "")
    assert made is not None
    assert made.canary == '{deployment="web"}'


def test_one_version_is_rehearsed_with_some_of_its_own_pods() -> None:
    """On a quiet day the service can be looked at, too."""
    made = rehearsal(splits(SIX, "pod"), SIX, "pod")
    assert made is not None
    assert made.is_placebo
    assert "no second version" in made.words


def test_a_single_pod_has_nobody_to_be_compared_with() -> None:
    """A comparison with nothing is none."""
    assert rehearsal(splits(SIX[:1], "pod"), SIX[:1], "pod") is None


@given(st.sets(st.text("abcdef-.", min_size=1, max_size=6), min_size=2, max_size=30))
def test_placebo_arms_share_no_pod_and_leave_out_none(pods: set[str]) -> None:
    """A pod on both sides would be compared with itself."""
    made = placebo_arms(pods, "pod")
    assert made is not None
    ours, theirs = (
        {p for p in pods if fits(parse_selector(arm), {"pod": p})}
        for arm in (made.canary, made.control)
    )
    assert ours | theirs == pods
    assert not ours & theirs
    assert 1 <= len(ours) <= 3
