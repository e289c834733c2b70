"""Who wrote spans, by every resource that SDKs, collectors and operators make."""

from __future__ import annotations

import numpy as np
import pytest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detector.logs.lines import Origin
from pipelines.ingest.spans.decoded import Oddity
from pipelines.ingest.spans.origins import UNKNOWN_SERVICE, Origins, origin_of
from tests.pipelines.ingest.spans.requests import decoded, request_of, span_of

ORIGINS = {
    "all of it": (
        {
            "service.name": "checkout", "k8s.namespace.name": "shop", "k8s.cluster.name": "eu-1",
            "k8s.pod.name": "checkout-7d9f8c-x2x4z", "service.version": "2.4.0",
        },
        Origin(
            service="checkout", namespace="shop", cluster="eu-1", pod="checkout-7d9f8c-x2x4z",
            version="2.4.0",
        ),
    ),
    "nothing": ({}, Origin(service=UNKNOWN_SERVICE)),
    "a deployment without a name": (
        {"k8s.deployment.name": "checkout", "k8s.pod.name": "p"},
        Origin(service="checkout", pod="p"),
    ),
    "a set": ({"k8s.statefulset.name": "db"}, Origin(service="db")),
    "a daemon": ({"k8s.daemonset.name": "agent"}, Origin(service="agent")),
    "a name before a deployment": (
        {"k8s.deployment.name": "checkout-blue", "service.name": "checkout"},
        Origin(service="checkout"),
    ),
    "a namespace of services": (
        {"service.name": "a", "service.namespace": "shop"}, Origin(service="a", namespace="shop"),
    ),
    "kubernetes before services": (
        {"service.name": "a", "service.namespace": "s", "k8s.namespace.name": "k"},
        Origin(service="a", namespace="k"),
    ),
    "an instance": (
        {"service.name": "a", "service.instance.id": "i-1", "host.name": "h"},
        Origin(service="a", pod="i-1"),
    ),
    "a host": ({"service.name": "a", "host.name": "h"}, Origin(service="a", pod="h")),
    "an image": (
        {"service.name": "a", "container.image.tag": "sha-1"}, Origin(service="a", version="sha-1"),
    ),
    "a version of before": (
        {"service.name": "a", "deployment.version": "7"}, Origin(service="a", version="7"),
    ),
    "an empty version": (
        {"service.name": "a", "service.version": "", "container.image.tag": "t"},
        Origin(service="a", version="t"),
    ),
    "a name that is empty": (
        {"service.name": "", "k8s.deployment.name": "d"}, Origin(service="d"),
    ),
}  # fmt: skip


def resource(**told: str) -> bytes:
    """A resource's bytes; `service_name` for `service.name`."""
    made = Resource()
    for key, value in told.items():
        made.attributes.add(key=key.replace("_", ".")).value.string_value = value
    return bytes(made.SerializeToString())


def places(*resources: bytes) -> tuple[bytes, np.ndarray]:
    """Resources one behind the other, and where each lies."""
    ends = np.cumsum([0, *(len(one) for one in resources)])
    return b"".join(resources), np.stack([ends[:-1], ends[1:]], axis=1)


@pytest.mark.parametrize(("attributes", "origin"), ORIGINS.values(), ids=ORIGINS)
def test_who_wrote_is_known_by_any_resource(attributes: dict[str, str], origin: Origin) -> None:
    """Otherwise a canary's spans would be counted as the control's, or as nobody's."""
    assert origin_of(attributes) == origin
    assert origin_of(dict(reversed(attributes.items()))) == origin


def test_two_resources_of_one_origin_are_one() -> None:
    """They differ in what does not count: a process id, the SDK's version."""
    one = resource(service_name="a", process_pid="1")
    other = resource(service_name="a", process_pid="2")
    third = resource(service_name="b")
    body, where = places(one, third, other)
    origins, origin = Origins().of(body, where, np.array([0, 1, 2, 2], np.int32))
    assert origins == (Origin(service="a"), Origin(service="b"))
    assert origin.tolist() == [0, 1, 0, 0]


def test_a_resource_that_cannot_be_read_is_nobody() -> None:
    """Its spans are counted all the same, and said to be of no service."""
    reader = Origins()
    body, where = places(b"\x0a\xff", resource(service_name="a"))
    origins, origin = reader.of(body, where, np.array([0, 0, 1], np.int32))
    assert [origins[place].service for place in origin] == [UNKNOWN_SERVICE, UNKNOWN_SERVICE, "a"]
    assert reader.unnamed == 2
    reader.of(body, where, np.array([1], np.int32))
    assert reader.unnamed == 0


def test_no_resource_at_all_is_nobody() -> None:
    """A request of nothing."""
    origins, origin = Origins().of(b"", np.zeros((0, 2), np.int64), np.zeros(0, np.int32))
    assert (origins, origin.tolist()) == ((), [])


def test_memory_of_resources_is_bounded() -> None:
    """A process id in each resource costs time, never memory."""
    reader = Origins()
    for first in range(0, 45_000, 15_000):
        body, where = places(
            *(resource(service_name=f"s{n}") for n in range(first, first + 15_000))
        )
        origins, _ = reader.of(body, where, np.zeros(1, np.int32))
        assert origins[-1].service == f"s{first + 14_999}"
    assert len(reader._known) <= 35_000


def test_values_that_are_no_texts_tell_nothing() -> None:
    """A version of 2 is no text, and what is told otherwise stands in."""
    request = request_of(span_of(), container_image_tag="v7")
    found = request.resource_spans[0].resource.attributes
    found.add(key="service.version").value.int_value = 2
    found.add(key="service.name").value.array_value.values.add(string_value="in a list")
    told = decoded(request)
    assert told.spans.origins == (Origin(service=UNKNOWN_SERVICE, version="v7"),)
    assert told.dropped == {Oddity.UNNAMED_SERVICE: 1}


def test_spans_of_several_services_keep_apart() -> None:
    """A collector sends what many processes gave it, in one request."""
    request = request_of(span_of(name="one"), span_of(name="two"), service_name="a")
    request.MergeFrom(request_of(span_of(name="three"), service_name="b"))
    request.MergeFrom(request_of(service_name="without spans"))
    request.MergeFrom(request_of(span_of(name="four"), service_name="a"))
    spans = decoded(request).spans
    found = [
        (spans.origins[place].service, spans.operations[nth])
        for place, nth in zip(spans.origin, spans.operation, strict=True)
    ]
    assert found == [("a", "one"), ("a", "two"), ("b", "three"), ("a", "four")]
