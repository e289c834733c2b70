"""The scraper of the demo against real sockets: good targets, bad targets, targets that go."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pipelines.sources.memory import MemorySource
from pipelines.sources.scrape import Scraper, Target
from pipelines.testing import FaultServer, Misbehaviour
from tests.pipelines.sources.history import query

PAGE = b'# TYPE a counter\na{code="200"} 1\na{code="500",pod="theirs"} 2\n'


class Clock:
    """Moves a second at each look."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            self.now += 1.0
            return self.now


@pytest.fixture
def store() -> MemorySource:
    return MemorySource()


@pytest.fixture
def scraper(fault_server: FaultServer, store: MemorySource) -> Iterator[Scraper]:
    fault_server.behave(PAGE)
    target = Target(url=f"{fault_server.url}/metrics", labels={"job": "shop", "pod": "p-1"})
    opened = Scraper([target], 1.0, store, timeout_s=0.5, clock=Clock())
    yield opened
    opened.stop()


def last(store: MemorySource, metric: str) -> dict[tuple[str, ...], float]:
    """Newest value by the values of code, pod and exported_pod."""
    (answer,) = store.read([query(metric)], 0, 1e12)
    return {
        tuple(s.labels.get(name, "") for name in ("code", "pod", "exported_pod")): float(
            s.values[-1]
        )
        for s in answer.series
    }


def test_samples_carry_the_target(scraper: Scraper, store: MemorySource) -> None:
    """The target's labels win; what the page said of itself is kept aside, as in Prometheus."""
    scraper.scrape_once()
    assert last(store, "a") == {("200", "p-1", ""): 1.0, ("500", "p-1", "theirs"): 2.0}
    assert last(store, "up") == {("", "p-1", ""): 1.0}
    (labels,) = store.series([query("up")], 0, 1e12)
    assert labels["job"] == "shop"
    assert labels["instance"] == scraper.targets[0].url.split("/")[2]


def test_one_scrape_has_one_time(scraper: Scraper, store: MemorySource) -> None:
    """All series of a target are seen at the same moment."""
    scraper.scrape_once()
    answers = store.read([query("a"), query("up")], 0, 1e12)
    assert {float(series.times[0]) for answer in answers for series in answer.series} == {1001.0}


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (Misbehaviour.UNAVAILABLE, "status 503"),
        (Misbehaviour.HTML, "not a sample"),
        (Misbehaviour.HALF_BODY, "incomplete|peer closed"),
        (Misbehaviour.BLACK_HOLE, "within 0.5 s"),
        (Misbehaviour.DRIP, "within 0.5 s"),
        (Misbehaviour.HEADER_DRIP, "within 0.5 s"),
        (Misbehaviour.HUGE, "over 16 MB"),
        (Misbehaviour.HANG_UP, ""),
    ],
)
def test_bad_target_is_down_and_says_why(
    scraper: Scraper, store: MemorySource, fault_server: FaultServer, does: Misbehaviour, why: str
) -> None:
    """`up` is 0, the counters stop, and nothing hangs."""
    scraper.scrape_once()
    fault_server.behave(does)
    scraper.scrape_once()
    assert last(store, "up") == {("", "p-1", ""): 0.0}
    (answer,) = store.read([query("a")], 0, 1e12)
    assert [series.values.size for series in answer.series] == [1, 1]
    (failure,) = scraper.failures.values()
    assert any(word in failure for word in why.split("|"))


def test_target_comes_back(
    scraper: Scraper, store: MemorySource, fault_server: FaultServer
) -> None:
    """A pod that was restarted is up again."""
    fault_server.behave(Misbehaviour.HANG_UP, PAGE)
    scraper.scrape_once()
    scraper.scrape_once()
    assert last(store, "up") == {("", "p-1", ""): 1.0}
    assert scraper.failures == {}


def test_targets_come_and_go(
    scraper: Scraper, store: MemorySource, fault_server: FaultServer
) -> None:
    """A rollout adds pods; the scraper follows without a restart."""
    scraper.scrape_once()
    url = scraper.targets[0].url
    scraper.targets = tuple(Target(url=url, labels={"pod": name}) for name in ("p-2", "p-3"))
    scraper.scrape_once()
    assert {pod for _, pod, _ in last(store, "up")} == {"p-1", "p-2", "p-3"}
    assert len(scraper._labels) == 2


def test_thread_scrapes_until_it_is_stopped(fault_server: FaultServer, store: MemorySource) -> None:
    """The demo's own rhythm, in real time."""
    arrived = threading.Event()

    class Watching(MemorySource):
        def extend(self, samples: object) -> None:
            super().extend(samples)  # type: ignore[arg-type]
            if len(samples_of(self)) >= 3:
                arrived.set()

    watching = Watching()
    fault_server.behave(PAGE)
    with Scraper([Target(url=fault_server.url)], 0.05, watching, timeout_s=1.0):
        assert arrived.wait(10)
    seen = len(fault_server.requests)
    assert len(samples_of(watching)) == seen


def samples_of(store: MemorySource) -> list[float]:
    (answer,) = store.read([query("up")], 0, 1e12)
    return [at for series in answer.series for at in series.times.tolist()]
