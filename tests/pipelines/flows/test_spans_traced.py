"""A service becomes slow: its anomaly is told with traces of that time, and kept with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from detector.spans.series import CALLS, FAILED, LATENCY
from detector.stream.anomaly import Anomaly, Happened, Happening
from detector.stream.record import AnomalyFilter
from detector.stream.traced import MOST, TraceWhy
from pipelines.flows.spans import SpanFlow
from pipelines.stores.anomalies import SqlAnomalies
from tests.detector.spans.writing import NOW_MS, Written, call_of, columns
from tests.pipelines.flows.logging import Clock, Life, opened

pytestmark = pytest.mark.slow

STEP_S = 15
# So long all is as it always is: more than the hour in which series are counted.
CALM = 75 * 60 // STEP_S


@dataclass(slots=True)
class Shop:
    """Sends the spans of a shop, step by step; a life may end in between."""

    folder: Path
    life: Life = field(init=False)
    heard: list[Happened] = field(default_factory=list)
    step: int = 0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def __post_init__(self) -> None:
        self.open(Clock(NOW_MS / 1000))

    def open(self, clock: Clock) -> None:
        """A process begins, whatever became of the one before."""
        self.life = opened(self.folder, clock)
        self.life.stream.watch = lambda _, one: self.heard.append(one)

    def send(self, steps: int, *, slow_ms: int = 0, failing: int = 0) -> None:
        """So many steps of a few dozen requests; the query is slower, or some of them fail."""
        for _ in range(steps):
            self.step += 1
            at = 1000 * STEP_S * self.step
            self.life.clock.now = (NOW_MS + at) / 1000
            calls = [
                one
                for nth in range(32)
                for one in self.call(at - 10 * nth, slow_ms, is_failed=nth < failing)
            ]
            assert SpanFlow(self.life.taking).put("default", columns(calls, taken=at))

    def call(self, start: int, slow_ms: int, *, is_failed: bool) -> Sequence[Written]:
        """A request with its query."""
        trace = int(self.random.integers(1, 2**60))
        query = int(self.random.lognormal(3.0, 0.3)) + slow_ms
        return call_of(trace, start=start, query_ms=query, failed=is_failed)

    def known(self, metric: str) -> list[Anomaly]:
        """Anomalies that are kept, of a metric of checkout."""
        assert self.life.stream.drain(120)
        page = SqlAnomalies(self.life.database).list(
            AnomalyFilter(tenant="default", service="checkout", metric=metric)
        )
        return [one.anomaly for one in page.anomalies]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process left of a shop that was calm for over an hour."""
    made = Shop(tmp_path_factory.mktemp("calm"))
    made.send(CALM)
    assert made.known(LATENCY) == made.known(FAILED) == made.known(CALLS) == []
    made.life.close()
    return made.folder


def after(calm: Path, folder: Path) -> Shop:
    """The shop goes on in a folder of its own."""
    copytree(calm, folder, dirs_exist_ok=True)
    made = Shop(folder, step=CALM)
    made.life.clock.now += STEP_S * CALM
    return made


@pytest.fixture
def shop(calm: Path, tmp_path: Path) -> Iterator[Shop]:
    """A shop that was calm, and what becomes of it now."""
    made = after(calm, tmp_path)
    yield made
    made.life.close()


def test_a_slow_query_is_seen_in_the_traces_of_its_anomaly(shop: Shop) -> None:
    """Who is woken reads where the time goes, beside a request of before."""
    shop.send(12, slow_ms=400)
    (found,) = shop.known(LATENCY)
    slow = [one for one in found.traces if one.why is TraceWhy.SLOWEST]
    (usual,) = [one for one in found.traces if one.why is TraceWhy.ORDINARY]
    assert len(slow) >= 3
    assert usual.duration_s < 0.2
    assert min(one.duration_s for one in slow) > 0.4
    assert {one.spent[0].operation for one in slow} == {"SELECT orders"}
    assert {one.operation for one in found.traces} == {"POST /orders"}
    assert usual.at < min(one.at for one in slow)
    assert found.start - 2_000 * STEP_S < min(one.at for one in slow)
    assert len(found.traces) <= MOST


def test_failed_requests_are_shown_where_errors_rose(shop: Shop) -> None:
    """And not those that only took long."""
    shop.send(12, failing=12)
    (found,) = shop.known(FAILED)
    failed = [one for one in found.traces if one.why is TraceWhy.FAILED]
    assert len(failed) >= 3
    assert found.traces[0].has_failed


def test_those_who_follow_hear_of_traces_at_once_and_when_they_are_whole(shop: Shop) -> None:
    """Once more at most, however long it lasts: nobody is to be told twice for each minute."""
    shop.send(40, slow_ms=400)
    shop.known(LATENCY)
    of_it = [one for one in shop.heard if one.anomaly.subject.metric == LATENCY]
    assert of_it[0].kind is Happening.OPENED
    assert of_it[0].anomaly.traces
    kinds = [one.kind for one in of_it]
    assert kinds.count(Happening.TRACED) <= 1 + kinds.count(Happening.GREW)
    last = of_it[-1].anomaly.traces
    assert all(one.spent for one in last)
    told = next(one for one in of_it if one.kind is Happening.TRACED)
    assert told.at == of_it[of_it.index(told) - 1].at


def test_whoever_dies_the_same_is_kept_and_told_once(calm: Path, tmp_path: Path) -> None:
    """A process that is killed while an anomaly lasts forgets neither it nor its traces."""
    whole, killed = after(calm, tmp_path / "whole"), after(calm, tmp_path / "killed")
    for nth in range(8):
        for one in (whole, killed):
            one.send(2, slow_ms=400)
            assert one.life.stream.drain(120)
        if nth % 3 == 2:
            killed.life.close()
        killed.open(killed.life.clock)
    (mine,), (theirs,) = whole.known(LATENCY), killed.known(LATENCY)
    assert mine.id == theirs.id
    assert mine.traces[:3] == theirs.traces[:3]
    assert [one.kind for one in whole.heard] == [one.kind for one in killed.heard]
    for one in (whole, killed):
        one.life.close()
