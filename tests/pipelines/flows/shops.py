"""A shop that serves traffic, told in the words of one instrumentation or another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from detector.series import FloatArray
from pipelines.sources.memory import MemorySource

__all__ = ["DIALECTS", "KUBERNETES", "T0", "Dialect", "Faults", "Serving", "fill"]

T0 = 1_790_000_000.0
HISTORY_S, LENGTH_S, STEP_S = 5400.0, 1800.0, 15.0
STABLE = tuple(f"checkout-5c4b8d-{end}" for end in ("x2x7k", "b9fqz", "m4c8t", "h7k2w", "q5n9p"))
CANARY = tuple(f"checkout-6d9f7c-{end}" for end in ("k8w2d", "t4j6s", "v9c4m"))
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
Labels = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with the canary: its error rate, how much slower, restarts and their pace."""

    errors: float = 0.004
    slower: float = 1.0
    restarts_every_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What one pod counted at the times of its scrapes; counters, of buckets cumulative."""

    pod: str
    is_canary: bool
    times: FloatArray
    good: FloatArray
    failed: FloatArray
    buckets: FloatArray
    restarts: FloatArray
    begun: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an instrumentation writes what a pod serves: series with their values."""

    name: str
    write: Callable[[Serving], Iterator[tuple[Labels, FloatArray]]]
    canary: str = '{pod=~"checkout-6d9f7c-.+"}'


def fill(dialect: Dialect, faults: Faults, seed: int = 5) -> MemorySource:
    """Two hours of stable pods, and half an hour of canary pods from T0 on, 20 requests/s each."""
    rng = np.random.default_rng(seed)
    held = MemorySource(retention_s=1e9)
    for pod in (*STABLE, *CANARY):
        serving = _served(rng, pod, faults)
        for labels, values in dialect.write(serving):
            born = np.flatnonzero(values > 0)
            first = int(born[0]) if born.size and _is_born_late(labels) else 0
            held.add(labels, serving.times[first:], values[first:])
    return held


def _is_born_late(labels: Labels) -> bool:
    """Whether clients make the series at its first event: those with a code."""
    return any("code" in label for label in labels)


def _served(rng: Generator, pod: str, faults: Faults) -> Serving:
    is_canary = pod in CANARY
    begin = T0 if is_canary else T0 - HISTORY_S
    times = np.arange(begin + rng.uniform(0, STEP_S), T0 + LENGTH_S, STEP_S)
    requests = rng.poisson(20 * STEP_S, len(times))
    failed = rng.binomial(requests, faults.errors if is_canary else 0.004)
    median = 0.06 * (faults.slower if is_canary else 1.0)
    below = 1 / (1 + (np.array(EDGES) / median) ** -2.2)
    shares = np.diff(np.concatenate([[0.0], below, [1.0]]))
    buckets = rng.multinomial(requests, shares).cumsum(axis=1).cumsum(axis=0)
    restarts = np.zeros(len(times))
    if is_canary and faults.restarts_every_s:
        phase = rng.uniform(0, faults.restarts_every_s)
        restarts = np.floor((times - T0 + phase) / faults.restarts_every_s)
    return Serving(
        pod=pod,
        is_canary=is_canary,
        times=times,
        good=np.cumsum(requests - failed).astype(float),
        failed=np.cumsum(failed).astype(float),
        buckets=buckets.astype(float),
        restarts=restarts,
        begun=np.full(len(times), begin - 5),
    )


def _at(pod: str, **more: str) -> Labels:
    """Labels of a pod's target."""
    return {
        "job": "checkout",
        "service": "checkout",
        "namespace": "shop",
        "pod": pod,
        "instance": f"{pod}:8080",
        **more,
    }


def _buckets(
    metric: str, labels: Labels, buckets: FloatArray, unit: float = 1.0
) -> Iterator[tuple[Labels, FloatArray]]:
    for number, edge in enumerate((*EDGES, np.inf)):
        le = "+Inf" if np.isinf(edge) else f"{edge / unit:g}"
        yield {"__name__": metric, **labels, "le": le}, buckets[:, number]


def prometheus_client(one: Serving) -> Iterator[tuple[Labels, FloatArray]]:
    """Counter and histogram of the client libraries, and their process metrics."""
    at = _at(one.pod)
    for code, values in (("200", one.good), ("500", one.failed)):
        yield {"__name__": "http_requests_total", **at, "code": code, "path": "/cart"}, values
    probes = np.floor(20 * (one.times - one.times[0]))
    health = {"__name__": "http_requests_total", **at, "code": "500", "path": "/healthz"}
    yield health, probes
    yield from _buckets("http_request_duration_seconds_bucket", at, one.buckets)
    yield {"__name__": "process_start_time_seconds", **at}, one.begun
    yield {"__name__": "process_cpu_seconds_total", **at}, 0.004 * one.buckets[:, -1]
    yield {"__name__": "process_resident_memory_bytes", **at}, np.full(len(one.times), 4.8e7)


def opentelemetry(one: Serving) -> Iterator[tuple[Labels, FloatArray]]:
    """One histogram with the status code on it; its count is the traffic."""
    yield from _histogram(one, "http_server_request_duration_seconds", "http_response_status_code")


def opentelemetry_old(one: Serving) -> Iterator[tuple[Labels, FloatArray]]:
    """The same before the conventions were stable: milliseconds."""
    yield from _histogram(one, "http_server_duration_milliseconds", "http_status_code", 0.001)


