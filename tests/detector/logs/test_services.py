"""How usual something new is in a service: by its own stories, and within the alarms accepted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level
from detector.logs.novelty import TOLD_WEIGHT
from detector.logs.services import Services
from tests.profiles import HEAVY

WEEK_S = 604_800.0
STORIES = st.lists(
    st.tuples(st.sampled_from([Level.INFO, Level.WARN, Level.ERROR]), st.integers(1, 5000)),
    max_size=20,
)


def watched(weeks: float, stories: list[tuple[Level, int]] | None = None) -> Services:
    """A service that was watched for so long and told these at the end of it."""
    services = Services()
    services.add(("checkout", "", ""), 0)
    services["watched"][0] = weeks * WEEK_S
    for level, lines in stories or []:
        tell(services, level, lines)
    return services


def tell(services: Services, level: Level, lines: int, weight: float = 1.0) -> None:
    """A story of one level."""
    services.told(0, False, [lines if one == level else 0 for one in Level], weight=weight)


def test_a_service_that_was_watched_for_longer_without_a_story_tells_one_more_rarely() -> None:
    """A year of quiet would be worth no more than a day of it."""
    rates = [watched(weeks).rate(0, False, Level.INFO, 1) for weeks in (0, 1, 4, 20)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.5)
    assert rates[-1] < 0.15


def test_stories_of_long_ago_count_less() -> None:
    """A service that was mended half a year ago would be told of less for ever."""
    services = watched(1, [(Level.ERROR, 5)] * 8)
    before = services.rate(0, False, Level.ERROR, 1)
    services["watched"][0] += 26 * WEEK_S
    assert services.rate(0, False, Level.ERROR, 1) < before / 8


@given(STORIES, st.integers(1, 5000), st.integers(1, 5000))
def test_more_lines_or_a_graver_level_are_never_more_usual(
    stories: list[tuple[Level, int]], one: int, other: int
) -> None:
    """A flood of errors would be told of less than a few debugging lines."""
    services = watched(2, stories)
    few, many = sorted((one, other))
    assert services.rate(0, False, Level.WARN, many) <= services.rate(0, False, Level.WARN, few)
    assert services.rate(0, False, Level.ERROR, few) <= services.rate(0, False, Level.WARN, few)


@given(STORIES, st.sampled_from(list(Level)), st.integers(1, 5000))
def test_one_more_story_never_makes_such_rarer(
    stories: list[tuple[Level, int]], level: Level, lines: int
) -> None:
    """What happens each day would be told the more."""
    services = watched(2, stories)
    before = services.rate(0, False, level, lines)
    tell(services, level, lines)
    assert services.rate(0, False, level, lines) > before


@given(STORIES)
def test_deploys_have_a_history_of_their_own(stories: list[tuple[Level, int]]) -> None:
    """What releases bring would excuse what comes on a quiet day."""
    services = watched(2, stories)
    assert services.rate(0, True, Level.ERROR, 1) == watched(2).rate(0, True, Level.ERROR, 1)


@HEAVY
@given(st.sampled_from([0.2, 1.0, 3.0, 10.0, 50.0]), st.integers(0, 2**32 - 1))
def test_alarms_by_chance_stay_within_what_is_accepted(a_week: float, seed: int) -> None:
    """A service with ten meaningless errors a week would page ten times a week."""
    rng, services, alarms, weeks = np.random.default_rng(seed), watched(0), 0, 52
    for _ in range(rng.poisson(a_week * weeks)):
        services["watched"][0] += rng.exponential(WEEK_S / a_week)
        lines = int(np.exp(rng.normal(1, 1.5))) + 1
        is_told = services.rate(0, False, Level.ERROR, lines) <= 1.0
        alarms += is_told
        tell(services, Level.ERROR, lines, TOLD_WEIGHT if is_told else 1.0)
    # Two a week where nobody says which were real, and what chance adds to that in a year.
    assert alarms / weeks <= min(2.0, a_week) + 5 * np.sqrt(min(2.0, a_week) / weeks)
