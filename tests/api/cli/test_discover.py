"""`serinus discover` on a real Prometheus, and its text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.cli.discover_text import service_text, services_text
from tests.api.cli.served import serinus
from tests.docs import prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow]

SPLIT = {
    "label": "pod",
    "kind": "hash in the pods' names",
    "values": {"web-5c4b8d": 4, "web-6d9f7c": 1, "web-7f8b9d": 1},
    "selectors": {},
    "against": None,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two hours of a shop."""
    with prometheus.running(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


def told(url: str, *words: str) -> tuple[int, str, str]:
    """Exit code, output, and what was said beside it."""
    done = serinus("discover", "--prometheus", url, *words)
    return done.exit_code, done.stdout, done.stderr


def test_services_are_listed_for_people_and_for_programs(url: str) -> None:
    """The first command on a stranger's Prometheus."""
    code, text, _ = told(url)
    assert code == 0
    assert "1 service among" in text
    assert "checkout  shop" in text
    body = json.loads(told(url, "--format", "json")[1])
    assert [one["service"] for one in body["services"]] == ["checkout"]


def test_one_service_is_shown_and_its_configuration_can_fail(url: str) -> None:
    """What would be judged, by which query, and a fault that it stops."""
    code, text, _ = told(url, "--service", "checkout", "--test")
    assert code == 0, text
    assert "error_rate  required; ratio, by pod; sure" in text
    assert "minutes: It can fail" in text


def test_a_name_that_is_not_there_is_an_error_with_near_names(url: str) -> None:
    """A pipeline must not go on with a typing error."""
    code, text, said = told(url, "--service", "chekout")
    assert (code, text) == (2, "")
    assert "nearest: checkout" in said


def test_a_canary_that_is_not_there_is_an_error_with_near_names(url: str) -> None:
    """So is a selector that matches nothing."""
    canary = '{pod=~"checkout-6d9f8c-.+"}'
    code, _, said = told(url, "--service", "checkout", "--canary", canary)
    assert code == 2
    assert "checkout-6d9f7c" in said


def test_without_a_source_the_command_says_what_to_give() -> None:
    """No traceback."""
    done = serinus("discover")
    assert done.exit_code == 2
    assert "--prometheus URL" in done.stderr


# -- text


def page(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A page of one service."""
    one = {
        "service": "web",
        "namespaces": [],
        "pods": 0,
        "metrics": ["a_total", "b_total"],
        "packs": ["x"],
        "split": SPLIT,
    }
    body = {"services": [one], "found": 1, "metrics": 12_000, "skipped": [], "next": None}
    return {**body, **changes}


def test_many_values_and_metrics_are_counted_and_not_listed() -> None:
    """A line a service."""
    text = services_text(page())
    assert "1 service among 12,000 metrics." in text
    assert "a_total and 1 more" in text
    assert "web-5c4b8d, web-6d9f7c, 1 more" in text


def test_what_was_skipped_is_told_with_its_reason() -> None:
    """Ten million series are not silently left out."""
    text = services_text(page(skipped=[{"what": "huge_total", "why": "too many series"}]))
    assert "huge_total: too many series" in text


def test_no_service_is_told_in_words() -> None:
    """An empty table explains nothing."""
    text = services_text(page(services=[], found=0))
    assert "No metric counts requests" in text


def test_a_service_without_anything_is_told_in_words() -> None:
    """Nobody to compare, nothing that splits, and why nothing is bound."""
    body = {
        "service": "web",
        "canary": None,
        "control": None,
        "pods": {"canary": 0, "control": 0},
        "arms": None,
        "splits": [{**SPLIT, "against": "1 pods have no hash in their names"}],
        "signals": [],
        "missing": [{"name": "latency", "why": "it has no histogram"}],
        "notes": ["Look here."],
        "test": None,
    }
    text = service_text(body)
    assert "nobody to compare" in text
    assert "not used: 1 pods have no hash" in text
    assert "latency: it has no histogram" in text
    assert "Note: Look here." in text
