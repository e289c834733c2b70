"""Discovery as a whole: what it costs, what it survives, and what must not change it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery import discover
from detector.errors import InputError, SourceError
from detector.gate.request import VerdictRequest
from detector.selector import format_query, matches, parse_selector
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs import shipped_packs
from pipelines.sources.memory import MemorySource
from pipelines.testing import FakeSource, Fault
from tests.detector.discovery.clusters import (
    BY_POD,
    CANARY,
    STABLE,
    T0,
    Labels,
    endpoints,
    exposed,
    found,
    kubelet,
    shop,
    source,
    state_metrics,
    target,
)
from tests.profiles import HEAVY

PODS = (*STABLE, *CANARY)
KUBELET = [series for pod in PODS for series in kubelet(pod)]
STATE = [series for pod in PODS for series in state_metrics(pod)]
EVERYTHING = [*shop(), *KUBELET, *STATE]
PLAN = found(source(EVERYTHING))


class Counting:
    """A catalogue that remembers what it was asked."""

    def __init__(self) -> None:
        self.held = MemorySource(retention_s=1e9)
        self.calls: Counter[str] = Counter()
        self.queries: list[Query] = []

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        self.calls["metrics"] += 1
        return self.held.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        self.calls["series"] += 1
        self.queries += queries
        return self.held.series(queries, start, end, timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        self.calls["label_values"] += 1
        return self.held.label_values(label, queries, start, end, timeout_s=timeout_s)


def counting(*groups: Sequence[Labels]) -> Counting:
    held = Counting()
    for group in groups:
        for labels in group:
            held.held.add(labels, [T0 - 3000, T0, T0 + 300], [1.0, 2.0, 3.0])
    return held


@pytest.mark.parametrize(
    ("canary", "service", "most"),
    [
        pytest.param(BY_POD, "checkout", 3, id="by pod"),
        pytest.param('{app_version="v2"}', "checkout", 4, id="by the cluster's account"),
        pytest.param('{pod="none"}', "checkout", 4, id="no canary"),
        pytest.param(BY_POD, "chekout", 7, id="no service"),
    ],
)
def test_a_person_s_prometheus_is_asked_little(canary: str, service: str, most: int) -> None:
    """We are guests there: what is needed is asked at once."""
    held = counting(EVERYTHING)
    found(held, canary=canary, service=service)
    assert sum(held.calls.values()) <= most


def test_nothing_is_asked_of_everything() -> None:
    """Each query names the service, its pods, or the canary: none walks the whole source."""
    held = counting(EVERYTHING)
    found(held)
    assert all(
        any(PODS[0] in m.value or "checkout" in m.value for m in query.matchers)
        for query in held.queries
    )


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.REJECTED, Fault.SLOW])
def test_a_source_that_fails_is_its_own_error(fault: Fault) -> None:
    """The gate turns it into an inconclusive with its reason; discovery hides nothing."""
    failing = FakeSource(source(shop()))
    failing.fault = fault
    with pytest.raises(SourceError):
        discover(
            failing,
            shipped_packs(),
            VerdictRequest(service="checkout", canary=BY_POD),
            start=T0,
            end=T0 + 600,
            timeout_s=1,
        )


def test_an_empty_source_says_that_it_has_nothing() -> None:
    """A fresh Prometheus is no error."""
    plan = found(MemorySource())
    assert plan.signals == ()
    assert "None of the source's 0 metrics" in plan.notes[0]


def test_without_packs_nothing_is_known() -> None:
    """Not one metric name is in code."""
    plan = discover(
        source(EVERYTHING),
        (),
        VerdictRequest(service="checkout", canary=BY_POD),
        start=T0,
        end=T0 + 600,
        timeout_s=1,
    )
    assert plan.signals == ()


def test_a_service_that_is_misspelt_is_told_the_right_name() -> None:
    """The nearest names come from what the source really has."""
    plan = found(
        source(shop(), [s | {"service": "cart", "job": "cart"} for s in shop()]), service="chekout"
    )
    assert plan.notes == ("No request metric names a service chekout; nearest: checkout, cart.",)


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"namespace": "shpo"}, "checkout is not in the namespace shpo; it is in shop."),
        ({"cluster": "eu-2"}, "checkout is not in the cluster eu-2; it is in eu-1."),
    ],
)
def test_a_scope_that_is_misspelt_is_told_the_right_one(asked: dict[str, str], note: str) -> None:
    """The service is there, only elsewhere."""
    held = source([s | {"cluster": "eu-1"} for s in shop()])
    plan = found(held, **asked)  # type: ignore[arg-type]
    assert plan.notes == (note,)


def test_a_scope_that_no_series_tells_is_passed_over() -> None:
    """A cluster is often put on only when samples leave for elsewhere."""
    assert found(source(EVERYTHING), cluster="eu-1") == PLAN


@pytest.mark.parametrize("job", ["checkout", "shop/checkout"])
def test_a_job_may_have_a_namespace_in_front(job: str) -> None:
    """OpenTelemetry writes `namespace/name` into the job."""
    series = [
        {k: v for k, v in s.items() if k not in {"service", "container"}} | {"job": job}
        for s in shop("opentelemetry_http")
    ]
    plan = found(source(series))
    assert ("job", job) in {(m.label, m.value) for m in plan.canary}


def test_dotted_names_are_read() -> None:
    """Prometheus 3 keeps OpenTelemetry's names with their dots."""
    series = [
        {k.replace("http_response_", "http.response."): v for k, v in s.items()}
        | {"__name__": s["__name__"].replace("http_server_request_", "http.server.request.")}
        for s in shop("opentelemetry_http")
    ]
    plan = found(source(series))
    assert plan.requests.metric == "http.server.request.duration_seconds_count"
    (bad,) = next(b for b in plan.signals if b.signal.name == "error_rate").bad
    assert bad.label == "http.response.status_code"


