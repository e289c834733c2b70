"""What every source promises, on each one that we ship: memory, the fake, Prometheus 2 and 3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.ports import MetricOutline
from detector.series import Answer, FloatArray, Query
from pipelines.sources.open import Source
from tests.pipelines.sources.history import (
    HISTORY,
    NAMES,
    ODD_VALUE,
    SPAN_S,
    T0,
    expected,
    query,
)

END = T0 + SPAN_S
TIMEOUT_S = 20.0

# Bounds on samples, between them, and a millisecond beside them.
edges = st.one_of(
    st.integers(0, 240).map(lambda step: T0 + 15.0 * step),
    st.integers(-60_000, 3_660_000).map(lambda ms: T0 + ms / 1000),
    st.floats(T0 - 60, END + 60, allow_nan=False),
)


def read(source: Source, *queries: Query, start: float = T0 - 1, end: float = END) -> list[Answer]:
    return list(source.read(queries, start, end, timeout_s=TIMEOUT_S))


def by_labels(answer: Answer) -> dict[frozenset[tuple[str, str]], FloatArray]:
    return {
        frozenset(series.labels.items()): np.stack([series.times, series.values])
        for series in answer.series
    }


def pods(answer: Answer) -> list[str]:
    return sorted(series.labels["pod"] for series in answer.series)


@pytest.mark.parametrize("metric", NAMES)
def test_whole_history_comes_back_to_the_bit(source: Source, metric: str) -> None:
    """Gaps, resets, jitter, NaN and infinities are evidence: none may be smoothed away."""
    (answer,) = read(source, query(metric))
    found, wanted = by_labels(answer), expected(metric, T0 - 1, END)
    assert found.keys() == wanted.keys()
    for labels, samples in wanted.items():
        np.testing.assert_array_equal(found[labels], samples)
    assert answer.warnings == ()


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(one=edges, other=edges, metric=st.sampled_from(NAMES))
def test_span_is_open_on_the_left_and_closed_on_the_right(
    source: Source, one: float, other: float, metric: str
) -> None:
    """Polls that adjoin count each sample once, on Prometheus 2 (closed) and 3 (left-open)."""
    start, end = min(one, other), max(one, other)
    (answer,) = read(source, query(metric), start=start, end=end)
    found, wanted = by_labels(answer), expected(metric, start, end)
    assert found.keys() == wanted.keys()
    for labels, samples in wanted.items():
        np.testing.assert_array_equal(found[labels], samples)


@pytest.mark.parametrize("metric", NAMES)
def test_an_outline_has_the_newest_sample_at_each_step(source: Source, metric: str) -> None:
    """Weeks are looked through by it: a wrong step would move a rollout by an hour."""
    step = 60.0
    assert isinstance(source, MetricOutline)
    (answer,) = source.outline([query(metric)], T0, END, step_s=step, timeout_s=TIMEOUT_S)
    wanted = expected(metric, T0 - 600, END)
    found = by_labels(answer)
    assert found.keys() == wanted.keys()
    for labels, (times, values) in found.items():
        whole = wanted[labels]
        at = np.searchsorted(whole[0], times, side="right") - 1
        assert set(times % step) == {0.0}
        assert ((times > T0) & (times <= END)).all()
        np.testing.assert_array_equal(values, whole[1][at])
        assert (times - whole[0][at]).max() <= 300


def test_an_outline_is_silent_where_nothing_is_young_enough(source: Source) -> None:
    """A pod that is gone is not there for ever."""
    assert isinstance(source, MetricOutline)
    later = END + 400
    (answer,) = source.outline(
        [query(NAMES[0])], later, later + 600, step_s=60.0, timeout_s=TIMEOUT_S
    )
    assert not answer.series or not any(series.times.size for series in answer.series)


def test_nan_and_infinities_are_kept(source: Source) -> None:
    """A gauge that says NaN said something."""
    (answer,) = read(source, query("shop_odd"))
    values = answer.series[0].values
    assert np.isnan(values[0])
    assert values[1:3].tolist() == [np.inf, -np.inf]


def test_replicas_come_as_separate_series(source: Source) -> None:
    """Which replica to believe is the domain's decision, not the source's."""
    (answer,) = read(source, query("shop_ha_total"))
    assert sorted(series.labels["replica"] for series in answer.series) == ["1", "2"]


def test_answers_come_in_the_order_of_queries(source: Source) -> None:
    """Answers are told apart by position only, so repeated queries count too."""
    names = ["shop_odd", "shop_ha_total", "shop_odd", "no_such_metric", "shop_labels"]
    answers = read(source, *map(query, names))
    found = [answer.series[0].labels["__name__"] if answer.series else None for answer in answers]
    assert found == ["shop_odd", "shop_ha_total", "shop_odd", None, "shop_labels"]


@pytest.mark.parametrize(
    ("matcher", "wanted"),
    [
        pytest.param(("pod", "=", "a-1"), ["a-1", "a-1"], id="equal"),
        pytest.param(("pod", "!=", "a-1"), ["b-2", "late"], id="not equal"),
        pytest.param(("pod", "=~", "a-.+|late"), ["a-1", "a-1", "late"], id="matches"),
        pytest.param(("pod", "!~", ".*-[12]"), ["late"], id="not matches"),
        pytest.param(("pod", "=~", "a"), [], id="anchored"),
        pytest.param(("version", "=", ""), ["a-1", "a-1", "b-2", "late"], id="absent is empty"),
        pytest.param(("pod", "=", 'a-1"} or up{x="'), [], id="injection"),
    ],
)
def test_matchers_select_as_in_promql(
    source: Source, matcher: tuple[str, str, str], wanted: list[str]
) -> None:
    """The arms of a rollout are chosen by these."""
    (answer,) = read(source, query("shop_requests_total", matcher))
    assert pods(answer) == wanted


def test_odd_label_values_survive_both_ways(source: Source) -> None:
    """Quotes, backslashes, braces and line breaks in a label neither break nor widen a query."""
    (answer,) = read(source, query("shop_labels", ("odd", "=", ODD_VALUE)))
    assert [series.labels["odd"] for series in answer.series] == [ODD_VALUE]


def test_arrays_are_float64_and_ascend(source: Source) -> None:
    """The engine relies on it without looking again."""
    for answer in read(source, *map(query, NAMES)):
        for series in answer.series:
            assert series.times.dtype == series.values.dtype == np.float64
            assert series.times.shape == series.values.shape
            assert (np.diff(series.times) > 0).all()


@pytest.mark.parametrize("length_s", [0.0, -30.0])
def test_empty_span_holds_nothing(source: Source, length_s: float) -> None:
    """Time that goes backwards is not an error and not evidence."""
    answers = read(source, query("shop_odd"), start=T0 + 60, end=T0 + 60 + length_s)
    assert answers == [Answer(series=())]


def test_no_queries_no_answers(source: Source) -> None:
    """A plan without signals costs nothing."""
    assert read(source) == []


def test_series_without_samples_in_the_span_are_left_out(source: Source) -> None:
    """A pod that is born later does not exist yet."""
    (answer,) = read(source, query("shop_requests_total"), end=T0 + 1799)
    assert pods(answer) == ["a-1", "a-1", "b-2"]


def test_many_readers_at_once_get_what_one_gets(source: Source) -> None:
    """Several rollouts are judged at the same time."""
    with ThreadPoolExecutor(8) as readers:
        rounds = list(readers.map(lambda _: read(source, *map(query, NAMES)), range(16)))
    sizes = {tuple(sum(s.times.size for s in a.series) for a in answers) for answers in rounds}
    assert len(sizes) == 1


def test_catalog_names_every_metric(source: Source) -> None:
    """Discovery starts from the names."""
    assert source.metrics(timeout_s=TIMEOUT_S) >= set(NAMES)


def test_catalog_tells_label_sets_with_names(source: Source) -> None:
    """Binding a signal needs to see every label."""
    queries = [query("shop_ha_total"), query("shop_labels", ("plain", "=", "x"))]
    found = source.series(queries, T0, END, timeout_s=TIMEOUT_S)
    names = {"shop_ha_total", "shop_labels"}
    wanted = [series.labels for series in HISTORY if series.labels["__name__"] in names]
    assert sorted(map(sorted, (dict(s).items() for s in found))) == sorted(
        sorted(labels.items()) for labels in wanted
    )


def test_catalog_of_overlapping_queries_has_no_doubles(source: Source) -> None:
    """A series is one series, however many selectors find it."""
    queries = [query("shop_ha_total"), query("shop_ha_total", ("replica", "=", "1"))]
    assert len(source.series(queries, T0, END, timeout_s=TIMEOUT_S)) == 2


def test_catalog_tells_values_of_one_label(source: Source) -> None:
    """The nearest names in a message come from here."""
    values = source.label_values(
        "pod", [query("shop_requests_total")], T0, END, timeout_s=TIMEOUT_S
    )
    assert list(values) == ["a-1", "b-2", "late"]


def test_catalog_without_queries_is_empty(source: Source) -> None:
    """Nothing asked is nothing found, not everything."""
    assert list(source.series([], T0, END, timeout_s=TIMEOUT_S)) == []
    assert list(source.label_values("pod", [], T0, END, timeout_s=TIMEOUT_S)) == []


def test_label_that_does_not_exist_has_no_values(source: Source) -> None:
    """Asking for a label that is not there is an answer too."""
    values = source.label_values("nope", [query("shop_odd")], T0, END, timeout_s=TIMEOUT_S)
    assert list(values) == []
