"""Selectors read from a source: each sample once, whatever fails in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.series import Query
from detector.stream.columns import SeriesKind
from pipelines.ingest.decoded import FullError, Refusal
from pipelines.ingest.pull import LONGEST_S, SETTLE_S, Pull
from pipelines.sources.open import open_source
from pipelines.sources.settings import SourceSettings
from pipelines.testing import FakeSource, Fault
from tests.pipelines.ingest.doorways import NOW_MS, Doorway
from tests.servers import make_blocks, running_prometheus

NOW = NOW_MS / 1000
START = NOW - 3_000


def filled() -> FakeSource:
    """A counter and a gauge of a pod, each fifteen seconds."""
    source = FakeSource()
    for name in ("requests_total", "load"):
        times = np.arange(START + 1, NOW, 15.0)
        source.store.add({"__name__": name, "pod": "a"}, times, times - START)
    return source


def pulling(source: FakeSource, doorway: Doorway, since: float = START) -> Pull:
    """Of both metrics."""
    selectors = [Query("requests_total"), Query("load")]
    return Pull(source, doorway.doors, selectors, since=since)


FAILURES = st.lists(st.sampled_from([None, "down", "full"]), max_size=12)


@given(st.lists(st.floats(1, 500), min_size=1, max_size=12), FAILURES)
def test_each_sample_comes_once_whatever_fails_in_between(
    pauses: list[float], failures: list[str | None]
) -> None:
    """A source that is down and a queue that is full make no gap and nothing double."""
    source, doorway = filled(), Doorway()
    pull, now = pulling(source, doorway), START
    for place, pause in enumerate(pauses):
        now = min(now + pause, NOW)
        failure = failures[place] if place < len(failures) else None
        doorway.sink.is_full = failure == "full"
        if failure == "down":
            source.script(Fault.DOWN)
        try:
            pull.step(now, timeout_s=1)
        except (SourceError, FullError):
            assert failure is not None
        source._script.clear()
    doorway.sink.is_full = False
    pull.step(NOW, timeout_s=1)
    wanted = np.arange(START + 1, NOW, 15.0)
    wanted = wanted[wanted <= NOW - SETTLE_S]
    for name in ("requests_total", "load"):
        assert [at for at, _ in doorway.sink.of(name)] == (1000 * wanted).tolist()


def test_nothing_is_read_that_may_still_be_written() -> None:
    """A sample that is in the store only after we looked would be lost for ever."""
    source, doorway = filled(), Doorway()
    pull = pulling(source, doorway, since=NOW - SETTLE_S)
    assert pull.step(NOW, timeout_s=1) is None
    assert source.reads == []


def test_a_long_pause_is_caught_up_with_in_parts() -> None:
    """One answer never holds a night."""
    source, doorway = filled(), Doorway()
    pull = pulling(source, doorway, since=NOW - 3 * LONGEST_S)
    for _ in range(3):
        pull.step(NOW, timeout_s=1)
    assert max(read.end - read.start for read in source.reads) <= LONGEST_S
    assert pull.since == NOW - SETTLE_S


def test_kinds_follow_names_and_the_limit_holds() -> None:
    """As by every other door."""
    doorway = Doorway(series=1)
    told = pulling(filled(), doorway).step(NOW, timeout_s=1)
    assert told is not None
    assert told.refused.counts == {Refusal.SERIES_LIMIT: 199}
    assert [info.kind for info in doorway.sink.series["default"]] == [SeriesKind.CUMULATIVE]


def test_answers_from_which_series_may_be_missing_are_counted() -> None:
    """They are taken, and somebody can see that they are doubtful."""
    source, doorway = filled(), Doorway()
    source.script(Fault.WARNINGS)
    pull = pulling(source, doorway)
    pull.step(NOW, timeout_s=1)
    assert pull.doubtful > 0


@pytest.mark.real
def test_a_real_prometheus_is_read(tmp_path: Path) -> None:
    """Its blocks hold a counter; each sample arrives with its labels, time and value."""
    lines = [f'requests_total{{pod="a"}} {n} {START + 15 * n:.3f}' for n in range(100)]
    text = "\n".join(["# TYPE requests counter", *lines, "# EOF", ""])
    make_blocks(text, tmp_path / "data")
    doorway = Doorway()
    with running_prometheus("prometheus3", tmp_path) as server:
        source = open_source(SourceSettings(kind="prometheus", url=server.url))
        pull = Pull(source, doorway.doors, [Query("requests_total")], since=START - 1)
        pull.step(NOW, timeout_s=10)
    told = doorway.sink.of("requests_total")
    assert told == [(round(1000 * (START + 15 * n)), float(n)) for n in range(100)]
