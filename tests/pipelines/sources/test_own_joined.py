"""Two sources as one: what fails in the one hides nothing of the other, and is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.errors import SourceError, StoreError
from detector.ports import MetricOutline
from detector.series import Query
from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.sources.own import OwnSource
from pipelines.sources.own_joined import joined
from pipelines.stores.own import SqlOwn
from pipelines.testing import FakeSource, Fault
from tests.pipelines.sources.history import SPAN_S, T0, Recorded
from tests.pipelines.sources.owned import owned, remembered_own

LINES = "serinus_log_lines_total"
TIMES = T0 + np.arange(0, SPAN_S, 15)
OURS = Recorded({"__name__": LINES, "pod": "a"}, TIMES, np.arange(TIMES.size, dtype=np.float64))


def other() -> MemorySource:
    """Where the requests are."""
    source = MemorySource()
    source.add({"__name__": "requests_total", "pod": "a"}, OURS.times, OURS.values)
    return source


def read(source: Source) -> list[tuple[int, tuple[str, ...]]]:
    """How many series each answer has, and its warnings."""
    queries = [Query(LINES), Query("requests_total"), Query("nothing")]
    answers = source.read(queries, T0, T0 + SPAN_S, timeout_s=5)
    return [(len(answer.series), tuple(answer.warnings)) for answer in answers]


def test_each_family_is_read_where_it_is(tmp_path: Path) -> None:
    """A verdict has both."""
    assert read(joined(other(), remembered_own(tmp_path, [OURS]))) == [(1, ()), (1, ()), (0, ())]


def test_our_own_counters_that_cannot_be_read_are_told_of_in_their_answers(tmp_path: Path) -> None:
    """The verdict goes on by what Prometheus has, and says what it lacks."""
    kept = owned(tmp_path, [OURS])
    is_down = False

    def own() -> SqlOwn:
        if is_down:
            raise StoreError("the disk is full")
        return kept

    source = joined(other(), OwnSource(own))
    assert read(source)[0] == (1, ())
    is_down = True
    answers = read(source)
    assert [count for count, _ in answers] == [0, 1, 0]
    assert "the disk is full" in answers[0][1][0]
    assert answers[1][1] == ()
    assert source.metrics(timeout_s=5) == {LINES, "requests_total"}


def test_a_stream_that_is_behind_is_told_of(tmp_path: Path) -> None:
    """What is not counted yet must not pass for no errors."""
    kept = owned(tmp_path, [OURS])
    source = joined(other(), OwnSource(lambda: kept, ailing=lambda: "90 s behind"))
    assert read(source) == [(1, ("90 s behind",)), (1, ()), (0, ())]


def test_a_source_that_is_down_is_an_error(tmp_path: Path) -> None:
    """A verdict on errors in logs alone is none on the release."""
    fake = FakeSource(other())
    fake.fault = Fault.DOWN
    with pytest.raises(SourceError):
        read(joined(fake, remembered_own(tmp_path, [OURS])))


class Plain:
    """A plug-in without outlines."""

    def __init__(self) -> None:
        memory = other()
        self.read, self.metrics, self.series = memory.read, memory.metrics, memory.series
        self.label_values = memory.label_values


def test_who_has_no_outline_has_none_joined(tmp_path: Path) -> None:
    """History is looked through in another way then."""
    source = joined(Plain(), remembered_own(tmp_path, [OURS]))
    assert not isinstance(source, MetricOutline)
    assert read(source)[1] == (1, ())
