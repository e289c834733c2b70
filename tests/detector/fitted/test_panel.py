"""Samples of series become rows of metrics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.fitted.panel import Column, Part, columns_of, panel_of, queries_of
from detector.series import Answer, Matcher, MatchOp, Query, Series
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit

STEP_S, FIRST, ROWS = 60.0, 1000, 5
REQUESTS = Query(metric="http_requests_total")
FAILED = Query(
    metric="http_requests_total", matchers=(Matcher(label="code", op=MatchOp.MATCHES, value="5.."),)
)
MEMORY = Query(metric="container_memory")
ASKED = Part(query=REQUESTS, counts=True)


def series(values: list[float], pod: str = "p1", *, skip: int = 0, metric: str = "m") -> Series:
    """A sample a step, from the row before the first on; `skip` steps later."""
    at = np.arange(len(values), dtype=np.float64) + FIRST - 1 + skip
    labels = {"__name__": metric, "pod": pod}
    return Series(labels=labels, times=STEP_S * at, values=np.array(values))


def rows(columns: list[Column], answers: dict[Query, list[Series]]) -> dict[str, list[float]]:
    """Each column by name."""
    told = {query: Answer(series=answers.get(query, [])) for query in queries_of(columns)}
    panel = panel_of(columns, told, first=FIRST, rows=ROWS, step_s=STEP_S)
    return {name: panel.x[:, at].tolist() for at, name in enumerate(panel.metrics)}


def test_counters_of_all_pods_are_added_up_as_rates() -> None:
    """A row is what the service did, not what one pod has counted since it started."""
    two = [series([0, 60, 120, 180, 240, 300]), series([600, 660, 720, 780, 840, 900], "p2")]
    made = rows([Column(name="requests", part=ASKED)], {REQUESTS: two})
    assert made == {"requests": [2.0] * 5}


def test_a_counter_that_begins_anew_counts_from_zero() -> None:
    """A restart is no negative rate and no gap."""
    made = rows(
        [Column(name="requests", part=ASKED)], {REQUESTS: [series([0, 60, 120, 30, 90, 150])]}
    )
    assert made["requests"] == [1.0, 1.0, 0.5, 1.0, 1.0]


def test_a_pod_that_comes_later_does_not_jump() -> None:
    """Its first sample is no increase of a thousand."""
    two = [series([0, 60, 120, 180, 240, 300]), series([5000, 5060, 5120], "p2", skip=3)]
    made = rows([Column(name="requests", part=ASKED)], {REQUESTS: two})
    assert made["requests"] == [1.0, 1.0, 1.0, 2.0, 2.0]


def test_no_error_series_is_no_errors_and_no_requests_is_unknown() -> None:
    """Zero of something is known; a share of nothing is not."""
    asked = [series([0, 60, 120, 120, 180, 240])]
    columns = [
        Column(name="requests", part=ASKED),
        Column(name="errors", part=Part(query=FAILED, counts=True), per=ASKED),
    ]
    made = rows(columns, {REQUESTS: asked})
    assert made["errors"][:2] == [0.0, 0.0]
    assert np.isnan(made["errors"][2])
    some = rows(columns, {REQUESTS: asked, FAILED: [series([0, 6, 12, 12, 18, 24])]})
    assert some["errors"][0] == pytest.approx(0.1)


def test_gauges_are_means_over_pods_of_the_service() -> None:
    """Containers of a neighbour in the namespace are not the service's memory."""
    columns = [
        Column(name="requests", part=ASKED),
        Column(name="memory", part=Part(query=MEMORY, counts=False, of_pods=True)),
    ]
    made = rows(
        columns,
        {
            REQUESTS: [series([0, 1, 2, 3, 4, 5]), series([0, 1, 2, 3, 4, 5], "p2")],
            MEMORY: [series([1.0] * 6), series([3.0] * 6, "p2"), series([99.0] * 6, "other")],
        },
    )
    assert made["memory"] == [2.0] * 5


def test_a_column_that_is_mostly_missing_is_left_out() -> None:
    """It would be as usual nearly always, and say nothing of the rest."""
    columns = [
        Column(name="requests", part=ASKED),
        Column(name="memory", part=Part(query=MEMORY, counts=False)),
    ]
    made = rows(columns, {REQUESTS: [series([0, 1, 2, 3, 4, 5])], MEMORY: [series([1.0], skip=3)]})
    assert list(made) == ["requests"]


def test_nothing_there_is_a_panel_without_columns() -> None:
    """Told as a sentence by whoever fits, not as a crash."""
    assert rows([Column(name="requests", part=ASKED)], {}) == {}


@given(counts=st.lists(st.integers(0, 1000), min_size=6, max_size=6))
def test_rates_are_never_negative(counts: list[int]) -> None:
    """Whatever a counter does."""
    made = rows([Column(name="r", part=ASKED)], {REQUESTS: [series([float(c) for c in counts])]})
    assert min(made["r"]) >= 0


def plan(*signals: BoundSignal) -> Plan:
    """A plan with these signals over one histogram."""
    return Plan(service="s", canary=(), control=(), requests=HISTOGRAM, signals=signals)


HISTOGRAM = Family(metric="http_seconds_bucket", shape=Shape.BUCKETS)


def bound(name: str, total: Family, **more: object) -> BoundSignal:
    """A signal of a plan."""
    signal = Signal(name=name, kind=Kind.GAUGE)
    made = BoundSignal(signal=signal, pack="p", unit=Unit.POD, total=total)
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_histogram_gives_its_count_and_its_mean_once() -> None:
    """Three signals of one histogram are one column: no metric is counted thrice."""
    made = columns_of(plan(bound("latency", HISTOGRAM), bound("tail95", HISTOGRAM)))
    assert [one.name for one in made] == ["requests", "latency_mean"]
    assert [query.metric for query in queries_of(made)] == [
        "http_seconds_count",
        "http_seconds_sum",
    ]


def test_errors_are_a_share_of_their_total() -> None:
    """Twice the errors at twice the traffic is nothing new."""
    counter = Family(metric="http_requests_total", shape=Shape.COUNTER)
    bad = FAILED.matchers
    made = columns_of(plan(bound("errors", counter, bad=bad)))
    assert made[1].part.query == FAILED
    assert made[1].per == replace(ASKED)


def test_start_times_are_no_metric() -> None:
    """They never move and then jump by days."""
    started = Family(metric="process_start_time_seconds", shape=Shape.START_TIME)
    assert [one.name for one in columns_of(plan(bound("restarts", started)))] == ["requests"]
