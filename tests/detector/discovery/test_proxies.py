"""Packs whose series stand for a proxy: whose backend is the canary's, and whose the control's."""

from __future__ import annotations

import pytest

from detector.selector import matches
from detector.series import Matcher
from detector.signals.plan import Plan
from detector.signals.signal import Unit
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    Labels,
    braces,
    exposed,
    found,
    identity,
    shop,
    source,
    spelled,
    target,
)

PODS = (*STABLE, *CANARY)


def proxies(name: str, count: int = 2, namespace: str = "ingress") -> list[Labels]:
    """What the proxy's pods expose, under the labels of their own targets."""
    return [
        series
        for pod in (f"{name.replace('_', '-')}-7d4b9c-{end}" for end in ("k8w2d", "t4j6s")[:count])
        for series in target(
            exposed(name, controller=pod),
            job=name,
            service=f"{name}-metrics",
            namespace=namespace,
            pod=pod,
            container="proxy",
            instance=f"{pod}:9100",
        )
    ]


def pods_proxies() -> list[Labels]:
    """What Linkerd's proxies beside the pods expose, under its Prometheus' labels."""
    return [
        series
        for pod in PODS
        for series in target(
            exposed("linkerd", **identity(pod)),
            job="linkerd-proxy",
            namespace="shop",
            pod=pod,
            deployment="checkout",
            pod_template_hash=pod.split("-")[1],
            control_plane_ns="linkerd",
            instance=f"{pod}:4191",
        )
    ]


def control_of(plan: Plan) -> str:
    (only,) = plan.control
    return braces(only)


def test_linkerd_is_read_where_requests_come_in() -> None:
    """Calls that the pod makes, probes and scrapes of the proxy are no traffic of its users."""
    plan = found(source(pods_proxies()))
    assert plan.unit is Unit.POD
    assert spelled(plan)["error_rate"] == (
        'response_total{direction=~"inbound"} bad {classification=~"failure"}'
    )
    assert spelled(plan)["latency"] == ('response_latency_ms_bucket{direction=~"inbound"} x 0.001')
    assert {m.label for m in plan.requests.health} == {"target_port", "srv_port", "route_name"}


def test_linkerd_knows_the_template_s_hash_of_its_pods() -> None:
    """Argo's hash is a label there; people who send it need no pod names."""
    plan = found(source(pods_proxies()), canary='{pod_template_hash="6d9f7c"}')
    assert plan.unit is Unit.POD
    assert "checkout-5c4b8d-" in control_of(plan)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param('{canary="shop-checkout-canary-80"}', id="as it is written"),
        pytest.param('{service="checkout-canary"}', id="the canary's service"),
        pytest.param('{ingress="checkout-canary"}', id="the canary's ingress"),
        pytest.param(BY_POD, id="pods, which it cannot know"),
    ],
)
def test_ingress_nginx_tells_the_canary_by_its_upstream(asked: str) -> None:
    """Canary requests carry the main Ingress's labels, and only `canary` tells them."""
    plan = found(source(proxies("ingress_nginx")), canary=asked, namespace="shop")
    assert plan.unit is Unit.PROXY
    assert 'canary="shop-checkout-canary-80"' in braces(plan.canary)
    assert 'exported_namespace="shop"' in braces(plan.canary)
    assert 'canary!="shop-checkout-canary-80"' in control_of(plan)
    assert 'exported_service=~"checkout(-(canary|' in control_of(plan)


def test_ingress_nginx_s_own_labels_are_not_the_service_s() -> None:
    """Its pods, namespace and metrics service are the controller's; the service's are exported."""
    plan = found(source(proxies("ingress_nginx")), canary='{service="checkout-canary"}')
    assert spelled(plan)["error_rate"] == (
        'nginx_ingress_controller_requests bad {status=~"0|5.."}'
    )
    assert spelled(plan)["latency"] == (
        'nginx_ingress_controller_request_duration_seconds_bucket{status!~"101|1xx"}'
    )
    assert 'exported_namespace="shop"' in control_of(plan)
    assert "path" in {m.label for m in plan.requests.health}


@pytest.mark.parametrize(
    ("name", "label", "canary"),
    [
        pytest.param("traefik", "exported_service", "shop-checkout-canary-80@kubernetescrd"),
        pytest.param("haproxy", "proxy", "shop_checkout-canary_8080"),
        pytest.param("envoy", "envoy_cluster_name", "shop_checkout-canary_8080"),
    ],
)
@pytest.mark.parametrize(
    ("asked", "namespace"),
    [
        pytest.param(None, None, id="in full, no namespace"),
        pytest.param(None, "shop", id="in full"),
        pytest.param('{service="checkout-canary"}', "shop", id="as a Service"),
        pytest.param('{backend="checkout-canary"}', "shop", id="as a backend"),
        pytest.param(BY_POD, "shop", id="by its pods"),
    ],
)
def test_a_backend_is_found_by_its_plain_name(
    name: str, label: str, canary: str, asked: str | None, namespace: str | None
) -> None:
    """Nobody has to know how the proxy spells a Service; other services stay out of the control."""
    asked = asked or f'{{{label}="{canary}"}}'
    plan = found(source(proxies(name)), canary=asked, namespace=namespace)
    backends = {series[label] for series in proxies(name) if label in series}
    told = next(m for m in plan.canary if m.label == label and m.value == canary)
    assert told.op.value == "="
    assert {b for b in backends if matched(plan.control[0], label, b)} == {
        other for other in backends if other in MAIN[name]
    }
    assert plan.unit is Unit.PROXY


