"""What the process says of its parts: each number in the kind that Prometheus expects of it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.meters import Count, Level, Meters


def shown(*meters: Count | Level) -> str:
    """The page of a part."""
    registry = CollectorRegistry()
    registry.register(Meters("part", meters))
    return generate_latest(registry).decode()


def test_what_only_grows_is_a_counter_and_what_may_fall_a_gauge() -> None:
    """`rate()` over a gauge would take a fall for a reset, and a linter would refuse the name."""
    page = shown(Count("readings", "Read.", lambda: 3), Level("waiting", "Waits.", lambda: 2))
    kinds = {one.name: one.type for one in text_string_to_metric_families(page)}
    assert kinds == {"serinus_part_readings": "counter", "serinus_part_waiting": "gauge"}
    assert "serinus_part_readings_total 3.0" in page
    assert "serinus_part_waiting 2.0" in page


def test_each_page_asks_anew() -> None:
    """A dashboard would show for ever what held at the start."""
    count = [1]
    registry = CollectorRegistry()
    registry.register(Meters("part", (Count("readings", "Read.", lambda: count[0]),)))
    count[0] = 7
    assert "serinus_part_readings_total 7.0" in generate_latest(registry).decode()


def test_yes_and_no_are_one_and_zero() -> None:
    """Words would not be a number that an alert can compare."""
    page = shown(Level("is_failing", "1 while it fails.", lambda: True))
    assert "serinus_part_is_failing 1.0" in page
