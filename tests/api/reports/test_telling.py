"""What is said of a resource: how it stands, when it runs out, what to do about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.telling import (
    accuracy_text,
    advice_text,
    by_text,
    driver_text,
    used_text,
    when_text,
)
from api.reports.words import Wall
from detector.capacity.assessed import (
    Accuracy,
    Action,
    Assessment,
    DriverModel,
    Exhaustion,
    Sizing,
)
from tests.api.reports.examples import (
    HORIZON_S,
    NOW,
    cores,
    day,
    disk,
    memory,
    new,
    partitions,
    pool,
)

WALL = Wall()
COSTS, SAVES = "costs 14 EUR a month", "saves 410 EUR a month"
DAYS = st.none() | st.integers(0, 90)


def out(**words: object) -> Assessment:
    """A disk of which this is told."""
    told = {"chance": 0.5, "p10": None, "p50": None, "p90": None, **words}
    return replace(disk(), exhaustion=Exhaustion(**told))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (pool(), "since Saturday 21 November, 4 days ago"),
        (out(since=NOW), "since Wednesday 25 November"),
        (disk(), "in 23 days, Friday 18 December, between 9 December and 4 January 2027"),
        (out(p10=day(9), p50=day(60)),
         "in 9 weeks, Sunday 24 January 2027, from 4 December on or perhaps not within 90 days"),
        (out(p50=day(60)), "in 9 weeks, Sunday 24 January 2027, or perhaps not within 90 days"),
        (out(p10=day(1), p50=day(1), p90=day(1)), "tomorrow, Thursday 26 November"),
        (memory(), "perhaps from 4 February 2027 on (22 % within 90 days)"),
        (cores(), "not within 90 days (under 1 %)"),
        (new(), "not enough history: needs 21 days, has 4 days"),
        (replace(disk(), exhaustion=None), "no limit is known"),
    ],
)  # fmt: skip
def test_dates_are_told_with_their_range(told: Assessment, words: str) -> None:
    """A day alone would sound certain."""
    assert when_text(told, WALL) == words


@given(p10=DAYS, middle=DAYS, late=DAYS, chance=st.floats(0, 1))
def test_no_date_is_told_without_a_doubt(
    p10: int | None, middle: int | None, late: int | None, chance: float
) -> None:
    """Whatever is known of them: a sentence, and where it may last, that it may."""
    given_days = sorted(one for one in (p10, middle, late) if one is not None)
    days = [*(day(one) for one in given_days), None, None, None][:3]
    told = out(chance=chance, p10=days[0], p50=days[1], p90=days[2])
    words = when_text(told, WALL)
    assert "None" not in words
    assert ("within 90 days" in words) == (days[2] is None)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (disk(), "172 of 200 GiB (86 %)"),
        (pool(), "50 of 50 connections (100 %)"),
        (cores(), "0.8 of 4 cores (20 %)"),
        (replace(new(), headroom=None), "1.2 GiB"),
        (replace(new(), headroom=None, usage=replace(new().usage, values=(None,))), "–"),
    ],
)
def test_usage_is_told_in_units_of_people(told: Assessment, words: str) -> None:
    """Not 184683593728 of 214748364800."""
    assert used_text(told) == words


def test_amounts_of_different_size_keep_their_units() -> None:
    """900 MiB of 2 GiB is not 900 of 2 GiB."""
    room = replace(memory().headroom, used=900 * 2**20, share=0.44)  # type: ignore[type-var]
    assert used_text(replace(memory(), headroom=room)) == "900 MiB of 2 GiB (44 %)"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (disk(), f"Raise the limit from 200 to 320 GiB by Monday 7 December: {COSTS}"),
        (pool(), "Raise the limit from 50 to 72 connections now"),
        (cores(), f"Lower the request from 3 to 1.2 cores for each of 12 replicas: {SAVES}"),
        (partitions(), "Keep it as it is"),
        (new(), "–"),
    ],
)  # fmt: skip
def test_advice_says_what_by_when_and_at_what_cost(told: Assessment, words: str) -> None:
    """That is all that who does it needs."""
    assert advice_text(told, WALL) == words


def test_what_is_late_is_to_be_done_now() -> None:
    """Nobody can do it the day before yesterday."""
    sizing = Sizing(action=Action.RAISE, what="limit", present=1, to=2, by=day(-2))
    assert by_text(sizing, NOW, WALL) == "now"
    assert by_text(replace(sizing, by=None), NOW, WALL) == "whenever it suits"
    assert by_text(replace(sizing, by=day(1)), NOW, WALL) == "by Thursday 26 November"


def test_a_driver_is_told_with_its_interval() -> None:
    """And where the line bends."""
    driver = DriverModel(
        name="requests a second", base=0.5, slope=0.02, slope_low=0.018, slope_high=0.022,
        explained=0.83, seen=140.0, knee=100.0, bend=0.01,
    )  # fmt: skip
    assert driver_text(driver, "cores") == (
        "It follows requests a second: each more takes 0.02 cores (0.018 cores to 0.022 cores),"
        " beyond 100 0.01 cores more. That explains 83 % of its changes; seen up to 140."
    )


def test_the_past_is_told_in_counts() -> None:
    """And what is not known of it is left out."""
    past = Accuracy(
        reports=3, dates=2, within=1, date_error_days=2.5, error=0.1, inside=0.8, sentence="Said."
    )
    assert accuracy_text(past) == (
        "Said. Of 2 dates that came, 1 were in the range that was told. The middle was off by"
        " 2 days (median). Usage was in the range on 80 % of the days (80 % is what was promised)."
    )
    empty = replace(past, dates=0, date_error_days=None, inside=None)
    assert accuracy_text(empty) == "Said."


def test_the_horizon_is_in_the_words() -> None:
    """A report of 30 days says nothing of the day after."""
    told = replace(cores(), horizon_s=HORIZON_S // 3)
    assert when_text(told, WALL) == "not within 30 days (under 1 %)"