MAIN = {
    "traefik": {"shop-checkout-stable-80@kubernetescrd"},
    "haproxy": {"shop_checkout_8080"},
    "envoy": {"shop_checkout_8080"},
}


def matched(selector: tuple[Matcher, ...], label: str, value: str) -> bool:
    """Whether what a selector says of one label is true of a value."""
    return all(matches(m, {label: value}) for m in selector if m.label == label)


@pytest.mark.parametrize("asked", ['{service="checkout-canary"}', BY_POD])
def test_two_namespaces_of_one_name_are_not_mixed(asked: str) -> None:
    """Without a namespace nobody can tell whose canary it is: none is judged, and it is said."""
    plan = found(source(proxies("traefik")), canary=asked)
    told = [m.value for m in plan.canary if m.label == "exported_service"]
    assert not any("stage" in value and "shop" in value for value in told)
    assert any("namespace" in note for note in plan.notes)


def test_traefik_leaves_out_how_long_a_socket_lives() -> None:
    """499 is a client that left; a WebSocket's life is no latency."""
    plan = found(source(proxies("traefik")), canary='{service="checkout-canary"}', namespace="shop")
    assert spelled(plan)["error_rate"] == 'traefik_service_requests_total bad {code=~"0|5.."}'
    assert spelled(plan)["latency"] == (
        'traefik_service_request_duration_seconds_bucket{protocol!~"websocket|sse"}'
    )


def test_haproxy_has_no_histogram_and_says_so() -> None:
    """A pass needs latency: the verdict says what is missing, and shows the mean meanwhile."""
    plan = found(source(proxies("haproxy")), canary='{service="checkout-canary"}', namespace="shop")
    bound = spelled(plan)
    assert bound["error_rate"] == 'haproxy_backend_http_responses_total bad {code=~"5|5xx"}'
    assert bound["mean_latency"] == "haproxy_backend_response_time_average_seconds"
    missing = {one.name: one.why for one in plan.missing}
    assert "HAProxy writes means only" in missing["latency"]


def test_envoy_counts_what_it_answered_itself_as_errors() -> None:
    """503 and 504 stand for upstreams that gave no answer; milliseconds become seconds."""
    plan = found(source(proxies("envoy")), canary='{service="checkout-canary"}', namespace="shop")
    bound = spelled(plan)
    assert bound["error_rate"] == 'envoy_cluster_upstream_rq bad {envoy_response_code=~"5.."}'
    assert bound["latency"] == "envoy_cluster_upstream_rq_time_bucket x 0.001"


def test_envoy_by_class_where_codes_are_left_out() -> None:
    """Envoys that are told to keep classes only are judged by them."""
    series = [s for s in proxies("envoy") if s["__name__"] != "envoy_cluster_upstream_rq"]
    plan = found(source(series), canary='{service="checkout-canary"}', namespace="shop")
    assert spelled(plan)["error_rate"] == (
        'envoy_cluster_upstream_rq_xx bad {envoy_response_code_class=~"5|5xx"}'
    )


def test_pods_are_preferred_to_a_proxy() -> None:
    """Where the service itself tells its pods apart, the proxy's whole is not judged."""
    plan = found(source(proxies("ingress_nginx"), shop()), namespace="shop")
    assert plan.requests.metric == "http_requests_total"
    assert plan.unit is Unit.POD


def test_a_proxy_s_canary_by_role_is_told() -> None:
    """A person who sent pods reads what was judged in their place."""
    plan = found(
        source(proxies("haproxy")), namespace="shop", control='{pod=~"checkout-5c4b8d-.+"}'
    )
    assert any("by the name checkout-canary" in note for note in plan.notes)
    assert any("stands for a proxy" in note for note in plan.notes)


def test_calls_of_the_canary_to_others_are_not_its_traffic() -> None:
    """Before it serves anybody its sidecar reports only what it asks of other services."""
    own = [s for pod in PODS for s in _sidecar(pod)]
    silent = [s for s in own if not (s["pod"] in CANARY and s["reporter"] == "destination")]
    plan = found(source(silent), namespace="shop")
    assert 'reporter=~"destination|waypoint"' in braces(plan.requests.matchers)
    assert any("Nearest" in note for note in plan.notes)


def _sidecar(pod: str) -> list[Labels]:
    """What the Istio proxy beside a pod reports, of both sides."""
    return target(
        exposed("istio", **identity(pod)),
        job="envoy-stats",
        namespace="shop",
        pod=pod,
        container="istio-proxy",
        instance=f"{pod}:15090",
    )


def test_flagger_s_deployment_is_the_canary_and_not_the_service_of_its_name() -> None:
    """The Deployment `checkout` is its canary; the Service of that name leads to the primary."""
    plan = found(source(proxies("envoy")), canary='{deployment="checkout"}', namespace="shop")
    told = [m.value for m in plan.canary if m.label == "envoy_cluster_name"]
    assert "shop_checkout-canary_8080" in told


def test_a_control_may_bear_the_service_s_bare_name() -> None:
    """Whoever says what the canary is compared with means the Service."""
    plan = found(
        source(proxies("haproxy")),
        canary='{service="checkout-canary"}',
        control='{service="checkout"}',
        namespace="shop",
    )
    assert 'proxy="shop_checkout_8080"' in control_of(plan)


def test_names_of_pods_labels_are_not_read_in_another_way() -> None:
    """`deployment="checkout"` is no label of these series, and `service` of that name is all."""
    plan = found(source(shop()), canary='{deployment="checkout"}', namespace="shop")
    assert ("deployment", "checkout") in {(m.label, m.value) for m in plan.canary}
    assert any("no series carries the label deployment" in note for note in plan.notes)
