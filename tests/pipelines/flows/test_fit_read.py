"""The past of a service is read in parts, and rows do not show where they were cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from detector.errors import InputError
from detector.gate.request import VerdictRequest
from detector.series import Answer, Query
from pipelines.flows import fit_read
from pipelines.flows.backtest import Past
from pipelines.flows.fit_read import SETTLED_S, outlined, read_panel
from pipelines.sources.memory import MemorySource
from tests.pipelines.flows.pasts import past_of
from tests.pipelines.flows.releases import T0, Week, fill_week

LIKE = VerdictRequest(service="checkout", namespace="shop", canary="")
WEEK = Week(length_s=7200.0, rate=5.0)
REQUESTS = Query(metric="http_requests_total")


@dataclass(slots=True)
class Spans:
    """A source that notes the spans of outlines."""

    source: MemorySource
    asked: list[tuple[float, float]] = field(default_factory=list)

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float,
    ) -> Sequence[Answer]:
        """See `MetricOutline`."""
        self.asked.append((start, end))
        return tuple(self.source.outline(queries, start, end, step_s=step_s, timeout_s=timeout_s))


def test_parts_are_put_together_without_a_seam() -> None:
    """A server that gives 50 points at once gives the same rows as one that gives all."""
    source = fill_week(WEEK)
    begin, end = T0 - T0 % 60 + 600, T0 - T0 % 60 + 7200
    whole, parts = Spans(source), Spans(source)
    (one,) = outlined(whole, (REQUESTS,), begin, end, 60.0).values()
    (two,) = outlined(parts, (REQUESTS,), begin, end, 60.0, most=50).values()
    assert (len(whole.asked), len(parts.asked)) == (1, 3)
    assert all(until - since <= 50 * 60 for since, until in parts.asked)
    by_labels = {tuple(sorted(series.labels.items())): series for series in two.series}
    for series in one.series:
        other = by_labels.pop(tuple(sorted(series.labels.items())))
        assert np.array_equal(series.times, other.times)
        assert np.array_equal(series.values, other.values)
    assert not by_labels


def test_the_newest_samples_are_left_out() -> None:
    """A scrape on its way would look like a counter that stands still."""
    past = replace(past_of(source := fill_week(WEEK)), source=source)
    rows = read_panel(LIKE, past, since=T0 + 600, until=T0 + 6000.0, step_s=60.0)
    last = (rows.first + len(rows.x) - 1) * 60.0
    assert T0 + 6000 - SETTLED_S - 60 < last <= T0 + 6000 - SETTLED_S


def test_rows_are_on_the_grid_of_all_rows() -> None:
    """A model fitted yesterday and rows read today agree on which row is which moment."""
    past = replace(past_of(source := fill_week(WEEK)), source=source)
    early = read_panel(LIKE, past, since=T0 + 600, until=T0 + 6000.0, step_s=60.0)
    late = read_panel(LIKE, past, since=T0 + 1234, until=T0 + 7000.0, step_s=60.0)
    shift = late.first - early.first
    assert np.allclose(early.x[shift:], late.x[: len(early.x) - shift])


def test_a_source_without_an_outline_is_refused() -> None:
    """Weeks of raw samples would be read for a few rows."""
    past = past_of(fill_week(WEEK))
    blind = Past(source=past.source, catalog=past.catalog, discover=past.discover)
    with pytest.raises(InputError, match="no outline"):
        read_panel(LIKE, blind, since=T0, until=T0 + 7200.0, step_s=60.0)


def test_no_server_is_asked_for_more_than_it_gives() -> None:
    """Prometheus refuses more than 11,000 points of a series."""
    assert fit_read.MOST_STEPS < 11_000
