"""VictoriaMetrics speaks the API of Prometheus, and keeps samples in a way of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.series import FloatArray
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import Budget, SourceSettings
from pipelines.testing import FaultServer
from tests.pipelines.sources import test_contract as contract
from tests.pipelines.sources.history import (
    HISTORY,
    NAMES,
    SPAN_S,
    T0,
    Recorded,
    expected,
    exposition,
    query,
)
from tests.servers import (
    RunningPrometheus,
    fill_victoriametrics,
    running_victoriametrics,
    scrape_config,
)

pytestmark = pytest.mark.real

END = T0 + SPAN_S
TIMEOUT_S = 20.0
EXACT = tuple(name for name in NAMES if name != "shop_odd")


def opened(server: RunningPrometheus, **budget: float) -> PrometheusSource:
    return PrometheusSource(SourceSettings(url=server.url, budget=Budget(**budget)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPrometheus]:
    """One that holds the history."""
    with running_victoriametrics(tmp_path_factory.mktemp("victoriametrics")) as started:
        fill_victoriametrics(started, exposition())
        yield started


@pytest.fixture(scope="module")
def source(server: RunningPrometheus) -> Iterator[PrometheusSource]:
    """The source on it."""
    with opened(server) as held:
        yield held


@contextmanager
def limited(
    folder: Path, *arguments: str, recorded: Sequence[Recorded] = HISTORY
) -> Iterator[PrometheusSource]:
    """The source on one with the history whose owner set limits."""
    with running_victoriametrics(folder, arguments=arguments) as started:
        fill_victoriametrics(started, exposition(recorded))
        with opened(started) as held:
            yield held


# -- what every source promises, and holds here word for word

test_replicas_come_as_separate_series = contract.test_replicas_come_as_separate_series
test_answers_come_in_the_order_of_queries = contract.test_answers_come_in_the_order_of_queries
test_matchers_select_as_in_promql = contract.test_matchers_select_as_in_promql
test_odd_label_values_survive_both_ways = contract.test_odd_label_values_survive_both_ways
test_arrays_are_float64_and_ascend = contract.test_arrays_are_float64_and_ascend
test_empty_span_holds_nothing = contract.test_empty_span_holds_nothing
test_series_without_samples = contract.test_series_without_samples_in_the_span_are_left_out
test_many_readers_at_once_get_what_one_gets = contract.test_many_readers_at_once_get_what_one_gets
test_catalog_names_every_metric = contract.test_catalog_names_every_metric
test_catalog_tells_label_sets_with_names = contract.test_catalog_tells_label_sets_with_names
test_catalog_of_overlapping_queries = contract.test_catalog_of_overlapping_queries_has_no_doubles
test_catalog_tells_values_of_one_label = contract.test_catalog_tells_values_of_one_label
test_label_that_does_not_exist_has_no_values = contract.test_label_that_does_not_exist_has_no_values


@pytest.mark.parametrize("metric", EXACT)
def test_counters_and_gauges_come_back_to_the_bit(source: PrometheusSource, metric: str) -> None:
    """Gaps, resets and jitter are evidence here as on Prometheus."""
    contract.test_whole_history_comes_back_to_the_bit(source, metric)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(one=contract.edges, other=contract.edges, metric=st.sampled_from(EXACT))
def test_span_is_open_on_the_left(
    source: PrometheusSource, one: float, other: float, metric: str
) -> None:
    """Polls that adjoin count each sample once, to the millisecond."""
    start, end = min(one, other), max(one, other)
    (answer,) = contract.read(source, query(metric), start=start, end=end)
    found, wanted = contract.by_labels(answer), expected(metric, start, end)
    assert found.keys() == wanted.keys()
    for labels, samples in wanted.items():
        np.testing.assert_array_equal(found[labels], samples)


# -- what it does otherwise


def test_what_is_born_at_midnight_is_born(source: PrometheusSource) -> None:
    """Version 1.79 leaves it out of a span that ends with that millisecond, UTC."""
    (answer,) = contract.read(source, query("shop_gap_total"), start=T0 - 60, end=T0)
    assert answer.series[0].times.tolist() == [T0]


def test_nan_is_not_kept_and_infinities_are(source: PrometheusSource) -> None:
    """A gauge that said NaN has a gap here; the engine takes neither for a sample."""
    (answer,) = contract.read(source, query("shop_odd"))
    (wanted,) = expected("shop_odd", T0 - 1, END).values()
    told = wanted[:, ~np.isnan(wanted[1])]
    (found,) = contract.by_labels(answer).values()
    np.testing.assert_array_equal(found[0], told[0])
    np.testing.assert_array_equal(np.isinf(found[1]), np.isinf(told[1]))


def test_a_float_comes_back_to_twelve_digits(server: RunningPrometheus) -> None:
    """Sums of seconds lose what no verdict sees; whole counts are exact to the last one."""
    rng, times = np.random.default_rng(3), T0 + np.arange(0.0, SPAN_S, 15.0)
    sums = np.cumsum(rng.exponential(0.05, times.size))
    counts = np.cumsum(rng.poisson(1e9, times.size)).astype(np.float64)
    made = [
        Recorded({"__name__": "shop_seconds_sum"}, times, sums),
        Recorded({"__name__": "shop_bytes_total"}, times, counts),
    ]
    fill_victoriametrics(server, exposition(made))
    with opened(server) as source:
        answers = contract.read(source, query("shop_seconds_sum"), query("shop_bytes_total"))
    np.testing.assert_allclose(answers[0].series[0].values, sums, rtol=2e-12)
    np.testing.assert_array_equal(answers[1].series[0].values, counts)


def test_no_types_are_told(source: PrometheusSource) -> None:
    """Imported samples have no metadata; discovery goes by names and does without."""
    assert source.metadata(timeout_s=TIMEOUT_S) == {}


@pytest.mark.slow
def test_a_live_scrape_is_read_at_once_and_without_its_stale_marker(
    tmp_path: Path, fault_server: FaultServer
) -> None:
    """Its raw answers tell the marker as NaN, and do not wait for `-search.latencyOffset`."""
    fault_server.behave(b"# TYPE jobs_total counter\njobs_total 1\n")
    config = scrape_config(fault_server.url.removeprefix("http://"), labels={"pod": "a-1"})
    with running_victoriametrics(tmp_path, config=config) as server, opened(server) as source:

        def samples(metric: str) -> tuple[FloatArray, FloatArray]:
            now = time.time()
            (answer,) = source.read([query(metric)], now - 60, now, timeout_s=TIMEOUT_S)
            found = answer.series
            return (found[0].times, found[0].values) if found else (np.empty(0), np.empty(0))

        assert soon(lambda: samples("jobs_total")[0].size > 2)
        newest = samples("jobs_total")[0][-1]
        assert time.time() - newest < 10
        fault_server.behave(b"other 1\n")
        assert soon(lambda: samples("other")[0].size > 0)
        times, values = samples("jobs_total")
        assert values.tolist() == [1.0] * times.size
        assert times[-1] < samples("other")[0][0]


def soon(check: Callable[[], bool], *, within_s: float = 30.0) -> bool:
    """Poll a fact that a real server makes true in its own time."""
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        if check():
            return True
        time.sleep(0.1)
    return False


def test_replicas_without_a_label_are_one_series(tmp_path: Path) -> None:
    """`-dedup.minScrapeInterval`: of two samples in an interval the later one stays, as it was."""
    times = T0 + np.arange(0.0, SPAN_S, 15.0)
    both = np.sort(np.concatenate([times + 2, times + 7]))
    made = Recorded({"__name__": "shop_total"}, both, np.arange(both.size, dtype=np.float64))
    deduplicated = ("-dedup.minScrapeInterval=15s",)
    with running_victoriametrics(tmp_path, arguments=deduplicated) as server:
        fill_victoriametrics(server, exposition([made]))
        with opened(server) as source:
            (answer,) = contract.read(source, query("shop_total"))
    (series,) = answer.series
    np.testing.assert_array_equal(series.times, both[1::2])
    np.testing.assert_array_equal(series.values, made.values[1::2])


# -- its limits, in its words


def test_split_span_reads_the_same(server: RunningPrometheus, source: PrometheusSource) -> None:
    """A day of history is fetched in pieces, and no sample is lost or doubled at a seam."""
    queries = [query(name) for name in EXACT]
    with opened(server, max_span_s=437.5) as pieces:
        for whole, cut in zip(
            contract.read(source, *queries), contract.read(pieces, *queries), strict=True
        ):
            one, other = contract.by_labels(whole), contract.by_labels(cut)
            assert one.keys() == other.keys()
            for labels, samples in one.items():
                np.testing.assert_array_equal(samples, other[labels])


def test_a_limit_that_is_told_after_the_answer_is_obeyed(tmp_path: Path) -> None:
    """`-search.maxSamplesPerSeries` comes behind a 200 and an empty answer: that is not no data."""
    with limited(tmp_path, "-search.maxSamplesPerSeries=150") as source:
        contract.test_whole_history_comes_back_to_the_bit(source, "shop_requests_total")
        assert source.cost.queries > 1


def test_a_limit_that_is_told_before_is_obeyed(tmp_path: Path) -> None:
    """`-search.maxSamplesPerQuery` counts whole blocks, of up to 8,192 samples: halve."""
    times = T0 + np.arange(40_000.0)
    made = Recorded({"__name__": "shop_total"}, times, times - T0)
    with limited(tmp_path, "-search.maxSamplesPerQuery=20000", recorded=[made]) as source:
        (answer,) = contract.read(source, query("shop_total"), end=T0 + 40_000)
        assert source.cost.failures > 0
    np.testing.assert_array_equal(answer.series[0].times, times)


def test_a_limit_that_no_split_can_meet_is_told_in_its_words(tmp_path: Path) -> None:
    """The verdict is inconclusive and quotes the option to raise."""
    with (
        limited(tmp_path, "-search.maxSamplesPerSeries=1") as source,
        pytest.raises(SourceError, match="maxSamplesPerSeries") as caught,
    ):
        contract.read(source, query("shop_requests_total"))
    assert (caught.value.code, caught.value.retryable) == ("query_rejected", False)


def test_a_query_that_is_too_long_is_asked_once(tmp_path: Path) -> None:
    """`-search.maxQueryLen` is not met by halving the span."""
    with limited(tmp_path, "-search.maxQueryLen=64") as source:
        with pytest.raises(SourceError, match="too long query") as caught:
            contract.read(source, query("shop_odd", ("pod", "=~", "a" * 80)))
        assert (caught.value.code, source.cost.queries) == ("query_rejected", 1)


def test_too_many_series_to_discover_are_refused(tmp_path: Path) -> None:
    """A selector over half the fleet is told so, and not answered by half."""
    with (
        limited(tmp_path, "-search.maxUniqueTimeseries=2") as source,
        pytest.raises(SourceError, match="exceeds 2") as caught,
    ):
        source.label_values("pod", [query("shop_requests_total")], T0, END, timeout_s=TIMEOUT_S)
    assert caught.value.code == "query_rejected"


def test_regex_that_does_not_parse_is_rejected(source: PrometheusSource) -> None:
    """Its own words are passed on."""
    with pytest.raises(SourceError, match=r"missing closing \)") as caught:
        contract.read(source, query("shop_odd", ("pod", "=~", "(")))
    assert caught.value.code == "query_rejected"


@pytest.mark.parametrize(
    ("bound", "word"), [({"max_series": 3}, "series"), ({"max_samples": 500}, "samples")]
)
def test_our_budget_holds_though_it_knows_no_limit(
    server: RunningPrometheus, bound: dict[str, float], word: str
) -> None:
    """It ignores `limit`; what comes is counted before it is parsed."""
    with opened(server, **bound) as source, pytest.raises(SourceError, match=word) as caught:
        contract.read(source, query("shop_requests_total"))
    assert caught.value.code == "query_rejected"


@pytest.mark.parametrize("metric", EXACT)
def test_an_outline_is_that_of_prometheus(source: PrometheusSource, metric: str) -> None:
    """Past rollouts are looked for by it: an hour off would be another hour's pods."""
    contract.test_an_outline_has_the_newest_sample_at_each_step(source, metric)
