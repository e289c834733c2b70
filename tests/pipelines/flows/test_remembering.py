"""Reading what a service did before: what survives an error, and who else is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from detector.errors import SourceError
from detector.selector import parse_selector
from detector.series import Answer, Matcher, MatchOp, Query
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit
from pipelines.flows.remembering import Bystanders, Remembering, slices_of
from pipelines.sources.memory import MemorySource

START, WEEK = 1_790_000_000.0, 604_800.0
REQUESTS = Family(metric="http_requests_total", shape=Shape.COUNTER)
PLAN = Plan(
    service="checkout",
    canary=parse_selector('service="checkout",pod=~"checkout-new-.+"', field="canary"),
    control=(parse_selector('service="checkout",pod=~"checkout-old-.+"', field="canary"),),
    requests=REQUESTS,
    signals=(
        BoundSignal(
            signal=Signal(name="error_rate", kind=Kind.RATIO),
            pack="test",
            unit=Unit.POD,
            total=REQUESTS,
            bad=(Matcher("code", MatchOp.MATCHES, "5.."),),
        ),
    ),
)


@dataclass
class Counted:
    """A source that counts its reads and breaks at one of them."""

    store: MemorySource
    breaks_at: int = -1
    reads: list[tuple[float, float]] = field(default_factory=list)

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """As the store, but for one."""
        self.reads.append((start, end))
        if len(self.reads) == self.breaks_at:
            raise SourceError("gone")
        return self.store.read(queries, start, end, timeout_s=timeout_s)

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Of the store."""
        return self.store.metrics(timeout_s=timeout_s)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Of the store."""
        return self.store.series(queries, start, end, timeout_s=timeout_s)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """Of the store."""
        return self.store.label_values(label, queries, start, end, timeout_s=timeout_s)


def filled(*services: str, jump: float = 0.0) -> MemorySource:
    """Ten requests a second of each for eight days, one in a hundred fails; then `jump` more."""
    store = MemorySource(retention_s=30 * 86_400.0)
    times = START - 8 * 86_400.0 + 30.0 * np.arange(8 * 2880 + 240)
    seconds = times - times[0]
    since = np.maximum(times - START, 0.0)
    for service in services:
        for code, values in (("200", 9.9 * seconds), ("500", 0.1 * seconds + jump * since)):
            labels = {"service": service, "pod": f"{service}-old-1", "code": code}
            store.add({"__name__": REQUESTS.metric, **labels}, times, np.floor(values))
    return store


def remembering() -> Remembering:
    """Of the plan, at the start."""
    return Remembering(plan=PLAN, start=START, scale=1.0, slices=slices_of(PLAN, 30.0, 1.0))


def left_s() -> float:
    """Time enough."""
    return 8.0


def test_the_same_hour_of_last_week_is_remembered_by_all_pods_of_the_service() -> None:
    """Old pods have other names than the control's of today."""
    memory = remembering().memory(Counted(filled("checkout", "cart")), left_s)
    (week,) = memory.weeks
    n, x = week.after.counts["error_rate"]
    assert week.moment.at == START - WEEK
    assert n == pytest.approx(18_000, rel=0.02)
    assert x / n == pytest.approx(0.01, rel=0.05)
    assert not week.changed


def test_an_error_half_way_costs_no_look_twice() -> None:
    """A slow Prometheus is asked on at the next poll, not anew."""
    source, reader = Counted(filled("checkout"), breaks_at=20), remembering()
    with pytest.raises(SourceError):
        reader.memory(source, left_s)
    memory = reader.memory(source, left_s)
    ends = [end for _, end in source.reads]
    assert len(memory.then) == 17
    assert len(ends) == len(set(ends)) + 1


def test_looks_are_thin() -> None:
    """Four slices of two minutes a moment, not four weeks of samples."""
    source = Counted(filled("checkout"))
    remembering().memory(source, left_s)
    assert len(source.reads) <= 4 * 17
    assert max(end - start for start, end in source.reads) <= 120.0


def looked(jump: float, *services: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whom the bystanders' look saw half an hour on, and who had moved."""
    source = Counted(filled("checkout", *services, jump=jump))
    seen = Bystanders(plan=PLAN, start=START, scale=1.0, interval=30.0).look(
        source, source, START + 1800.0, left_s
    )
    return seen.services, seen.moved


def test_other_services_are_looked_at_and_not_the_own() -> None:
    """The release's own errors are no incident elsewhere."""
    services, moved = looked(0.0, "cart", "search")
    assert set(services) == {"cart", "search"}
    assert moved == ()


def test_services_that_fail_more_have_moved() -> None:
    """One more error a second since the start."""
    assert set(looked(1.0, "cart")[1]) == {"cart"}


def test_a_cluster_of_one_service_has_no_witness() -> None:
    """Nobody is there to ask."""
    assert looked(0.0) == ((), ())
