"""What is bound: how much data there is, and what makes it doubtful."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pytest

from detector.discovery.amount import Lately, amount_of, family_queries, increase
from detector.discovery.bindings import Binding, Confidence, bindings
from detector.selector import format_query, parse_selector
from detector.series import Answer, Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit

SECONDS = 600.0
TIMES = np.arange(0.0, SECONDS, 15.0)
REQUESTS = Family(
    metric="requests_total", shape=Shape.COUNTER, health=parse_selector('{path="/healthz"}')
)
BUCKETS = Family(metric="request_seconds_bucket", shape=Shape.BUCKETS)
MILLIS = Family(metric="request_milliseconds_bucket", shape=Shape.BUCKETS, scale=0.001)
MICROS = Family(metric="command_usec_bucket", shape=Shape.BUCKETS, scale=1e-6)
CPU = Family(metric="cpu_total", shape=Shape.COUNTER, joined=True)
CANARY, CONTROL = parse_selector('{pod=~"c.+"}'), parse_selector('{pod=~"s.+"}')
USUAL = ("0.05", "0.1", "0.5", "1", "+Inf")


def signal(kind: Kind, total: Family, **more: object) -> BoundSignal:
    """A bound signal."""
    told = Signal(name="error_rate" if kind is Kind.RATIO else "latency", kind=kind)
    unit = more.pop("unit", Unit.POD)
    return BoundSignal(signal=told, pack="x", unit=unit, total=total, **more)  # type: ignore[arg-type]


ERRORS = signal(Kind.RATIO, REQUESTS, bad=parse_selector('{code="500"}'))


def plan(*signals: BoundSignal) -> Plan:
    """Two arms by the names of pods."""
    return Plan(
        service="web", canary=CANARY, control=(CONTROL,), requests=REQUESTS, signals=signals
    )


def counter(per_sample: float = 30.0, **labels: str) -> Series:
    """A counter that rises evenly."""
    values = 1000 + per_sample * np.arange(len(TIMES), dtype=np.float64)
    return Series(labels={"__name__": "x", **labels}, times=TIMES, values=values)


def lately(found: Mapping[Family, Iterable[Series]]) -> Lately:
    """What was read."""
    return Lately.of([(f, Answer(series=tuple(held))) for f, held in found.items()], SECONDS)


def requests(*pods: str, **labels: str) -> list[Series]:
    """Good requests and a few bad ones of some pods."""
    return [
        counter(rise, pod=pod, code=code, **labels)
        for pod in pods or ("c1", "s1", "s2")
        for code, rise in (("200", 30.0), ("500", 1.0))
    ]


def buckets(edges: Iterable[str] = USUAL, *pods: str) -> list[Series]:
    """A histogram of some pods."""
    return [counter(pod=pod, le=le) for pod in pods or ("c1", "s1") for le in edges]


def only(one: BoundSignal, found: Mapping[Family, Iterable[Series]]) -> Binding:
    """The one binding."""
    (made,) = bindings(plan(one), lately({REQUESTS: requests(), **found}))
    return made


def test_plenty_of_requests_by_pod_are_sure() -> None:
    """Nothing to doubt, nothing to read."""
    made = only(ERRORS, {})
    assert (made.confidence, made.doubts) == (Confidence.SURE, ())
    assert made.queries == (
        'requests_total{pod=~"c.+"}',
        'requests_total{pod=~"s.+"}',
    )


def test_the_amount_of_data_is_told() -> None:
    """How soon this can decide is seen at once."""
    amount = only(ERRORS, {}).amount
    assert (amount.series, amount.pods, amount.samples) == (6, 3, 240)
    assert amount.per_second == pytest.approx(3 * 31 * 39 / SECONDS)
    assert amount.bad_per_second == pytest.approx(3 * 39 / SECONDS)
    assert amount.interval_s == 15


def test_probes_are_no_amount() -> None:
    """A service that only answers its probes has no traffic."""
    probes = requests("c1", path="/healthz")
    assert amount_of(ERRORS, lately({REQUESTS: probes})).samples == 0


def test_no_sample_now_is_doubtful() -> None:
    """A metric that exists and says nothing."""
    (made,) = bindings(plan(ERRORS), lately({}))
    assert made.confidence is Confidence.DOUBTFUL
    assert "no sample" in made.doubts[0]


def test_a_trickle_is_only_likely() -> None:
    """A request in ten seconds decides little."""
    thin = [counter(1.0, pod="c1", code="200")]
    (made,) = bindings(plan(ERRORS), lately({REQUESTS: thin}))
    assert made.confidence is Confidence.LIKELY
    assert "requests/s" in made.doubts[0]


def test_two_jobs_that_count_the_same_requests_are_noticed() -> None:
    """Half of the requests are then copies, which looks like twice the evidence."""
    twice = requests(job="pods") + requests(job="endpoints")
    (made,) = bindings(plan(ERRORS), lately({REQUESTS: twice}))
    assert made.confidence is Confidence.DOUBTFUL
    assert "endpoints, pods" in made.doubts[0]


@pytest.mark.parametrize(
    ("family", "edges", "words"),
    [
        (BUCKETS, ("5", "50", "500", "5000", "+Inf"), "milliseconds, under a name in seconds"),
        (MILLIS, ("0.005", "0.05", "0.5", "5", "+Inf"), "seconds, under a name in milliseconds"),
        (BUCKETS, ("0.1", "1", "+Inf"), "2 finite edges in common"),
    ],
)
def test_edges_of_another_unit_are_noticed(
    family: Family, edges: tuple[str, ...], words: str
) -> None:
    """Two exporters use one name for two units."""
    made = only(signal(Kind.LATENCY, family), {family: buckets(edges)})
    assert made.confidence is Confidence.DOUBTFUL
    assert any(words in doubt for doubt in made.doubts), made.doubts


@pytest.mark.parametrize(
    ("family", "edges"),
    [
        (BUCKETS, USUAL),
        (MILLIS, ("5", "50", "500", "5000", "+Inf")),
        (BUCKETS, ("1", "60", "600", "3600", "+Inf")),
        (MICROS, ("1", "100", "1000", "16384", "+Inf")),
    ],
)
def test_usual_edges_are_no_doubt(family: Family, edges: tuple[str, ...]) -> None:
    """A false doubt teaches people to read none."""
    made = only(signal(Kind.LATENCY, family), {family: buckets(edges)})
    assert made.doubts == ()


def test_pods_with_different_buckets_are_noticed() -> None:
    """A version that changes its buckets cannot be compared."""
    mixed = buckets(USUAL, "c1") + buckets(("0.2", "0.3", "1", "+Inf"), "s1")
    made = only(signal(Kind.LATENCY, BUCKETS), {BUCKETS: mixed})
    assert "different buckets" in made.doubts[0]


def test_an_edge_that_is_no_number_is_no_crash() -> None:
    """Labels are what people write into them."""
    made = only(signal(Kind.LATENCY, BUCKETS), {BUCKETS: buckets(("soon", *USUAL))})
    assert made.amount.series == 12


def test_a_histogram_counts_its_last_bucket_alone() -> None:
    """Cumulative buckets must not be added up."""
    amount = amount_of(signal(Kind.LATENCY, BUCKETS), lately({BUCKETS: buckets(USUAL, "c1")}))
    assert amount.per_second == pytest.approx(30 * 39 / SECONDS)


def test_what_knows_only_pods_is_likely_and_told_by_their_names() -> None:
    """The kubelet's metrics are joined."""
    one = signal(Kind.GAUGE, CPU)
    made = only(one, {CPU: [counter(pod="c1"), counter(pod="s1")]})
    assert made.confidence is Confidence.LIKELY
    assert made.queries[0] == 'cpu_total{pod="c1"}'


def test_what_stands_for_a_workload_is_likely() -> None:
    """One bad pod cannot be told apart."""
    made = only(signal(Kind.LATENCY, BUCKETS, unit=Unit.WORKLOAD), {BUCKETS: buckets()})
    assert "stands for a workload" in made.doubts[0]


def test_a_family_joined_by_pods_is_asked_for_by_their_names() -> None:
    """And without pods not at all."""
    told = family_queries(plan(), CPU, ["s1", "c1"])
    assert [format_query(query) for query in told] == ['cpu_total{pod=~"c1|s1"}']
    assert family_queries(plan(), CPU, []) == []


def test_a_counter_that_was_reset_counts_from_zero() -> None:
    """A restarted pod has not served less than nothing."""
    values = np.array([100.0, 110.0, 3.0, 8.0])
    series = Series(labels={}, times=np.arange(4.0), values=values)
    assert increase(series) == 18
