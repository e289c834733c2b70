"""What people are shown of services, and the self-test, on shops of every instrumentation."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from detector.discovery.bindings import Confidence
from detector.discovery.portrait import Portrait
from detector.errors import SourceError
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.request import VerdictRequest
from detector.series import Query
from pipelines.flows.services import Services
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.testing import FakeSource, Fault
from tests.detector.discovery.clusters import add
from tests.pipelines.flows.shops import DIALECTS, KUBERNETES, T0, Dialect, Faults, fill

NOW = T0 + 1790
CLIENT = DIALECTS[0]


def services(held: MemorySource | FakeSource, now: float = NOW) -> Services:
    """Discovery on a source."""
    return Services(source=held, catalog=held, packs=load_packs(), clock=lambda: now)


def shown(
    held: MemorySource,
    canary: str = "",
    service: str = "checkout",
    policy: Policy | None = None,
    **more: bool,
) -> Portrait:
    """One service."""
    request = VerdictRequest(service=service, canary=canary)
    return services(held).portrait(request, policy=policy, **more)


def quiet(rate_per_s: float) -> MemorySource:
    """A service of four pods that hardly anybody calls."""
    held = MemorySource(retention_s=1e9)
    for pod in ("web-5c4b8d-x2x7k", "web-5c4b8d-b9fqz", "web-5c4b8d-m4c8t", "web-5c4b8d-h7k2w"):
        labels = {"__name__": "http_requests_total", "service": "web", "pod": pod, "code": "200"}
        add(held, [labels], since=T0 - 7200, until=NOW, per_s=rate_per_s)
    return held


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_every_instrumentation_is_listed_and_bound_without_a_word(dialect: Dialect) -> None:
    """The first minute on a stranger's source: a name, two versions, signals."""
    held = fill(dialect, Faults())
    (one,) = services(held).listed().services
    portrait = shown(held)
    assert (one.service, one.split is None) == ("checkout", False)
    assert portrait.is_found
    assert portrait.rehearsal is not None
    assert {"error_rate", "latency"} <= {b.name for b in portrait.bindings}
    assert all(b.confidence is not Confidence.DOUBTFUL for b in portrait.bindings)


def test_what_is_shown_is_what_the_canary_of_a_request_would_get() -> None:
    """A person who names the canary sees its own selectors."""
    portrait = shown(fill(CLIENT, Faults()), CLIENT.canary)
    assert portrait.rehearsal is None
    assert portrait.pods == (3, 5)
    assert "checkout-6d9f7c-.+" in portrait.bindings[0].queries[0]


def test_a_canary_that_selects_nothing_is_not_found_and_has_near_names() -> None:
    """A typing error is answered with what exists."""
    portrait = shown(fill(CLIENT, Faults()), '{pod=~"checkout-6d9f8c-.+"}')
    assert not portrait.is_found
    assert "checkout-6d9f7c" in " ".join(portrait.plan.notes)


def test_a_service_that_is_not_there_is_not_found_and_has_near_names() -> None:
    """So is the service's own name."""
    portrait = shown(fill(CLIENT, Faults()), service="chekout")
    assert not portrait.is_found
    assert "checkout" in " ".join(portrait.plan.notes)


def test_a_histogram_that_cannot_be_read_is_the_reason_why_there_is_no_latency() -> None:
    """Not that there is none."""
    held = MemorySource(retention_s=1e9)
    whole = fill(CLIENT, Faults())
    for name in sorted(whole.metrics(timeout_s=1)):
        for labels in whole.series([_query(name)], 0, NOW, timeout_s=1):
            if labels.get("le") != "+Inf":
                add(held, [dict(labels)], since=T0 - 7200, until=NOW)
    why = {one.name: one.why for one in shown(held).missing}
    assert 'no bucket le="+Inf"' in why["latency"]
    assert "restarts" not in why


def test_a_page_ends_where_it_was_asked_to_and_the_next_goes_on() -> None:
    """Two thousand services do not come at once."""
    held = MemorySource(retention_s=1e9)
    for name in ("a", "b", "c"):
        labels = {"__name__": "http_requests_total", "service": name, "code": "200", "pod": name}
        add(held, [labels], since=NOW - 300, until=NOW)
    found = services(held)
    first = found.listed(limit=2)
    second = found.listed(after=first.next, limit=2)
    assert [[one.service for one in page.services] for page in (first, second)] == [
        ["a", "b"],
        ["c"],
    ]
    assert (first.next, second.next, first.listing.services) == ("b", None, 3)


