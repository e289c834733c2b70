"""Names as proxies write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.spelling import by_name, by_role, is_plain, namespaces_of, spelled
from detector.selector import parse_selector
from detector.signals.packs import Pack, shipped_packs

PACKS = {pack.name: pack for pack in shipped_packs()}
TRAEFIK = PACKS["traefik"].spelled["service"]
HAPROXY = PACKS["haproxy"].spelled["proxy"]
ENVOY = PACKS["envoy"].spelled["envoy_cluster_name"]
names = st.from_regex(r"[a-z]([a-z0-9]{0,6})(-[a-z0-9]{1,6})?", fullmatch=True)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        pytest.param(TRAEFIK, "shop-checkout-80@kubernetes", id="an Ingress of Traefik"),
        pytest.param(TRAEFIK, "shop-checkout-canary-80@kubernetescrd", id="its own resource"),
        pytest.param(TRAEFIK, "shop-checkout-http-80@kubernetesgateway", id="its Gateway"),
        pytest.param(TRAEFIK, "checkout@docker", id="Docker"),
        pytest.param(HAPROXY, "shop_checkout_8080", id="haproxy-ingress"),
        pytest.param(HAPROXY, "shop_svc_checkout_http", id="HAProxy Technologies"),
        pytest.param(HAPROXY, "checkout", id="a backend by hand"),
        pytest.param(ENVOY, "shop_checkout-primary_9898", id="Contour"),
        pytest.param(ENVOY, "shop-checkout-primary-9898_gloo-system", id="Gloo"),
        pytest.param(ENVOY, "checkout_shop_svc_80", id="Kuma"),
    ],
)
@pytest.mark.parametrize("namespace", ["shop", None])
def test_each_proxy_s_spelling_is_read(pattern: str, name: str, namespace: str | None) -> None:
    """Taken from what the proxies and Flagger's own queries write."""
    assert re.fullmatch(spelled(pattern, "checkout", namespace), name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        pytest.param(TRAEFIK, "shop-checkout-api-80@kubernetes", id="a longer name"),
        pytest.param(TRAEFIK, "stage-checkout-80@kubernetes", id="another namespace"),
        pytest.param(HAPROXY, "shop_checkout-api_8080", id="a longer name in HAProxy"),
        pytest.param(HAPROXY, "stage_checkout_8080", id="another namespace in HAProxy"),
        pytest.param(ENVOY, "shop_checkout-api_8080", id="a longer name in Envoy"),
        pytest.param(ENVOY, "xds_cluster", id="Envoy's own"),
    ],
)
def test_others_are_not_taken_for_it(pattern: str, name: str) -> None:
    """What is added to a control by mistake hides or makes a difference."""
    assert not re.fullmatch(spelled(pattern, "checkout", "shop"), name)


@given(service=names, namespace=names, role=st.sampled_from(["", "-canary", "-stable"]))
def test_the_namespace_that_is_written_is_read(service: str, namespace: str, role: str) -> None:
    """Whatever the names, where nothing but a hyphen could part them it is among those told."""
    name = f"{namespace}_{service}{role}_80"
    assert namespaces_of(HAPROXY, service, [name]) == {namespace}


@given(service=names)
def test_a_plain_name_is_its_own_pattern(service: str) -> None:
    """A name with dots or hyphens matches itself and nothing that only looks like it."""
    told = spelled("<service>", service, None, roles=False)
    assert re.fullmatch(told, service)
    assert not re.fullmatch(told, service + "x")


def test_what_is_a_proxy_s_name_already_is_no_plain_one() -> None:
    """People copy it from a dashboard."""
    assert is_plain("checkout-api")
    assert not is_plain("shop-checkout-80@kubernetes")


def pack(name: str = "haproxy") -> Pack:
    return PACKS[name]


SERIES = [{"proxy": f"shop_checkout{role}_80", "code": "2xx"} for role in ("", "-canary")]
BOTH = [*SERIES, {"proxy": "stage_checkout-canary_80", "code": "2xx"}]


def test_a_selector_that_is_found_as_it_stands_is_left_alone() -> None:
    """Only names that nobody has are read in another way."""
    asked = parse_selector('{proxy="shop_checkout-canary_80"}')
    assert by_name(asked, "checkout", SERIES, pack(), "shop") is None


def test_other_conditions_beside_the_name_stay() -> None:
    """A selector may say more than the name."""
    side = by_name(
        parse_selector('{service="checkout-canary",code="2xx"}'), "checkout", SERIES, pack(), "shop"
    )
    assert side is not None
    assert [(m.label, m.value) for m in side.matchers] == [
        ("proxy", "shop_checkout-canary_80"),
        ("code", "2xx"),
    ]


@pytest.mark.parametrize(("namespace", "found"), [("shop", True), (None, False)])
def test_a_name_in_two_namespaces_is_not_guessed(namespace: str | None, found: bool) -> None:
    """With the namespace it is one, without it is none."""
    asked = parse_selector('{service="checkout-canary"}')
    assert (by_name(asked, "checkout", BOTH, pack(), namespace) is not None) is found
    assert (by_role("checkout", BOTH, pack(), namespace) is not None) is found
