"""What discovery is asked for: selectors parsed, spelled as sources spell, told from services."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.asked import Asked, asked_of
from detector.discovery.matching import literal
from detector.errors import InputError
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from detector.selector import parse_selector
from detector.series import Matcher, MatchOp
from detector.signals.packs.schema import PODS

CANARY = '{track="canary"}'


def asked(service: str = "checkout", canary: str = CANARY, **more: object) -> Asked:
    """A parsed request."""
    request = VerdictRequest(service=service, canary=canary, **more)  # type: ignore[arg-type]
    return asked_of(request)


def selector(text: str) -> tuple[Matcher, ...]:
    return parse_selector(text, field="canary")


# -- parsing


def test_selectors_are_parsed_once() -> None:
    """What is looked for is what the person wrote."""
    found = asked(canary='{track="canary",pod=~"checkout-.+"}', control='{track!="canary"}')
    assert found.canary == (
        Matcher("track", MatchOp.EQUAL, "canary"),
        Matcher("pod", MatchOp.MATCHES, "checkout-.+"),
    )
    assert found.control == (Matcher("track", MatchOp.NOT_EQUAL, "canary"),)


@pytest.mark.parametrize("control", [None, "", "  \n"])
def test_a_control_that_is_not_told_is_to_be_found(control: str | None) -> None:
    """An empty field of a template is no selector of everything."""
    assert asked(control=control).control is None


@pytest.mark.parametrize("field", ["canary", "control"])
def test_a_selector_that_does_not_parse_is_named(field: str) -> None:
    """The person reads which of the two to mend."""
    with pytest.raises(InputError) as told:
        asked(**{field: '{track="canary"'})
    assert told.value.field == field


@pytest.mark.parametrize(("given_", "kept"), [("shop", "shop"), ("", None), (None, None)])
def test_an_empty_scope_is_no_scope(given_: str | None, kept: str | None) -> None:
    """A controller that sends `namespace: ""` has none; nothing would be in it."""
    found = asked(namespace=given_, cluster=given_)
    assert (found.namespace, found.cluster) == (kept, kept)


def test_what_the_policy_allows_is_taken_from_it() -> None:
    """A policy known by its name only says nothing before it is looked up."""
    wide = Policy(allow_cross_cluster=True, time_scale=0.1)
    assert (asked(policy=wide).across_clusters, asked(policy=wide).time_scale) == (True, 0.1)
    named = asked(policy="strict")
    assert (named.across_clusters, named.time_scale) == (False, 1.0)


# -- how sources spell


def test_pod_is_spelled_as_every_source_spells_it() -> None:
    """OpenTelemetry says `k8s_pod_name`, a plain scrape only `instance`; people say `pod`."""
    found = asked().spellings(selector('{pod=~"a-.+",zone="b"}'))
    assert [one[0].label for one in found] == list(PODS)
    assert {(one[0].op, one[0].value) for one in found} == {(MatchOp.MATCHES, "a-.+")}
    assert all(one[1] == Matcher("zone", MatchOp.EQUAL, "b") for one in found)


def test_any_other_label_is_spelled_as_it_is() -> None:
    """`instance` means `instance`."""
    told = selector('{instance="a:80"}')
    assert asked().spellings(told) == [told]


@given(st.lists(st.sampled_from(["pod", "zone", "instance"]), min_size=1, max_size=4))
def test_the_selector_itself_is_always_among_its_spellings(labels: list[str]) -> None:
    """A source that does say `pod` is not passed over."""
    told = tuple(Matcher(label, MatchOp.EQUAL, "x") for label in labels)
    assert told in asked().spellings(told)


# -- whose a selector is


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param('{pod="checkout-6d9f7c-k8w2d"}', True, id="a pod"),
        pytest.param('{pod=~"checkout-.+"}', True, id="pods"),
        pytest.param('{deployment="checkout"}', True, id="a workload of the name"),
        pytest.param('{destination_workload="checkout-canary"}', True, id="a mesh's workload"),
        pytest.param('{service="checkout"}', True, id="the service"),
        pytest.param('{pod="checkout2-6d9f7c-k8w2d"}', False, id="another service"),
        pytest.param('{pod=~".+"}', False, id="any pod"),
        pytest.param('{pod!="checkout-0"}', False, id="all but one"),
        pytest.param('{pod!~"checkout-.+"}', False, id="all but its own"),
        pytest.param('{track="checkout"}', False, id="a label that names nothing"),
        pytest.param('{version="v2"}', False, id="a version"),
        pytest.param('{version="v2",pod=~"checkout-.+"}', True, id="one of two"),
    ],
)
def test_a_selector_alone_may_pick_a_service(text: str, named: bool) -> None:
    """Series without the service's name are its own only if the selector says whose they are.

    Else `{version="v2"}` would judge the second version of every service of the cluster.
    """
    assert asked("checkout").names_service(selector(text)) is named


@given(
    st.from_regex(r"[a-z][a-z0-9.]{0,8}", fullmatch=True),
    st.sampled_from(["", "-6d9f7c-k8w2d", ".shop", "/x"]),
)
def test_a_name_is_known_plain_or_quoted(service: str, rest: str) -> None:
    """A dot in a service's name stands for itself only where the pattern says so."""
    plain = [Matcher("pod", MatchOp.EQUAL, service + rest)]
    quoted = [Matcher("pod", MatchOp.MATCHES, literal(service) + literal(rest))]
    assert asked(service).names_service(plain)
    assert asked(service).names_service(quoted)


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[a-z0-9]", fullmatch=True))
def test_a_longer_word_is_another_name(service: str, letter: str) -> None:
    """`cart` is not `carts`."""
    longer = [Matcher("pod", MatchOp.EQUAL, f"{service}{letter}-0")]
    assert not asked(service).names_service(longer)


def test_a_service_without_a_name_is_in_no_selector() -> None:
    """An empty string begins every value."""
    assert not asked("").names_service(selector('{pod="checkout-0"}'))
