"""A full queue, a full disk and kill -9 under a real Prometheus: it has no sample that we lack."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from api.streaming import DATABASE
from detector.series import Query
from detector.stream.columns import is_stale
from pipelines.ingest.protocol import Door, Packing
from pipelines.sources.open import open_source
from pipelines.sources.settings import SourceSettings
from tests.api.relay import UNREACHED, Relay, relaying
from tests.api.test_push_real import exposed, writing
from tests.pipelines.ingest.doorways import Doorway
from tests.servers import free_port, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0
ROOM = 100
NAMES = ("up", "shop_requests_total", "shop_seconds_bucket", "scrape_samples_scraped")
Sample = tuple[tuple[tuple[str, str], ...], int, float]


class Life:
    """`serinus serve` with a small queue on one data directory and port, life after life."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        words = [str(self.data), str(self.port), str(ROOM)]
        return subprocess.Popen([sys.executable, "-m", "tests.api.streaming", *words], cwd=ROOT)

    def ready(self) -> Life:
        """Once its stream is open."""
        until(self._is_ready, "it is ready")
        return self

    def _is_ready(self) -> bool:
        try:
            told = httpx2.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).json()
        except (httpx2.TransportError, ValueError):
            return False
        return bool(told["stream"] == "judges what comes in")

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(10)

    def again(self) -> None:
        """The next life."""
        self.process = self._start()
        self.ready()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else holds its database, so that nothing is judged and the queue fills."""
        other = sqlite3.connect(self.data / DATABASE, isolation_level=None, timeout=60)
        other.execute("begin immediate")
        try:
            yield
        finally:
            other.close()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file of it grows any more."""
        kind, endless = resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self.process.pid, kind, (1, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            resource.prlimit(self.process.pid, kind, endless)


@contextmanager
def living(data: Path) -> Iterator[Life]:
    """A process that is gone at the end."""
    life = Life(data)
    try:
        yield life.ready()
    finally:
        life.kill()


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for what other processes do."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.05)


def refused(relay: Relay, status: int, first: int) -> None:
    """Wait until a status was told three times since the place of a body."""
    until(lambda: relay.statuses(first).count(status) >= 3, f"three times {status}")


def caught_up(relay: Relay) -> None:
    """Wait until five bodies in a row are taken."""
    first = len(relay.passed)
    until(lambda: relay.statuses(first)[-5:] == [204] * 5, f"all is taken after {first} bodies")


def has(url: str, end: float) -> set[Sample]:
    """All that Prometheus has of some metrics up to a time."""
    source = open_source(SourceSettings(kind="prometheus", url=url))
    answers = source.read([Query(name) for name in NAMES], end - 900, end, timeout_s=20)
    return {
        (tuple(sorted(series.labels.items())), round(1000 * at), value)
        for answer in answers
        for series in answer.series
        for at, value in zip(series.times.tolist(), series.values.tolist(), strict=True)
    }


def acknowledged(relay: Relay) -> set[Sample]:
    """All that was told to be taken; markers are no samples to whoever asks Prometheus."""
    door = Doorway(behind_s=10**9, ahead_s=10**9)
    for one in relay.taken():
        told = door.take(Door.REMOTE_WRITE, one.body, Packing.SNAPPY)
        assert not told.refused.total
    samples = door.sink.samples()
    import numpy as np

    stale = is_stale(np.array([value for _, _, value in samples]))
    return {
        (tuple(sorted(info.labels)), at, value)
        for (info, at, value), is_end in zip(samples, stale.tolist(), strict=True)
        if info.name in NAMES and not is_end
    }


@pytest.mark.parametrize(
    ("binary", "more"),
    # Two of the four pairs: each server and each setting stands in the way once.
    [("prometheus2", ", retry_on_http_429: true"), ("prometheus3", "")],
    ids=["prometheus2-told-to-retry", "prometheus3-as-it-is"],
)
def test_each_sample_of_prometheus_is_taken_whatever_stands_in_the_way(
    binary: str, more: str, tmp_path: Path
) -> None:
    """A queue that is full, a disk that is full, a process that dies: afterwards nothing lacks."""
    (tmp_path / "data").mkdir()
    with ExitStack() as stack:
        life = stack.enter_context(living(tmp_path / "data"))
        relay = stack.enter_context(relaying(life.port))
        target, _ = stack.enter_context(exposed())
        config = writing(relay.url, target, more=f", max_backoff: 1s{more}")
        server = stack.enter_context(running_prometheus(binary, tmp_path / "p", config=config))
        caught_up(relay)
        for standing, status in ((life.locked, 503), (life.full_disk, 503)):
            first = len(relay.passed)
            with standing():
                refused(relay, status, first)
            caught_up(relay)
        life.kill()
        refused(relay, UNREACHED, len(relay.passed))
        life.again()
        caught_up(relay)
        end = time.time()
        caught_up(relay)
        time.sleep(2)
        caught_up(relay)
        wanted, taken = has(server.url, end), acknowledged(relay)
    assert len({at for _, at, _ in wanted}) > 10
    assert wanted - taken == set()
    assert {one for one in taken if one[1] <= 1000 * end} - wanted == set()