def test_the_census_is_taken_once_a_minute() -> None:
    """A person who turns pages asks the source for labels once."""
    held = FakeSource(fill(CLIENT, Faults()))
    found = services(held)
    found.listed()
    held.script(Fault.NONE, Fault.NONE, Fault.DOWN)
    assert found.listed().listing.services == 1


def test_a_source_that_is_down_is_an_error() -> None:
    """An empty list would say that there are no services."""
    held = FakeSource(fault=Fault.DOWN)
    with pytest.raises(SourceError):
        services(held).listed()


@pytest.mark.parametrize("dialect", [CLIENT, DIALECTS[5], KUBERNETES], ids=lambda d: d.name)
def test_a_fault_in_a_copy_fails_and_the_copy_without_does_not(dialect: Dialect) -> None:
    """Before anybody trusts a configuration it has stopped something."""
    test = shown(fill(dialect, Faults()), dialect.canary, test=True).test
    assert test is not None
    assert test.is_sound
    assert {"error_rate", "latency"} <= set(test.found)


SILENT: Mapping[str, SignalPolicy] = {
    name: SignalPolicy(judged=False)
    for name in ("error_rate", "latency", "tail95", "tail99", "restarts")
}


def test_a_policy_that_judges_nothing_is_refused() -> None:
    """Everything advisory is a gate without a bar."""
    policy = Policy(signals=SILENT)
    test = shown(fill(CLIENT, Faults()), policy=policy, test=True).test
    assert test is not None
    assert not test.can_fail
    assert test.verdict.startswith("Refused, it cannot fail")


def test_a_policy_that_tolerates_everything_is_refused() -> None:
    """A tolerance of fifty points lets a fifth of the requests fail."""
    lax = SignalPolicy(tolerate_points=0.5, limit_points=0.6)
    policy = Policy(signals={**SILENT, "error_rate": lax})
    test = shown(fill(CLIENT, Faults()), policy=policy, test=True).test
    assert test is not None
    assert not test.can_fail, test.verdict


def test_a_service_that_hardly_anybody_calls_is_refused() -> None:
    """Nothing can be found in three requests an hour, and that is said before it matters."""
    test = shown(quiet(0.001), service="web", test=True).test
    assert test is not None
    assert not test.can_fail
    assert "within 25 minutes" in test.verdict


def test_a_service_of_one_pod_is_refused_with_the_reason() -> None:
    """There is nobody to be compared with."""
    held = MemorySource(retention_s=1e9)
    labels = {"__name__": "http_requests_total", "service": "web", "pod": "web-0", "code": "200"}
    add(held, [labels], since=T0 - 7200, until=NOW)
    portrait = shown(held, service="web", test=True)
    assert portrait.is_idle
    assert portrait.test is not None
    assert not portrait.test.can_fail


def test_pods_that_are_no_placebo_for_each_other_are_refused() -> None:
    """A canary that is worse today fails without any fault: that is told apart from a success."""
    bad = fill(CLIENT, Faults(errors=0.08))
    test = shown(bad, CLIENT.canary, test=True).test
    assert test is not None
    assert (test.can_fail, test.is_sound) == (True, False)
    assert "fails a healthy copy" in test.verdict


def _query(name: str) -> Query:
    return Query(name)


def test_a_control_that_selects_nothing_is_not_found() -> None:
    """A canary alone is no comparison, when somebody said with whom."""
    request = VerdictRequest(
        service="checkout", canary=CLIENT.canary, control='{pod=~"checkout-5c4b9d-.+"}'
    )
    portrait = services(fill(CLIENT, Faults())).portrait(request)
    assert not portrait.is_found
    assert "checkout-5c4b8d" in " ".join(portrait.plan.notes)


def test_a_name_in_two_namespaces_is_told() -> None:
    """Two teams have a service of that name: they must not be mixed without a word."""
    held = MemorySource(retention_s=1e9)
    for namespace in ("blue", "green"):
        for number in range(3):
            pod = f"web-{number}-{namespace}"
            labels = {"__name__": "http_requests_total", "service": "web", "code": "200"}
            add(held, [{**labels, "namespace": namespace, "pod": pod}], since=NOW - 900, until=NOW)
    notes = shown(held, service="web").plan.notes
    assert any("runs in blue, green" in note for note in notes)