@HEAVY
@given(st.permutations(EVERYTHING))
def test_order_of_series_changes_nothing(series: list[Labels]) -> None:
    """A source may answer in any order; an attempt's plan is stored and replayed."""
    assert found(source(series)) == PLAN


def other(name: str, *, version: str) -> list[Labels]:
    """Another service of the same namespace, with everything that ours has."""
    pods = [f"{name}-{hash_}-{end}" for hash_ in ("9d8c7b", "4f5g6h") for end in ("bbbbb", "ccccc")]
    parts = [
        [
            s
            for pod in pods
            for s in endpoints("prometheus_client", pod, service=name, container=name)
        ],
        [s for pod in pods for s in kubelet(pod)],
        [s for pod in pods for s in state_metrics(pod)],
        [s for pod in pods for s in endpoints("grpc_server", pod, service=name, container=name)],
        target(
            exposed("istio_source", workload=name, version=version),
            namespace="istio-system",
            pod="gateway-5c4b8d-x2x7k",
            instance="gateway:15090",
        ),
    ]
    return [s for part in parts for s in part]


NAMES = st.from_regex(r"[a-z]{3,8}(-[a-z]{3,8})?", fullmatch=True).filter(
    lambda name: "checkout" not in name
)


@HEAVY
@given(NAMES)
def test_another_service_changes_nothing(name: str) -> None:
    """What a neighbour deploys must not change how this service is judged."""
    beside = [s for s in other(name, version="v3") if s.get("destination_app") != "checkout"]
    assert found(source(EVERYTHING, beside)) == PLAN


ODD = st.text(alphabet=st.sampled_from('"\\{}=~!,|.*+?()[]^$\n\t a1ü-'), min_size=1, max_size=12)


@given(ODD)
def test_a_service_s_name_stays_a_value(name: str) -> None:
    """Whoever names a service cannot write PromQL: each query reads back as what was meant."""
    held = counting(EVERYTHING)
    found(held, service=name)
    for query in held.queries:
        text = format_query(query)
        inside = text[text.index("{") :] if "{" in text else "{}"
        assert parse_selector(inside) == query.matchers
    assert all(
        m.value in {name, "+Inf"} or m.label == "job" for q in held.queries for m in q.matchers
    )


@given(ODD, ODD)
def test_odd_pod_names_select_only_themselves(end: str, stranger: str) -> None:
    """A pod called `.*` is one pod: the joined metrics of others stay out."""
    odd, pods = f"checkout-{end}", {*STABLE, f"checkout-{end}"}
    series = [s | {"pod": odd} for s in endpoints("prometheus_client", CANARY[0])]
    held = counting(series, [s for pod in STABLE for s in endpoints("prometheus_client", pod)])
    plan = found(held, canary=_selector(odd))
    joining = [m for q in held.queries for m in q.matchers if m.label == "pod"]
    assert [m.value for m in plan.canary if m.label == "pod"] == [odd]
    assert joining
    for name in (*pods, f"checkout-{stranger}", stranger):
        assert {matches(m, {"pod": name}) for m in joining} == {name in pods}


def _selector(pod: str) -> str:
    return format_query(Query("x", (Matcher("pod", MatchOp.EQUAL, pod),)))[1:]


WORDS = st.sampled_from(["pod", "service", "namespace", "version", "code", "job", "nowhere", "le"])
OPS = st.sampled_from(["=", "!=", "=~", "!~"])
VALUES = st.sampled_from(
    ["", "checkout", "checkout-6d9f7c-.+", ".*", ".+", "v2", "500", "(", "[", "a|b"]
)


@given(
    st.lists(st.tuples(WORDS, OPS, VALUES), max_size=3),
    st.one_of(st.none(), st.lists(st.tuples(WORDS, OPS, VALUES), max_size=2)),
)
def test_any_selectors_are_answered(
    canary: list[tuple[str, str, str]], control: list[tuple[str, str, str]] | None
) -> None:
    """Whatever is asked is a plan or a refusal that names its field."""

    def text(told: list[tuple[str, str, str]]) -> str:
        return "{" + ",".join(f'{label}{op}"{value}"' for label, op, value in told) + "}"

    try:
        plan = found(
            source(EVERYTHING),
            canary=text(canary),
            control=None if control is None else text(control),
        )
    except InputError as error:
        assert error.field in {"canary", "control", "cluster"}  # noqa: PT017
    else:
        assert plan.service == "checkout"
        assert not any(format_query(Query("x", one)) == "x" for one in plan.control)
