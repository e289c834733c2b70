"""Many selectors as few: each query gets the series that it would have got alone, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.selector import matches, parse_selector
from detector.series import Matcher, MatchOp, Query
from pipelines.sources.merging import merged

EQ, NE, RE, NRE = MatchOp.EQUAL, MatchOp.NOT_EQUAL, MatchOp.MATCHES, MatchOp.NOT_MATCHES
VALUES = ["", "a", "b", "a.b", "a|b", "a\\b", 'q"', "ü", "shop-5c-1", "shop-6d-2"]
PATTERNS = ["a", "a|b", "a.+", "shop-5c-.+", "(a|b)", "a\\.b|b", "(?i)A", ".*", "", "a\\|b", "[ab]"]

matchers = st.one_of(
    st.builds(Matcher, st.sampled_from(["pod", "service", "ns"]), st.sampled_from([EQ, NE]),
              st.sampled_from(VALUES)),
    st.builds(Matcher, st.sampled_from(["pod", "service", "ns"]), st.sampled_from([RE, NRE]),
              st.sampled_from(PATTERNS)),
)  # fmt: skip
queries = st.builds(
    Query, st.sampled_from(["up", "http_requests_total", "http.sum"]),
    st.lists(matchers, max_size=3).map(tuple),
)  # fmt: skip
series = st.fixed_dictionaries(
    {"__name__": st.sampled_from(["up", "http_requests_total", "http.sum", "other"])},
    optional={name: st.sampled_from(VALUES[1:]) for name in ("pod", "service", "ns")},
)


def selected(selector: str, all_series: list[dict[str, str]]) -> list[dict[str, str]]:
    """What a source gives for the text of a selector."""
    name, brace, rest = selector.partition("{")
    wanted = list(parse_selector(brace + rest)) if brace else []
    wanted += [Matcher("__name__", EQ, name)] if name else []
    return [labels for labels in all_series if all(matches(m, labels) for m in wanted)]


def alone(query: Query, all_series: list[dict[str, str]]) -> list[dict[str, str]]:
    """What a query selects."""
    wanted = (Matcher("__name__", EQ, query.metric), *query.matchers)
    return [labels for labels in all_series if all(matches(m, labels) for m in wanted)]


@given(st.lists(queries, max_size=8), st.lists(series, max_size=12))
def test_each_query_gets_what_it_would_have_got_alone(
    asked: list[Query], there: list[dict[str, str]]
) -> None:
    """A verdict would rest on another rollout's pods, or miss its own."""
    found = {}
    for one in merged(asked):
        got = selected(one.selector, there)
        for query, places in zip(one.queries, one.shared_out(got), strict=True):
            found[query] = [got[place] for place in places]
    assert found == {query: alone(query, there) for query in asked}


@given(st.lists(queries, max_size=8))
def test_each_query_is_in_one_selector(asked: list[Query]) -> None:
    """Asked twice, or not at all."""
    together = [query for one in merged(asked) for query in one.queries]
    assert sorted(map(repr, together)) == sorted(map(repr, set(asked)))


def test_the_arms_and_metrics_of_a_rollout_are_one_selector() -> None:
    """Nine queries a poll would be 600 a second for a thousand rollouts."""
    scope = (Matcher("ns", EQ, "prod"), Matcher("service", EQ, "shop"))
    arms = [Matcher("pod", RE, "shop-5c-.+"), Matcher("pod", RE, "shop-6d-.+")]
    asked = [Query(name, (*scope, arm)) for name in ("requests", "buckets") for arm in arms]
    [one] = merged(asked)
    assert one.selector == (
        '{__name__=~"buckets|requests",ns="prod",service="shop",pod=~"shop-5c-.+|shop-6d-.+"}'
    )


def test_one_metric_of_two_services_keeps_its_name_in_front() -> None:
    """Sources find a metric by its name faster than by a pattern."""
    asked = [Query("up", (Matcher("service", EQ, name),)) for name in ("a.b", "c")]
    [one] = merged(asked)
    assert one.selector == 'up{service=~"a\\\\.b|c"}'


def test_what_they_exclude_keeps_queries_apart() -> None:
    """A series that one leaves out would be left out for the other."""
    quiet = Query("up", (Matcher("path", NRE, "/health"), Matcher("pod", EQ, "a")))
    loud = Query("up", (Matcher("pod", EQ, "b"),))
    assert len(merged([quiet, loud])) == 2


def test_a_lone_query_goes_as_it_is() -> None:
    """Nothing is merged with nothing."""
    query = Query("up", (Matcher("pod", RE, "a.+"), Matcher("pod", RE, ".+b")))
    [one] = merged([query, query])
    assert (one.queries, one.selector) == ((query,), 'up{pod=~"a.+",pod=~".+b"}')


@pytest.mark.parametrize("count", [10, 400])
def test_no_selector_is_longer_than_sources_read(count: int) -> None:
    """A thousand pods in one text are refused by Mimir, and the whole batch with them."""
    asked = [Query("up", (Matcher("pod", EQ, f"{'long' * 20}-{n}"),)) for n in range(count)]
    found = merged(asked)
    assert max(len(one.selector) for one in found) <= 8000
    assert sum(len(one.queries) for one in found) == count
    assert len(found) == (1 if count == 10 else 8)
