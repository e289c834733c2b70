"""The bench of dates: what it draws, and how it counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.forecast.exhaustion import Told, figures_of, product
from bench.forecast.exhaustion_world import AFTER_DAYS, FAMILIES, HOUR_MS, came, drawn
from detector.capacity.resource import Kind, Limit

NOW = 1_800_000_000_000


def told(p10: float, p50: float, p90: float, truth: float, *, chance: float = 1.0) -> Told:
    """What was said, and what came."""
    return Told(family="disk_even", chance=chance, p10=p10, p50=p50, p90=p90, came=truth)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_case_is_the_same_for_the_same_seed(family: str) -> None:
    """With a limit above what is used, and a past with gaps."""
    one, other = drawn(family, 3), drawn(family, 3)
    usage = one.resource.usage
    assert (one.came, one.now) == (other.came, other.now)
    assert np.array_equal(usage.values, other.resource.usage.values, equal_nan=True)
    assert len(usage.values) == (one.now - usage.start_ms) // HOUR_MS
    assert 0 < np.isnan(usage.values).mean() < 0.15
    assert len(one.after) == 24 * AFTER_DAYS
    assert drawn(family, 4).now != one.now or drawn(family, 4).came != one.came


@pytest.mark.parametrize(
    ("kind", "at", "days"),
    [
        (Kind.DISK, [30], 30 / 24),
        (Kind.CPU, [30], math.inf),
        (Kind.CPU, [30, 31], math.inf),
        (Kind.CPU, [30, 31, 60, 61], 1.0),
        (Kind.CPU, [30, 31, 240, 241, 300, 301], 10.0),
        (Kind.MEMORY, [], math.inf),
    ],
)
def test_what_came_is_told_by_the_words_of_the_documentation(
    kind: Kind, at: list[int], days: float
) -> None:
    """Once, or two hours of two days of seven."""
    after = np.zeros(24 * 20)
    after[at] = 5.0
    assert came(after, Limit.of(4.0), NOW, kind) == days


def test_a_limit_that_is_raised_in_time_is_not_reached() -> None:
    """Hour by hour."""
    after = np.linspace(0, 10, 24 * 10)
    raised = Limit(steps=((0, 5.0),), planned=((NOW + 72 * HOUR_MS, 20.0),))
    assert came(after, raised, NOW, Kind.DISK) == math.inf


def test_coverage_counts_dates_with_both_ends() -> None:
    """An open end and what was full already are counted elsewhere."""
    figures = figures_of(
        [
            told(10, 20, 30, 20),
            told(10, 20, 30, 9),
            told(10, 20, 30, 31),
            told(10, 20, 30, math.inf),
            told(10, math.inf, math.inf, 50),
            told(0, 0, 0, 0),
            told(math.inf, math.inf, math.inf, 40, chance=0.05),
        ]
    )
    assert (figures["dated"], figures["open"]) == (4, 1)
    assert figures["p10_p90_coverage"] == 0.25
    assert figures["earlier_than_p10"] == 0.25
    assert figures["later_than_p90"] == 0.5
    assert figures["open_that_came_later"] == 1.0
    assert figures["undated_that_came"] == 1.0


def test_the_error_is_of_what_came_in_a_month() -> None:
    """A date that was not told is infinitely wrong."""
    cases = [told(20, 28, 40, 30), told(20, 33, 40, 30), told(1, 2, 3, 10)]
    assert figures_of(cases)["median_date_error_days"] == 2.5
    missed = [*cases, *[told(math.inf, math.inf, math.inf, 30)] * 3]
    assert figures_of(missed)["median_date_error_days"] == math.inf


def test_the_product_is_asked_as_people_ask_it() -> None:
    """A disk that grows evenly has a date near the truth."""
    case = drawn("disk_even", 3)
    found = product(case)
    assert found.p10 <= found.p50 <= found.p90
    assert abs(found.p50 - case.came) < 5
