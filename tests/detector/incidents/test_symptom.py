"""What an incident needs to know of an anomaly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.incidents.symptom import begun_at, symptom_of
from detector.stream.anomaly import (
    Anomaly,
    AnomalyKind,
    AnomalyState,
    Contribution,
    Severity,
    Side,
    Subject,
)
from detector.stream.columns import SeriesInfo, SeriesKind
from tests.detector.incidents.making import symptom

SERIES = {
    number: SeriesInfo(
        labels=(("__name__", "queue"), ("pod", f"shop-{number}"), ("version", f"v{number}")),
        kind=SeriesKind.GAUGE,
    )
    for number in range(3)
}


def contribution(series: int, start: int, end: int | None = None) -> Contribution:
    """Of one series."""
    return Contribution(
        series=series, start=start, peak_at=start, end=end, value=9.0, expected=1.0, low=0.0,
        high=2.0, surprise=5.0, excess=3.0,
    )  # fmt: skip


def anomaly(*contributions: Contribution, is_open: bool = True) -> Anomaly:
    """Of a service of four pods."""
    ends: Sequence[int] = [one.end for one in contributions if one.end is not None]
    return Anomaly(
        id="an_1",
        tenant="default",
        subject=Subject(service="shop", namespace="eu", cluster="one", metric="queue"),
        side=Side.ABOVE,
        severity=Severity.LOW,
        state=AnomalyState.OPEN if is_open else AnomalyState.CLOSED,
        ending=None,
        start=1000,
        end=None if is_open else max(ends),
        members=len(contributions),
        live=4,
        contributions=contributions,
    )


@pytest.mark.parametrize(
    ("metric", "is_load"),
    [
        ("requests_per_second", True),
        ("container_cpu_usage_seconds_total", True),
        ("error_ratio", False),
        ("latency_p95_seconds", False),
        ("queue", False),
    ],
)
def test_load_is_told_from_harm_by_the_name(metric: str, is_load: bool) -> None:
    """What nobody understands is taken for harm."""
    assert symptom(metric=metric).is_load is is_load


def test_lines_are_no_load_whatever_they_are_called() -> None:
    """Of a template that names requests, say."""
    assert not symptom(metric="requests", kind=AnomalyKind.LOG_NOVELTY).is_load


def test_it_is_of_a_service_and_of_the_versions_that_are_odd() -> None:
    """With where it is, since when, and how many of the pods."""
    found = symptom_of(anomaly(contribution(0, 1000), contribution(2, 1500)), SERIES)
    assert (found.service, found.namespace, found.cluster) == ("shop", "eu", "one")
    assert (found.start, found.end, found.share) == (1000, None, 0.5)
    assert found.versions == {"v0", "v2"}
    assert found.is_open


def test_it_ends_with_its_anomaly() -> None:
    """And never before it began."""
    over = anomaly(contribution(0, 1000, 2000), is_open=False)
    assert symptom_of(over, SERIES).end == 2000
    odd = anomaly(contribution(0, 1000, 900), is_open=False)
    assert symptom_of(odd, SERIES).end == 1000


def test_it_comes_again_with_its_anomaly() -> None:
    """An anomaly that rested for hours is another incident when it comes again."""
    one = anomaly(contribution(0, 1000, 2000), contribution(1, 5000))
    assert symptom_of(one, SERIES).again is None
    assert symptom_of(replace(one, again=5000), SERIES).again == 5000


@given(st.integers(0, 9000), st.none() | st.integers(0, 9000))
def test_what_is_as_if_it_had_begun_later_never_ends_before_that(
    start: int, end: int | None
) -> None:
    """A span of less than nothing is shown nowhere."""
    made = replace(symptom(), end=end)
    found = begun_at(made, start)
    assert found.start == start
    assert found.end is None if end is None else (found.end or 0) >= max(start, end)
    assert replace(found, start=made.start, end=end) == made


def test_series_that_are_forgotten_have_no_version() -> None:
    """Their names are gone."""
    assert symptom_of(anomaly(contribution(7, 1000)), SERIES).versions == frozenset()
