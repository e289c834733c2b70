"""Where an attempt begins: at the canary's first sample, found with few and short reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from pipelines.flows.locate import Located, Locator
from pipelines.testing import FakeSource
from tests.pipelines.flows.scripted import REQUESTS, T0, ask, discover
from tests.profiles import HEAVY

HOUR, DAY = 3600.0, 86_400.0
EVERY = 15.0


@dataclass(slots=True)
class Cluster:
    """Two stable pods for two days until T0, and canaries beside them."""

    source: FakeSource = field(default_factory=FakeSource)

    def __post_init__(self) -> None:
        for name in ("s-1", "s-2"):
            self.pod(name, "stable", born=T0 - 2 * DAY, every=60.0)

    def pod(
        self, name: str, track: str, *, born: float, until: float = T0, every: float = EVERY
    ) -> None:
        times = np.arange(born, until + 1, every, dtype=np.float64)
        labels = {"service": "checkout", "pod": name, "track": track, "code": "200"}
        self.source.store.add({"__name__": REQUESTS.metric, **labels}, times, times - born)

    def locate(self, *, scale: float = 1.0, not_before: float = 0.0, **asked: object) -> Located:
        locator = Locator(source=self.source, catalog=self.source, discover=discover)
        request = ask(**asked)
        return locator.locate(request, scale, now=T0, not_before=not_before, left_s=lambda: 10.0)


@HEAVY
@given(st.floats(0.0, 0.99 * DAY).map(lambda ago: T0 - 15.0 * round(ago / 15.0)))
def test_the_first_sample_is_found_up_to_a_day_back(born: float) -> None:
    """Whoever asks late still has the whole attempt judged, from its first request on."""
    cluster = Cluster()
    cluster.pod("c-1", "canary", born=born)
    found = cluster.locate()
    assert found.start == born
    assert found.interval is not None


def test_a_day_is_not_read_whole() -> None:
    """The Prometheus of somebody else is asked for thin slices, an hour at most at once."""
    cluster = Cluster()
    cluster.pod("c-1", "canary", born=T0 - 20 * HOUR)
    assert cluster.locate().start == T0 - 20 * HOUR
    spans = [read.end - read.start for read in cluster.source.reads]
    assert max(spans) <= HOUR
    assert sum(spans) < 4 * HOUR
    assert len(spans) < 20


def test_the_present_run_counts() -> None:
    """A canary of this morning that is long gone is another attempt."""
    cluster = Cluster()
    cluster.pod("c-0", "canary", born=T0 - 9 * HOUR, until=T0 - 7 * HOUR)
    cluster.pod("c-1", "canary", born=T0 - 600)
    assert cluster.locate().start == T0 - 600


def test_what_came_before_is_not_looked_at() -> None:
    """After a fail the next attempt begins behind it, though its pods wear the same labels."""
    cluster = Cluster()
    cluster.pod("c-1", "canary", born=T0 - 2 * HOUR)
    assert cluster.locate().start == T0 - 2 * HOUR
    for ago in (300.0, HOUR):
        after = cluster.locate(not_before=T0 - ago).start
        assert after == pytest.approx(T0 - ago, abs=EVERY)


def test_without_a_canary_there_is_a_plan_and_no_start() -> None:
    """Nothing is judged, and what is missing can be said."""
    found = Cluster().locate()
    assert (found.start, found.interval) == (None, None)
    assert found.plan.service == "checkout"


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@pytest.mark.parametrize("ago", [60.0, 600.0, 5 * HOUR])
def test_a_told_start_is_taken(ago: float) -> None:
    """A controller knows when it began; pods may have been there before."""
    cluster = Cluster()
    cluster.pod("c-1", "canary", born=T0 - 10 * HOUR)
    assert cluster.locate(started_at=moment(T0 - ago)).start == T0 - ago


def test_a_told_start_without_a_canary_waits() -> None:
    """An announced rollout whose pods do not report yet has not begun."""
    assert Cluster().locate(started_at=moment(T0 - 300)).start is None


def test_a_told_start_of_a_canary_that_ended_stands() -> None:
    """Asked hours after its end, the attempt that was is judged, not called absent."""
    cluster = Cluster()
    cluster.pod("c-1", "canary", born=T0 - 5 * HOUR, until=T0 - 4 * HOUR)
    assert cluster.locate(started_at=moment(T0 - 5 * HOUR)).start == T0 - 5 * HOUR


def test_a_start_in_the_future_is_now() -> None:
    """Clocks differ; a verdict never waits for a moment that a wrong clock told."""
    cluster = Cluster()
    cluster.pod("c-1", "canary", born=T0 - 300)
    assert cluster.locate(started_at=moment(T0 + 900)).start == T0


@pytest.mark.parametrize("every", [5.0, 15.0, 30.0])
def test_the_scrape_interval_is_seen(every: float) -> None:
    """Bins fit the scrapes that are there, whatever a configuration says."""
    cluster = Cluster(source=FakeSource())
    for name in ("c-1", "c-2", "c-3"):
        cluster.pod(name, "canary", born=T0 - 600, every=every)
    assert cluster.locate().interval == every


def test_time_that_is_up_ends_the_search() -> None:
    """No read is sent after the question's time; the caller hears why."""
    cluster = Cluster()
    cluster.pod("c-1", "canary", born=T0 - 20 * HOUR)
    left = iter([5.0, 5.0, 5.0])

    def left_s() -> float:
        seconds = next(left, None)
        if seconds is None:
            raise SourceError("no time left")
        return seconds

    locator = Locator(source=cluster.source, catalog=cluster.source, discover=discover)
    with pytest.raises(SourceError, match="no time left"):
        locator.locate(ask(), 1.0, now=T0, not_before=0.0, left_s=left_s)
    assert len(cluster.source.reads) == 2
