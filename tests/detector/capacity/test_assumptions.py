"""What a date rests on, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.capacity.assumptions import assumed, problem_of
from detector.capacity.days import days_of
from detector.capacity.resource import Kind, Limit, Resource
from models.baseline.calendar import DAY_MS
from models.growth.futures import COMPOUNDING, SAW_TOOTH, STEADY, Futures
from tests.detector.capacity.worlds import NOW, disk, hours, web


def futures(weights: dict[str, float] | None = None, steps: tuple[int, ...] = ()) -> Futures:
    """Of which only words are made."""
    return Futures(paths=np.zeros((1, 1)), weights=weights or {STEADY: 1.0}, steps=steps)


def sentences(resource: Resource, drawn: Futures | None = None) -> tuple[str, ...]:
    """All of them."""
    days = days_of(resource.usage, resource.kind, NOW)
    return assumed(resource, resource.limit, days, None, drawn or futures(), NOW)


def problem(resource: Resource) -> str | None:
    """At `NOW`."""
    return problem_of(resource, days_of(resource.usage, resource.kind, NOW), NOW)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({STEADY: 0.99, COMPOUNDING: 0.01}, "steady growth (99%)."),
        ({STEADY: 0.4, COMPOUNDING: 0.6}, "compounding growth (60%) or steady growth (40%)."),
        ({SAW_TOOTH: 1.0}, "a saw-tooth (100%)."),
    ],
)
def test_how_growth_goes_on_is_told_by_its_weights(weights: dict[str, float], told: str) -> None:
    """What hardly counts is not said."""
    first = sentences(disk(), futures(weights))[0]
    assert first == f"Usage goes on as its past allows: {told}"


def test_a_step_that_was_found_is_told_with_its_day() -> None:
    """So that somebody can say what it was."""
    told = " ".join(sentences(disk(), futures(steps=(40,))))
    assert "The level moved at once on 11 October 2026; that is taken as a step" in told


def test_known_changes_are_counted_once() -> None:
    """Though each is looked at on two days."""
    usage = hours(disk().usage.values, changes=(100, 700))
    assert any(
        one == "What moved with 2 known changes are taken as a step, not as growth."
        for one in sentences(replace(disk(), usage=usage))
    )


def test_the_limit_is_told_as_it_is_and_will_be() -> None:
    """Each planned step, or that it stays."""
    planned = Limit(steps=((0, 200.0),), planned=((NOW + 5 * DAY_MS, 250.0),))
    told = sentences(disk(limit=planned))
    assert "The limit is 250 GiB from 5 November 2026 on." in told
    assert "The limit stays at 200 GiB." in sentences(disk(limit=200.0))
    assert not any("stays" in one for one in told)


def test_what_was_not_measured_is_told() -> None:
    """Values below 0, days without any, and a short past."""
    values = disk(days=30).usage.values.copy()
    values[100:103] = -1.0
    values[10 * 24 : 15 * 24] = np.nan
    told = sentences(replace(disk(), usage=hours(values)))
    assert "3 values below 0 were left out." in told
    assert "Nothing is known of 5 days in a row." in told
    assert "There are 25 days of history only, so the dates are wide apart." in told


def test_what_counts_as_a_day_is_told_where_it_is_not_plain() -> None:
    """Of CPU, and not of a disk."""
    spike = "A day counts by what it reached for 2 hours, not by a single spike."
    assert spike in sentences(web())
    assert spike not in sentences(disk())


@pytest.mark.parametrize("limit", [1.0, 1e12])
def test_numbers_that_cannot_be_of_one_unit_are_a_problem(limit: float) -> None:
    """Either way round, with both numbers."""
    found = problem(disk(limit=limit))
    assert found is not None
    assert found.endswith("are units mixed?")
    assert f"{limit:.4g}" in found


def test_a_limit_a_little_below_usage_is_none() -> None:
    """It is used up, which is another thing."""
    assert problem(disk(limit=100.0)) is None
    assert problem(replace(disk(), limit=None)) is None
    assert problem(replace(disk(), kind=Kind.OTHER)) is None


def test_zero_usage_is_no_mix_of_units() -> None:
    """A new volume is empty."""
    assert problem(replace(disk(), usage=hours(np.zeros(30 * 24)))) is None


def test_one_value_is_one_value() -> None:
    """As people say it."""
    values = disk().usage.values.copy()
    values[[100, 101, 102]] = [-1.0, 2.0**63, 2.0**64]
    told = sentences(replace(disk(), usage=hours(values)))
    assert "1 value below 0 was left out." in told
    assert "2 values beyond all measure were left out." in told


def test_a_unit_that_became_a_larger_one_is_told() -> None:
    """Numbers became smaller."""
    values = disk().usage.values.copy()
    values[40 * 24 :] /= 1e6
    told = " ".join(sentences(replace(disk(), limit=None, usage=hours(values))))
    assert "Before 11 October 2026 usage is left out: it became a fraction of it at once" in told
