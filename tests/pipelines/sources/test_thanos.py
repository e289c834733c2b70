"""Thanos over two sidecars: replicas merged or not, and a store that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.errors import SourceError
from detector.series import Answer
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import SourceSettings
from tests.pipelines.sources import test_contract as contract
from tests.pipelines.sources.history import HISTORY, NAMES, T0, Recorded, openmetrics, query
from tests.thanos import Replica, RunningThanos, running_thanos

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]

PAIR = [Replica(name=name, history=openmetrics()) for name in ("one", "two")]
# The querier forgets a store that is away after some missed calls, each five seconds apart.
FORGOTTEN_AFTER_S = 30.0


def opened(thanos: RunningThanos, **params: str) -> PrometheusSource:
    return PrometheusSource(SourceSettings(url=thanos.url, params=params))


@pytest.fixture(scope="module")
def thanos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningThanos]:
    """A querier over two replicas with the history."""
    with running_thanos(tmp_path_factory.mktemp("thanos"), PAIR) as started:
        yield started


@pytest.fixture(scope="module")
def source(thanos: RunningThanos) -> Iterator[PrometheusSource]:
    """The source on it, with the parameters that our documentation names."""
    with opened(thanos, dedup="true", partial_response="true") as held:
        yield held


# -- the whole contract, word for word

test_whole_history_comes_back_to_the_bit = contract.test_whole_history_comes_back_to_the_bit
test_span_is_open_on_the_left = contract.test_span_is_open_on_the_left_and_closed_on_the_right
test_nan_and_infinities_are_kept = contract.test_nan_and_infinities_are_kept
test_replicas_come_as_separate_series = contract.test_replicas_come_as_separate_series
test_answers_come_in_the_order_of_queries = contract.test_answers_come_in_the_order_of_queries
test_matchers_select_as_in_promql = contract.test_matchers_select_as_in_promql
test_odd_label_values_survive_both_ways = contract.test_odd_label_values_survive_both_ways
test_series_without_samples = contract.test_series_without_samples_in_the_span_are_left_out
test_many_readers_at_once_get_what_one_gets = contract.test_many_readers_at_once_get_what_one_gets
test_catalog_names_every_metric = contract.test_catalog_names_every_metric
test_catalog_tells_label_sets_with_names = contract.test_catalog_tells_label_sets_with_names
test_catalog_of_overlapping_queries = contract.test_catalog_of_overlapping_queries_has_no_doubles
test_catalog_tells_values_of_one_label = contract.test_catalog_tells_values_of_one_label


# -- replicas


def test_replicas_that_are_not_merged_are_told_apart(thanos: RunningThanos) -> None:
    """The engine knows the label `prometheus_replica` and believes one of them."""
    with opened(thanos, dedup="false") as source:
        (answer,) = contract.read(source, query("shop_gap_total"))
    assert sorted(s.labels["prometheus_replica"] for s in answer.series) == ["one", "two"]
    np.testing.assert_array_equal(answer.series[0].values, answer.series[1].values)


def test_merged_replicas_that_scrape_by_turns_never_count_back(tmp_path: Path) -> None:
    """A sample of one replica after one of the other must not look like a restart."""
    (whole,) = [s for s in HISTORY if s.labels == {**s.labels, "pod": "b-2"}]
    halves = [Recorded(whole.labels, whole.times[at::2], whole.values[at::2]) for at in (0, 1)]
    pair = [
        Replica(name=name, history=openmetrics([half]))
        for name, half in zip(("one", "two"), halves, strict=True)
    ]
    with running_thanos(tmp_path, pair) as thanos, opened(thanos, dedup="true") as source:
        (answer,) = contract.read(source, query("shop_requests_total"))
    (series,) = answer.series
    known = dict(zip(whole.times.tolist(), whole.values.tolist(), strict=True))
    assert [known[at] for at in series.times.tolist()] == series.values.tolist()
    assert (np.diff(series.values) > 0).all()
    assert series.times.size >= whole.times.size / 2 - 1


# -- a store that is away


def test_a_store_that_is_away_is_a_warning_and_then_silence(tmp_path: Path) -> None:
    """Half a minute later the querier no longer tells: only `--endpoint-strict` goes on."""
    with running_thanos(tmp_path, PAIR) as thanos, opened(thanos) as source:
        thanos.sidecars[0].close()
        (first,) = contract.read(source, query("shop_gap_total"))
        last = after(source, FORGOTTEN_AFTER_S)
    assert "Unavailable" in first.warnings[0]
    assert last.warnings == ()


def test_a_strict_store_that_is_away_stays_a_warning(tmp_path: Path) -> None:
    """So that a pass is withheld as long as it lasts."""
    with running_thanos(tmp_path, PAIR, strict=True) as thanos, opened(thanos) as source:
        thanos.sidecars[0].close()
        last = after(source, FORGOTTEN_AFTER_S)
    assert "Unavailable" in last.warnings[0]
    assert len(last.series) == 1


def after(source: PrometheusSource, seconds: float) -> Answer:
    """The last of the answers of some seconds; the first without a warning ends it."""
    give_up = time.monotonic() + seconds
    while True:
        (answer,) = contract.read(source, query("shop_gap_total"))
        if not answer.warnings or time.monotonic() > give_up:
            return answer
        time.sleep(0.5)


def test_without_partial_answers_a_store_that_is_away_is_an_outage(tmp_path: Path) -> None:
    """It answers 422 as to a wrong query; it is told as what it is."""
    with (
        running_thanos(tmp_path, PAIR, strict=True) as thanos,
        opened(thanos, partial_response="false") as source,
    ):
        thanos.sidecars[0].close()
        with pytest.raises(SourceError, match="cannot reach all of its stores") as caught:
            contract.read(source, query("shop_gap_total"))
    assert (caught.value.code, caught.value.retryable) == ("source_unavailable", True)


@pytest.mark.parametrize("partial_response", ["true", "false"])
def test_half_a_catalogue_is_none(tmp_path: Path, partial_response: str) -> None:
    """What exists is not decided while a store is away that may know more."""
    with (
        running_thanos(tmp_path, PAIR, strict=True) as thanos,
        opened(thanos, partial_response=partial_response) as source,
    ):
        whole = source.metrics(timeout_s=contract.TIMEOUT_S)
        thanos.sidecars[0].close()
        with pytest.raises(SourceError, match="Unavailable") as caught:
            source.metrics(timeout_s=contract.TIMEOUT_S)
    assert whole == set(NAMES)
    assert (caught.value.code, caught.value.retryable) == ("source_unavailable", True)


def test_samples_before_the_history_are_none(source: PrometheusSource) -> None:
    """A sidecar tells since when it knows; earlier is empty, not an error."""
    (answer,) = contract.read(source, query("shop_gap_total"), start=T0 - 7200, end=T0 - 3600)
    assert answer == Answer(series=())
