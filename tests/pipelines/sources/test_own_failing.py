"""Our own counters beside another source, when one of both or both fail, and when they are back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.errors import SourceError, StoreError
from detector.selector import parse_selector
from detector.series import Query
from pipelines.sources.memory import MemorySource
from pipelines.sources.own import OwnSource
from pipelines.sources.own_joined import JoinedSource, joined
from pipelines.stores.own import OwnSeries, SqlOwn, add_series
from pipelines.stores.sqlite import Database
from pipelines.testing import FakeSource, Fault
from tests.pipelines.sources.history import SPAN_S, T0
from tests.pipelines.sources.owned import owned
from tests.pipelines.sources.test_own_joined import LINES, OURS, other, read

QUERIES = [Query(LINES), Query("requests_total")]


class Both:
    """Two sources as one, either of which may fail."""

    def __init__(self, folder: Path) -> None:
        self._kept = owned(folder, [OURS])
        self.is_down = False
        self.theirs = FakeSource(other())
        self.source: JoinedSource = joined(self.theirs, OwnSource(self._own))

    def _own(self) -> SqlOwn:
        if self.is_down:
            raise StoreError("the disk is full")
        return self._kept


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.SLOW, Fault.REJECTED])
def test_their_failure_is_an_error_of_all_that_asks_them(both: Both, fault: Fault) -> None:
    """A verdict on half of the signals would pass for one on all."""
    both.theirs.fault = fault
    for ask in (
        lambda: both.source.read(QUERIES, T0, T0 + 60, timeout_s=5),
        lambda: both.source.metrics(timeout_s=5),
        lambda: both.source.series(QUERIES, T0, T0 + 60, timeout_s=5),
        lambda: both.source.label_values("pod", QUERIES, T0, T0 + 60, timeout_s=5),
        lambda: both.source.outline(QUERIES, T0, T0 + 60, step_s=15, timeout_s=5),  # type: ignore[attr-defined]
    ):
        with pytest.raises(SourceError):
            ask()


def test_what_is_asked_of_ours_alone_needs_nobody_else(both: Both) -> None:
    """Lines of logs are told while Prometheus is down."""
    both.source.metrics(timeout_s=5)
    both.theirs.fault = Fault.DOWN
    (answer,) = both.source.read(QUERIES[:1], T0, T0 + SPAN_S, timeout_s=5)
    assert len(answer.series) == 1
    assert both.source.label_values("pod", QUERIES[:1], T0, T0 + SPAN_S, timeout_s=5) == ["a"]
    assert len(both.source.series(QUERIES[:1], T0, T0 + SPAN_S, timeout_s=5)) == 1


def test_our_failure_costs_ours_only(both: Both) -> None:
    """All that people had before they sent logs goes on."""
    assert read(both.source)[0] == (1, ())
    both.is_down = True
    found = read(both.source)
    assert [count for count, _ in found] == [0, 1, 0]
    assert "our own counters cannot be read: the disk is full" in found[0][1][0]
    assert len(both.source.series(QUERIES, T0, T0 + SPAN_S, timeout_s=5)) == 1
    assert both.source.label_values("pod", QUERIES, T0, T0 + SPAN_S, timeout_s=5) == ["a"]
    outlined = both.source.outline(QUERIES, T0, T0 + 60, step_s=15, timeout_s=5)  # type: ignore[attr-defined]
    assert [len(answer.series) for answer in outlined] == [0, 1]
    assert outlined[0].warnings


def test_ours_that_were_never_read_are_told_of_all_the_same(both: Both) -> None:
    """After a start the stream opens later than the gate: no lines would pass for no errors."""
    both.is_down = True
    found = read(both.source)
    assert [count for count, _ in found] == [0, 1, 0]
    assert "our own counters cannot be read: the disk is full" in found[0][1][0]
    assert both.source.metrics(timeout_s=5) == {"requests_total"}
    both.is_down = False
    assert read(both.source)[0] == (1, ())


def test_both_that_fail_are_an_error(both: Both) -> None:
    """And once both are back, all is there."""
    both.is_down, both.theirs.fault = True, Fault.DOWN
    with pytest.raises(SourceError):
        read(both.source)
    both.is_down, both.theirs.fault = False, Fault.NONE
    assert [count for count, _ in read(both.source)] == [1, 1, 0]


def test_answers_are_in_the_order_of_the_questions(both: Both) -> None:
    """However ours and theirs lie between each other."""
    asked = [QUERIES[n] for n in (1, 0, 0, 1, 1, 0)]
    answers = both.source.read(asked, T0, T0 + SPAN_S, timeout_s=5)
    assert [answer.series[0].labels["__name__"] for answer in answers] == [q.metric for q in asked]


def own_of(folder: Path, *labels: dict[str, str], tenant: str = "default") -> OwnSource:
    """Counters without samples, each as old as its number of minutes."""
    database = Database(folder / "stream.db")
    with database.write() as transaction:
        for id, one in enumerate(labels):
            at = round(1000 * T0) + 60_000 * id
            pairs = (("__name__", LINES), *sorted(one.items()))
            kept = OwnSeries(id=id, owner=id, labels=pairs, born=at, seen=at)
            add_series(transaction, "local", tenant, kept)
    own = SqlOwn(database)
    return OwnSource(lambda: own)


@pytest.mark.parametrize(
    ("selector", "pods"),
    [
        ("{}", ["a", "b", "c"]), ('{pod="a"}', ["a"]), ('{pod!="a"}', ["b", "c"]),
        ('{pod=~"a|b"}', ["a", "b"]), ('{pod!~"a|b"}', ["c"]), ('{level="error"}', ["a"]),
        ('{level=""}', ["c"]), ('{level!="error",pod=~".+"}', ["b", "c"]), ('{pod=~"a."}', []),
    ],
)  # fmt: skip
def test_matchers_are_those_of_prometheus(tmp_path: Path, selector: str, pods: list[str]) -> None:
    """One policy reads both: a label that is not there is empty, expressions fit the whole."""
    source = own_of(
        tmp_path, {"pod": "a", "level": "error"}, {"pod": "b", "level": "info"}, {"pod": "c"}
    )
    query = Query(LINES, tuple(parse_selector(selector, field="x")))
    assert source.label_values("pod", [query], T0, T0 + 600) == pods


def test_counters_are_listed_while_they_live(tmp_path: Path) -> None:
    """Pods of last week are not offered for this week's rollout."""
    source = own_of(tmp_path, {"pod": "a"}, {"pod": "b"}, {"pod": "c"})
    found = [
        source.label_values("pod", [Query(LINES)], T0 + start, T0 + end)
        for start, end in ((-9, -1), (0, 0), (0, 60), (301, 999), (421, 999))
    ]
    assert found == [[], ["a"], ["a", "b"], ["b", "c"], []]


def test_another_tenants_counters_are_not_there(tmp_path: Path) -> None:
    """Neither their names nor their labels."""
    source = own_of(tmp_path, {"pod": "a"}, tenant="other")
    assert source.metrics() == frozenset()
    assert source.series([Query(LINES)], T0, T0 + 600) == ()


def test_an_outline_has_gaps_where_samples_are_too_old(tmp_path: Path) -> None:
    """Five minutes, as in Prometheus: then a pod is gone."""
    kept = owned(tmp_path, [OURS])
    source = OwnSource(lambda: kept)
    last = float(OURS.times[-1])
    (answer,) = source.outline([Query(LINES)], last - 60, last + 600, step_s=30)
    times = answer.series[0].times
    assert times[-1] - last < 300 <= times[-1] + 30 - last
    assert np.all(np.diff(times) == 30)
    assert isinstance(other(), MemorySource)
