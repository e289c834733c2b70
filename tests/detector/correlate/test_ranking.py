"""Whom an incident is traced to, in scenes that people would agree on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.correlate.evidence import Calls, Complaint, Gauge, Kind, Scene
from detector.correlate.ranking import ranked
from detector.correlate.settings import Settings
from detector.stream.anomaly import Side
from tests.detector.correlate.scenes import failures, gauge, scene

RNG = np.random.default_rng(5)


def calm(middle: float, count: int = 60) -> np.ndarray:
    return RNG.normal(middle, middle * 0.03, count)


def slow(service: str, middle: float, more: float) -> Gauge:
    return gauge(service, calm(middle), calm(middle, 5) + more)


def first(told: Scene) -> str:
    return ranked(told).suspects[0].service


def test_the_callee_and_not_its_callers() -> None:
    """Three services are slow; the one at the end of the chain is to be mended."""
    told = scene(
        slow("web", 0.3, 0.4),
        slow("cart", 0.2, 0.4),
        slow("db", 0.1, 0.4),
        calls="web>cart cart>db",
    )
    assert first(told) == "db"


def test_a_callee_that_is_a_little_slow_does_not_take_the_blame() -> None:
    """The database is 20 ms slower since the cart asks for more; the cart lost 400 ms by itself."""
    told = scene(
        slow("web", 0.3, 0.42), slow("cart", 0.2, 0.42), slow("db", 0.1, 0.02),
        calls="web>cart cart>db",
    )  # fmt: skip
    assert first(told) == "cart"


def test_failures_are_traced_as_latency_is() -> None:
    """Where amounts are counts of failures."""
    none, some = np.zeros(60), np.full(5, 12.0)
    told = scene(
        failures("web", none, some), failures("cart", none, some), failures("db", none, none[:5]),
        calls="web>cart cart>db",
    )  # fmt: skip
    assert first(told) == "cart"


def test_the_complaint_tells_which_of_two_faults_is_meant() -> None:
    """Mail is slow and so is search; who complains of the shop means the one that it calls."""
    told = scene(
        slow("shop", 0.3, 0.4), slow("search", 0.2, 0.4), slow("mail", 0.2, 0.8),
        calls="shop>search", complaint=Complaint(service="shop", kind=Kind.LATENCY),
    )  # fmt: skip
    assert first(told) == "search"


def test_a_resource_stays_where_it_is() -> None:
    """A processor at its limit is the fault of its own service, whoever it calls."""
    cpu = Gauge(
        service="cart", name="cpu", kind=Kind.RESOURCE, side=Side.ABOVE, past=calm(0.1),
        before=np.empty(0), during=np.full(5, 0.99),
    )  # fmt: skip
    told = scene(cpu, slow("web", 0.3, 0.0), slow("cart", 0.2, 0.0), calls="web>cart")
    assert ranked(told).suspects[0].service == "cart"
    assert ranked(told).suspects[0].kind is Kind.RESOURCE


def test_traffic_accuses_nobody() -> None:
    """More requests come from callers: who is called more often is not broken."""
    busy = gauge("cart", calm(100.0), np.full(5, 900.0), kind=Kind.TRAFFIC, side=None)
    ranking = ranked(scene(busy, slow("web", 0.3, 0.0), calls="web>cart"))
    assert not ranking.stands_out


def test_drift_since_last_month_is_no_incident() -> None:
    """Slower than a month ago, but exactly as just before the incident."""
    drifted = gauge("db", calm(0.1), calm(0.2, 5), before=calm(0.2, 5))
    ranking = ranked(scene(drifted, slow("web", 0.3, 0.0), calls="web>db"))
    assert not ranking.stands_out


def test_few_calls_cannot_explain_much() -> None:
    """A callee asked once in a hundred requests is slow; the caller lost far more than that."""
    told = scene(slow("web", 0.3, 0.5), slow("rare", 0.1, 1.0))
    calls = (Calls(caller="web", callee="rare", per_request=0.01),)
    complaint = Complaint(service="web", kind=Kind.LATENCY)
    assert first(replace(told, calls=calls, complaint=complaint)) == "web"


@pytest.mark.parametrize("change", [{"incident": 0.0}, {"hidden": ()}, {"stray": 1.0}])
def test_beliefs_are_probabilities(change: dict[str, object]) -> None:
    """Certainty either way could never be corrected by what is seen."""
    with pytest.raises(ValueError, match="probability"):
        Settings(**change)  # type: ignore[arg-type]
