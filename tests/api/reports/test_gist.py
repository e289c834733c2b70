"""A report in a few lines: what runs out first, with its day."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.reports.gist import gist_of, sentence_of
from api.reports.words import Wall
from detector.capacity.assessed import Assessment
from tests.api.reports.examples import (
    cores,
    disk,
    memory,
    new,
    partitions,
    pool,
    report,
)

ONES = st.lists(
    st.sampled_from([disk, memory, cores, pool, new, partitions]), min_size=1, max_size=9
)


def test_nothing_found_is_said() -> None:
    """An empty message would look like a broken one."""
    empty = replace(report(), assessments=(), summary=())
    assert gist_of(empty, Wall()) == ("No resource was found that could be told of.",)


def test_all_is_well_in_one_line() -> None:
    """Who reads it on a phone is done."""
    assert gist_of(report(cores(), partitions()), Wall()) == (
        "Nothing of 2 resources is likely to run out within 90 days.",
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (pool(), "It has run out since Saturday 21 November, 4 days ago."),
        (memory(), "It runs out perhaps from 4 February 2027 on (22 % within 90 days)."),
        (cores(), "It does not run out within 90 days (under 1 %)."),
        (new(), f"It is not known when this runs out: {new().problem}."),
    ],
)  # fmt: skip
def test_each_state_is_a_sentence(told: Assessment, words: str) -> None:
    """Also that nothing is known."""
    assert sentence_of(told, Wall()) == words


@given(ONES)
def test_a_gist_is_short(made: list[object]) -> None:
    """However many run out: three are named, the most urgent ones, and none that lasts."""
    told = report(*(one() for one in made))  # type: ignore[operator]
    gist = gist_of(told, Wall())
    assert 1 <= len(gist) <= 4
    urgent = sum(one in (disk, memory, pool) for one in made)
    assert len(gist) == 1 + min(3, urgent)
    assert not any("cpu of search" in line or "None" in line for line in gist)
    assert (pool in made) == ("has run out since" in " ".join(gist[1:2]))
