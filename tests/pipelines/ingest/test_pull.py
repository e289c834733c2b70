"""Selectors read from a source: each sample once, whatever fails in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.stream.columns import SeriesKind
from pipelines.ingest.decoded import FullError, Refusal
from pipelines.ingest.pull import LONGEST_S, SETTLE_S, SHORTEST_S, Pull
from pipelines.ingest.selectors import selector_of
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
    """Of both metrics, by a process whose sink has all up to a time."""
    doorway.sink.reads.setdefault("default", round(1000 * since))
    selectors = [selector_of("requests_total"), selector_of('{__name__="load",pod!=""}')]
    return Pull(source, source, doorway.doors, selectors)


FAILURES = st.lists(st.sampled_from([None, "down", "full", "death"]), max_size=12)


@given(st.lists(st.floats(1, 500), min_size=1, max_size=12), FAILURES)
def test_each_sample_comes_once_whatever_fails_in_between(
    pauses: list[float], failures: list[str | None]
) -> None:
    """A source that is down, a full queue and a process that dies: no gap, and nothing double."""
    source, doorway = filled(), Doorway()
    pull, now = pulling(source, doorway), START
    for place, pause in enumerate(pauses):
        now = min(now + pause, NOW)
        failure = failures[place] if place < len(failures) else None
        doorway.sink.is_full = failure == "full"
        if failure == "death":
            pull = pulling(source, doorway)
        if failure == "down":
            source.script(Fault.DOWN)
        try:
            pull.step(now, timeout_s=1)
        except (SourceError, FullError):
            assert failure in {"down", "full"}
        source._script.clear()
    doorway.sink.is_full = False
    while pull.step(NOW, timeout_s=1) is not None:
        pass
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


def test_a_stretch_that_is_too_much_is_read_in_shorter_ones() -> None:
    """A source that answers in time for a minute alone would never be caught up with."""
    source, doorway = filled(), Doorway()
    pull = pulling(source, doorway, since=NOW - 3 * LONGEST_S)
    for _ in range(6):
        source.script(Fault.DOWN)
        with pytest.raises(SourceError):
            pull.step(NOW, timeout_s=1)
    pull.step(NOW, timeout_s=1)
    assert [read.end - read.start for read in source.reads][-1] == SHORTEST_S
    pull.step(NOW, timeout_s=1)
    assert [read.end - read.start for read in source.reads][-1] == 2 * SHORTEST_S


def test_the_very_first_reading_goes_back_as_far_as_is_asked() -> None:
    """Baselines begin with an hour of the past, not with the next scrape."""
    source, doorway = filled(), Doorway()
    pull = Pull(source, source, doorway.doors, [selector_of("load")], first_s=600)
    pull.step(NOW, timeout_s=1)
    assert [(read.start, read.end) for read in source.reads] == [
        (NOW - SETTLE_S - 600, NOW - SETTLE_S)
    ]


def test_what_is_older_than_the_doors_take_is_passed_over() -> None:
    """After a month away nothing is asked for that would be refused."""
    source, doorway = filled(), Doorway(behind_s=1_000)
    pulling(source, doorway, since=NOW - 30 * 86_400).step(NOW, timeout_s=1)
    assert source.reads[0].start == NOW - 1_000


def test_a_metric_that_is_new_has_no_gap_at_its_beginning() -> None:
    """Where a selector leaves the name open, its first samples are read with all others."""
    source, doorway = filled(), Doorway()
    pull = Pull(source, source, doorway.doors, [selector_of('{pod="a"}')], first_s=600)
    pull.step(NOW - 60, timeout_s=1)
    times = np.arange(NOW - 70, NOW, 5.0)
    source.store.add({"__name__": "born_late", "pod": "a"}, times, times)
    pull.step(NOW, timeout_s=1)
    wanted = [at for at in times.tolist() if NOW - 60 - SETTLE_S < at <= NOW - SETTLE_S]
    assert [at for at, _ in doorway.sink.of("born_late")] == [round(1000 * at) for at in wanted]


def test_a_series_that_two_selectors_select_is_taken_once() -> None:
    """Its second copy would be counted as odd input."""
    source, doorway = filled(), Doorway()
    selectors = [selector_of("load"), selector_of('{pod="a"}'), selector_of('load{pod=~"a|b"}')]
    Pull(source, source, doorway.doors, selectors, first_s=600).step(NOW, timeout_s=1)
    times = [at for at, _ in doorway.sink.of("load")]
    assert times == sorted(set(times))
    assert len(times) == len(doorway.sink.of("requests_total")) == 40


def test_kinds_follow_names_and_the_limit_holds() -> None:
    """As by every other door."""
    doorway = Doorway(series=1)
    told = pulling(filled(), doorway).step(NOW, timeout_s=1)
    assert told is not None
    assert told.refused.counts == {Refusal.SERIES_LIMIT: 60}
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
        doorway.sink.reads["default"] = round(1000 * START) - 1
        pull = Pull(source, source, doorway.doors, [selector_of('{__name__=~"requests.+"}')])
        while pull.step(NOW, timeout_s=10) is not None:
            pass
    told = doorway.sink.of("requests_total")
    assert told == [(round(1000 * (START + 15 * n)), float(n)) for n in range(100)]