def _histogram(
    one: Serving, metric: str, code: str, unit: float = 1.0
) -> Iterator[tuple[Labels, FloatArray]]:
    for status, values in (("200", one.good), ("500", one.failed)):
        at = _at(one.pod, http_route="/cart", **{code: status})
        yield {"__name__": f"{metric}_count", **at}, values
        share = (values / np.maximum(one.good + one.failed, 1.0))[-1]
        yield from _buckets(f"{metric}_bucket", at, np.floor(one.buckets * share), unit)


def grpc(one: Serving) -> Iterator[tuple[Labels, FloatArray]]:
    """The gRPC middleware: codes by name, a stream that never ends, health checks that fail."""
    at = _at(one.pod, grpc_service="shop.Orders", grpc_method="Place", grpc_type="unary")
    for code, values in (("OK", one.good), ("Unavailable", one.failed), ("NotFound", one.good)):
        yield {"__name__": "grpc_server_handled_total", **at, "grpc_code": code}, values
    check = {**at, "grpc_service": "grpc.health.v1.Health", "grpc_code": "Unavailable"}
    yield {"__name__": "grpc_server_handled_total", **check}, one.good
    yield from _buckets("grpc_server_handling_seconds_bucket", at, one.buckets)
    stream = {**at, "grpc_method": "Watch", "grpc_type": "server_stream"}
    endless = np.zeros_like(one.buckets)
    endless[:, -1] = one.good
    yield from _buckets("grpc_server_handling_seconds_bucket", stream, endless)


def istio(one: Serving) -> Iterator[tuple[Labels, FloatArray]]:
    """The pod's proxy; a gateway beside it reports the same requests, retries hiding errors."""
    to = {
        "destination_workload": "checkout",
        "destination_canonical_service": "checkout",
        "destination_workload_namespace": "shop",
        "request_protocol": "http",
        "response_flags": "-",
    }
    at = {"namespace": "shop", "pod": one.pod, "instance": f"{one.pod}:15090", **to}
    for code, values in (("200", one.good), ("503", one.failed)):
        labels = {**at, "reporter": "destination", "response_code": code}
        yield {"__name__": "istio_requests_total", **labels}, values
    told = {**at, "reporter": "destination", "response_code": "200"}
    yield from _buckets("istio_request_duration_milliseconds_bucket", told, one.buckets, 0.001)
    gateway = {**to, "namespace": "istio-system", "instance": f"gw-{one.pod}:15090"}
    outside = {**gateway, "pod": "gw-5c4b8d-x2x7k", "reporter": "source", "response_code": "200"}
    yield {"__name__": "istio_requests_total", **outside}, one.good + one.failed


def istio_source(one: Serving) -> Iterator[tuple[Labels, FloatArray]]:
    """Only a gateway reports: a series for each workload, whichever pod served."""
    if one.pod not in (STABLE[0], CANARY[0]):
        return
    at = {
        "namespace": "istio-system",
        "pod": "gw-5c4b8d-x2x7k",
        "instance": "gw:15090",
        "reporter": "source",
        "destination_workload": "checkout-canary" if one.is_canary else "checkout",
        "destination_canonical_service": "checkout",
        "destination_workload_namespace": "shop",
        "request_protocol": "http",
        "response_flags": "-",
    }
    for code, values in (("200", one.good), ("503", one.failed)):
        yield {"__name__": "istio_requests_total", **at, "response_code": code}, values
    told = {**at, "response_code": "200"}
    yield from _buckets("istio_request_duration_milliseconds_bucket", told, one.buckets, 0.001)


def kubernetes(one: Serving) -> Iterator[tuple[Labels, FloatArray]]:
    """The client's metrics beside those of kubelet and cluster, which know pods only."""
    for labels, values in prometheus_client(one):
        if not labels["__name__"].startswith("process_"):
            yield labels, values
    ksm = {"namespace": "shop", "pod": one.pod, "container": "checkout", "instance": "ksm:8080"}
    yield {"__name__": "kube_pod_container_status_restarts_total", **ksm}, one.restarts
    node = {"namespace": "shop", "pod": one.pod, "instance": "node-1:10250", "job": "kubelet"}
    used = 0.004 * one.buckets[:, -1]
    for container, image, share in (
        ("checkout", "shop/checkout:1", 1.0),
        ("POD", "registry.k8s.io/pause:3.9", 1.0),
        ("", "", 2.0),
    ):
        at = {**node, "container": container, "image": image, "id": f"/{one.pod}/{container}"}
        yield {"__name__": "container_cpu_usage_seconds_total", **at}, share * used
        yield {"__name__": "container_memory_rss", **at}, np.full(len(used), 4.8e7 * share)
        yield {"__name__": "container_start_time_seconds", **at}, one.begun


KUBERNETES = Dialect(name="kubernetes", write=kubernetes)
DIALECTS = (
    Dialect(name="prometheus client", write=prometheus_client),
    Dialect(name="opentelemetry", write=opentelemetry),
    Dialect(name="opentelemetry, old", write=opentelemetry_old),
    Dialect(name="grpc", write=grpc),
    Dialect(name="istio", write=istio),
    Dialect(
        name="istio, from outside",
        write=istio_source,
        canary='{destination_workload="checkout-canary"}',
    ),
    KUBERNETES,
)
