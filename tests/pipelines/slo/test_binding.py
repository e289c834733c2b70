"""Objectives without a query count what discovery binds, of the service as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from detector.errors import ConfigError, InputError
from detector.series import MatchOp, Query
from detector.slo.counts import Flaw
from detector.slo.objective import Counted, Objective, OfSignal
from pipelines.flows.discovery import Discovery
from pipelines.packs import load_packs
from pipelines.slo.binding import BoundCounters
from pipelines.slo.budgets import CountedBudgets
from pipelines.slo.counting import counts_in
from pipelines.slo.openslo import parse_objectives
from pipelines.testing import FakeSource
from tests.pipelines.flows.scripted import T0
from tests.pipelines.flows.shops import DIALECTS, Dialect, Faults, fill

SHORT = "{service: checkout, availability: 99, window: 1h}\n"
(AVAILABLE,) = parse_objectives(SHORT, origin="slo.yaml")
END = T0 + 1200


def counters(source: FakeSource) -> BoundCounters:
    return BoundCounters(Discovery(load_packs(()), source), source)


def test_availability_is_that_of_the_errors() -> None:
    """Over four weeks where no window is told."""
    (one,) = parse_objectives("{service: cart, availability: 99.9}", origin="slo.yaml")
    assert (one.name, one.window.text) == ("cart-availability", "28d")
    assert one.target == pytest.approx(0.999)
    assert one.indicator == OfSignal(signal="error_rate")


@pytest.mark.parametrize(
    "told", ["{service: a, availability: 100}", "{service: a, availability: 9, x: 1}"]
)
def test_what_cannot_be_is_refused(told: str) -> None:
    """A target of all requests, and a word that there is not."""
    with pytest.raises(ConfigError, match=r"slo\.yaml"):
        parse_objectives(told, origin="slo.yaml")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
def test_every_dialect_counts_both_arms(dialect: Dialect) -> None:
    """Pods that fail in 0.4 % of their requests; of gRPC as many again were told: not found."""
    source = FakeSource(fill(dialect, Faults()))
    budgets = CountedBudgets([AVAILABLE], source, counters(source))
    (found,) = budgets.of("checkout", None, as_of=END, timeout_s=5.0)
    assert found.budget.left == pytest.approx(0.8 if dialect.name == "grpc" else 0.6, abs=0.05)


def test_own_counters_are_left_alone() -> None:
    """Nothing is discovered for them."""
    told = Counted(total=Query("a"), part=Query("b"), part_is_good=True)
    own = Objective(name="x", service="y", target=0.9, window=AVAILABLE.window, indicator=told)
    assert counters(FakeSource())(own, T0, 1.0) is told


FAST = "{{service: checkout, latency: {{below: {below}, objective: 99}}, window: 1h}}"


@pytest.mark.parametrize(("below", "seconds"), [("0.3", 0.3), ("300ms", 0.3), ("1.5s", 1.5)])
def test_a_latency_is_short_for_requests_that_take_so_long_at_most(
    below: str, seconds: float
) -> None:
    """In seconds, or with the unit."""
    (one,) = parse_objectives(FAST.format(below=below), origin="slo.yaml")
    assert isinstance(one.indicator, OfSignal)
    assert (one.name, one.indicator.signal) == ("checkout-latency", "latency")
    assert one.indicator.below == pytest.approx(seconds)
    assert one.target == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("{service: a, latency: {below: 0, objective: 99}}", "above 0"),
        ("{service: a, latency: {below: 2h, objective: 99}}", "2h"),
        ("{service: a, latency: {below: .nan, objective: 99}}", "above 0"),
        ("{service: a, latency: {below: 0.3, objective: 0.99}}", "in per cent it is 99"),
        ("{service: a, latency: {below: 0.3}}", "objective"),
        ("{service: a, availability: 0.999}", "in per cent it is 99.9"),
    ],
)
def test_a_latency_that_cannot_be_meant_is_refused(told: str, why: str) -> None:
    """With the field, and what is to be written."""
    with pytest.raises(ConfigError, match=why):
        parse_objectives(told, origin="slo.yaml")


def slow(dialect: Dialect, below: float) -> float:
    """The share of checkout's requests that took longer, by what a source counted."""
    source = FakeSource(fill(dialect, Faults()))
    (one,) = parse_objectives(FAST.format(below=below), origin="slo.yaml")
    found = counts_in(source, counters(source)(one, END, 5.0), T0, END, timeout_s=5.0)
    assert not isinstance(found, Flaw)
    return float(np.nansum(found.bad) / np.nansum(found.total))


def test_requests_that_took_longer_are_bad() -> None:
    """Nine of ten lie around a tenth of a second, by the buckets of the histogram."""
    shares = [slow(DIALECTS[0], below) for below in (0.1, 0.25, 1.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.1
    assert shares[2] < 0.01


def test_a_limit_within_a_bucket_is_no_count() -> None:
    """The edges beside it are told."""
    with pytest.raises(InputError, match=r"ends at 0.3 s .* nearest are 0.25 and 0.5"):
        slow(DIALECTS[0], 0.3)


def test_below_is_of_latencies() -> None:
    """Nothing else is so many seconds."""
    source = FakeSource(fill(DIALECTS[0], Faults()))
    (one,) = parse_objectives(
        "{service: checkout, signal: error_rate, target: 99, window: 1h, below: 1}", origin="s"
    )
    with pytest.raises(InputError, match="no latency"):
        counters(source)(one, END, 5.0)


@pytest.mark.parametrize("signal", ["latency", "nonsense"])
def test_what_is_no_ratio_is_refused_by_its_name(signal: str) -> None:
    """With why."""
    source = FakeSource(fill(DIALECTS[0], Faults()))
    (one,) = parse_objectives(
        f"{{service: checkout, signal: {signal}, target: 99, window: 1h}}", origin="slo.yaml"
    )
    with pytest.raises(InputError, match=signal):
        counters(source)(one, END, 5.0)


def test_a_service_that_is_not_there_is_told() -> None:
    """A name that is misspelt has no budget that lasts."""
    source = FakeSource(fill(DIALECTS[0], Faults()))
    (one,) = parse_objectives("{service: chekcout, availability: 99}", origin="slo.yaml")
    with pytest.raises(InputError, match="chekcout"):
        counters(source)(one, END, 5.0)


def test_probes_are_nobodys_requests() -> None:
    """A health check that fails all day burns no budget; it is left out by name."""
    source = FakeSource(fill(DIALECTS[0], Faults()))
    counted = counters(source)(AVAILABLE, END, 5.0)
    for query in (counted.total, counted.part):
        assert any(matcher.op is MatchOp.NOT_MATCHES for matcher in query.matchers)
