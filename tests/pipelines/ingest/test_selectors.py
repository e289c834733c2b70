"""Selectors of what is pulled: as PromQL reads them, and as queries of one metric each."""

from __future__ import annotations

import pytest

from detector.errors import InputError
from detector.selector import format_query
from pipelines.ingest.selectors import queries_of, selector_of

NAMES = ("shop_requests_total", "shop_seconds_bucket", "up")


def asked(*selectors: str) -> list[str]:
    """What a source is asked that has three metrics."""
    return [format_query(query) for query in queries_of(map(selector_of, selectors), NAMES)]


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("up", ["up"]),
        (' up {job="shop"} ', ['up{job="shop"}']),
        ('{__name__="up",job!="x"}', ['up{job!="x"}']),
        (
            '{__name__=~"shop_.+",pod="a"}',
            ['shop_requests_total{pod="a"}', 'shop_seconds_bucket{pod="a"}'],
        ),
        ('{__name__!~"shop_.+",pod="a"}', ['up{pod="a"}']),
        ('{job="shop"}', [f'{name}{{job="shop"}}' for name in NAMES]),
        ("unseen_yet", ["unseen_yet"]),
        ('up{__name__="down"}', []),
    ],
    ids=["name", "spaces", "label", "pattern", "excluded", "any", "unknown", "never"],
)  # fmt: skip
def test_a_selector_asks_for_the_metrics_that_suit(text: str, queries: list[str]) -> None:
    """A name that is left open is every metric that there is."""
    assert asked(text) == queries


def test_what_is_selected_twice_is_asked_for_once() -> None:
    """Two teams may write the same."""
    assert asked("up", '{__name__="up"}') == ["up"]


@pytest.mark.parametrize(
    "text", ["", "{}", '{job=~".*"}', "up{", 'up{job="a"} 3', "rate(up[5m])", '{pod=~"("}']
)
def test_what_is_no_selector_is_refused(text: str) -> None:
    """Or one that would pull all that a Prometheus has."""
    with pytest.raises(InputError) as refusal:
        selector_of(text)
    assert refusal.value.field == "selectors"
