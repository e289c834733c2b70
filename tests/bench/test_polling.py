"""The polling bench: its fleet is one that a Prometheus can read, and its bars are those asked."""

from __future__ import annotations

import re

import pytest

from bench.gate.fleet import Fleet, Page, scraping
from bench.gate.polling import EVERY_S, Polls, bar, firsts, gathered

FLEET = Fleet(rollouts=15, born=1000.0, canary_s=40.0)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a page tells, by name and labels."""
    found = {}
    for line in text.splitlines():
        name, labels, value = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line).groups()  # type: ignore[union-attr]
        found[name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels))] = float(value)
    return found


def pods(text: str) -> set[str]:
    """Names of the pods on a page."""
    return set(re.findall(r'pod="([^"]+)"', text))


def test_canaries_come_later_than_stable_pods() -> None:
    """A bench whose canaries were always there would measure rollouts that never began."""
    page = Page(FLEET, 0)
    before, after = page.text(1039.0), page.text(1041.0)
    assert len(pods(before)) == 10 * FLEET.stable
    assert len(pods(after)) == 10 * (FLEET.stable + FLEET.canary)


def test_counters_only_grow_and_buckets_are_cumulative() -> None:
    """Resets all the time would be judged, and a histogram that is none left out."""
    page = Page(FLEET, 0)
    page.text(1050.0)
    first, later = samples(page.text(1100.0)), samples(page.text(1160.0))
    gauges = {"container_memory_rss"}
    assert all(later[key] >= value for key, value in first.items() if key[0] not in gauges)
    for (name, labels), count in later.items():
        if name == "http_request_duration_seconds_count":
            whole = labels | {("le", "+Inf")}
            assert later["http_request_duration_seconds_bucket", whole] == count > 0


def test_every_rollout_is_on_one_page_and_every_page_is_scraped() -> None:
    """A rollout without data is cheap."""
    told = [rollout for number in range(FLEET.pages) for rollout in FLEET.page(number)]
    assert told == list(range(15))
    config = scraping(FLEET, 1234, 15.0)
    assert config.count("127.0.0.1:1234") == FLEET.pages == 2
    assert "honor_labels: true" in config


def test_a_question_names_the_pods_of_its_rollout() -> None:
    """Two rollouts of a service would be judged by each other's pods."""
    question, page = FLEET.question(1), Page(FLEET, 0).text(1050.0)
    canary = re.compile(str(question["canary"])[7:-2])
    assert len([pod for pod in pods(page) if canary.fullmatch(pod)]) == FLEET.canary
    assert question["service"] == FLEET.question(0)["service"]


def test_the_bars_are_those_of_the_size() -> None:
    """A thousand at the bar of three hundred, or the other way round."""
    assert [bar(n) for n in (40, 300, 301, 1000, 2000)] == [250.0, 250.0, 500.0, 500.0, 500.0]


def test_an_answer_that_is_none_counts_as_failed() -> None:
    """503 at once would be the fastest of all answers."""
    polls = Polls(seconds=[0.1, 0.2, 0.3])
    polls.told.update({"healthy": 1, "503": 1, "ReadTimeout": 1})
    assert polls.failed == 2
    assert polls.at(0.5) == pytest.approx(200.0)


@pytest.mark.parametrize("is_quick", [True, False])
def test_each_fleet_has_its_own_bars(is_quick: bool) -> None:
    """The smaller fleet's figures would stand in for those of the larger."""
    found = [
        {"rollouts": size, "p99_ms": 100.0, "failed": 0.0, "rss_growth_mb": 1.0}
        for size in (300.0, 1000.0)
    ]
    figures, asked = gathered(found, is_quick=is_quick)
    assert (figures["rollouts"], figures["rollouts_300"]) == (1000.0, 300.0)
    assert (asked["p99_ms"], asked["p99_ms_300"]) == (("<=", 500.0), ("<=", 250.0))
    assert ("rss_growth_mb" in asked) is not is_quick


@pytest.mark.parametrize(("rollouts", "ramp"), [(200, 0.0), (300, 90.0), (1000, 300.0)])
def test_first_questions_are_spread_over_the_ramp_at_phases_that_differ(
    rollouts: int, ramp: float
) -> None:
    """Rollouts that are due at one instant for ever would be measured as a queue of themselves."""
    found = firsts(rollouts, ramp)
    phases = sorted(first % EVERY_S for first in found)
    assert min(found) >= 0
    assert max(found) <= max(ramp, EVERY_S)
    assert len({round(phase, 3) for phase in phases}) > 0.95 * rollouts
    # Every second of the fifteen has its part.
    counts = [sum(n <= phase < n + 1 for phase in phases) for n in range(15)]
    assert min(counts) > 0
    assert max(counts) < 3 * rollouts / 15 + 5
