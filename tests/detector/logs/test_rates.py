"""The templates that are judged by their rate are the commonest, and few enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level
from detector.logs.rates import Chosen, RateLimits

PLACE = ("checkout", "shop", "")
HOUR = 3_600_000
LIMITS = RateLimits(common=3, grave=2, least=10)
T0 = 1_790_000_000_000


def has(
    chosen: Chosen, template: str, count: int = 1, level: int = Level.INFO, at: int = T0
) -> bool:
    """Of the service that all of these are about."""
    return chosen.has(PLACE, template, level, count, at)


def test_a_common_template_has_a_series_once_it_is_common() -> None:
    """The lines that are written most would be judged only in sum."""
    chosen = Chosen(limits=LIMITS)
    assert [has(chosen, "placed", 4) for _ in range(4)] == [False, False, True, True]


def test_an_error_has_one_at_once() -> None:
    """A new error would be judged after it had come for an hour."""
    assert has(Chosen(limits=LIMITS), "no db", 1, Level.ERROR)


def test_an_error_finds_room_where_common_lines_have_taken_all_of_theirs() -> None:
    """A chatty service would have no series for what goes wrong in it."""
    chosen = Chosen(limits=LIMITS)
    common = [has(chosen, f"t{n}", 50) for n in range(5)]
    grave = [has(chosen, f"e{n}", 50, Level.FATAL) for n in range(3)]
    assert (common, grave) == ([True, True, True, False, False], [True, True, False])


def test_services_have_room_of_their_own() -> None:
    """One service would leave the others without any."""
    chosen = Chosen(limits=LIMITS)
    for n in range(5):
        has(chosen, f"t{n}", 50)
    assert chosen.has(("cart", "shop", ""), "t", Level.INFO, 50, T0)


def test_what_does_not_come_any_more_gives_its_series_up_after_hours() -> None:
    """Templates of last month would keep out those of today."""
    chosen = Chosen(limits=LIMITS)
    for n in range(3):
        has(chosen, f"old{n}", 20)
    taken = [has(chosen, "new", 20, at=T0 + hour * HOUR) for hour in range(8)]
    assert (taken[0], taken[-1]) == (False, True)
    assert 2 <= taken.index(True) <= 6


def test_an_explosion_of_templates_takes_no_series() -> None:
    """An id in every line would fill the stream with series of one sample each."""
    chosen = Chosen(limits=LIMITS)
    assert not any(has(chosen, f"order {n}") for n in range(10_000))
    assert has(chosen, "placed", 50)


@pytest.mark.parametrize("jump", [-(10**6), 10**6])
def test_a_jump_of_the_clock_forgets_no_more_than_an_hour(jump: int) -> None:
    """All series would be given up because one clock is wrong."""
    chosen = Chosen(limits=LIMITS)
    has(chosen, "placed", 50)
    has(chosen, "other", 50, at=T0 + jump * HOUR)
    assert has(chosen, "placed", 1, at=T0 + HOUR)


LINES = st.tuples(st.integers(0, 30), st.integers(1, 60), st.sampled_from(Level), st.integers(0, 9))


@given(st.lists(LINES, max_size=80))
def test_there_are_never_more_than_there_is_room_for(
    lines: list[tuple[int, int, Level, int]],
) -> None:
    """Memory and judging would grow with what a service makes up."""
    chosen = Chosen(limits=LIMITS)
    for number, count, level, hour in lines:
        has(chosen, f"t{number}", count, level, T0 + hour * HOUR)
        assert len(chosen) <= LIMITS.common + LIMITS.grave
