"""What the catalogue is asked: few questions, each over its own span, none twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.looking import Look, selector_queries, service_matcher, service_queries
from detector.discovery.matching import equal, fits
from detector.selector import matches
from detector.series import Matcher, MatchOp, Query
from detector.signals.packs import shipped_packs
from detector.signals.packs.parse import parse_pack
from pipelines.sources.memory import MemorySource

T0 = 1_790_000_000.0
PACK = parse_pack(
    """
name: one
title: one
published: here
services: [app, job]
requests:
  - metric: a_total
    errors: {labels: [code], match: "5.."}
durations:
  - metric: a_seconds_bucket
""",
    origin="one",
)
names = st.from_regex(r"[a-z][a-z0-9.+-]{0,10}", fullmatch=True)


class Remembering(MemorySource):
    """A source that remembers over which spans it was asked for what."""

    def __init__(self) -> None:
        super().__init__(retention_s=1e9)
        self.asked: list[tuple[tuple[Query, ...], float, float]] = []

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float = 0.0
    ) -> Sequence[Mapping[str, str]]:
        """Remember, then answer."""
        self.asked.append((tuple(queries), start, end))
        return super().series(queries, start, end, timeout_s=timeout_s)


def look(held: MemorySource, scale: float = 1.0) -> Look:
    return Look(catalog=held, start=T0, end=T0 + 900, timeout_s=5, scale=scale)


@pytest.mark.parametrize("scale", [1.0, 1 / 15])
def test_each_question_has_its_span(scale: float) -> None:
    """An hour before the start for what may be there, five minutes for what is: in engine time."""
    held = Remembering()
    seen = look(held, scale)
    up = [Query("up")]
    for ask in (seen.series, seen.now, seen.before):
        ask(up)
    hour, lately = 3600 * scale, 300 * scale
    assert [(start, end) for _, start, end in held.asked] == [
        (T0 - hour, T0 + 900),
        (T0 + 900 - lately, T0 + 900),
        (T0 - lately, T0),
    ]


def test_nothing_is_asked_for_nothing() -> None:
    """No query is no question, and the answer is empty."""
    held = Remembering()
    assert look(held).series([]) == {}
    assert held.asked == []


def test_a_query_is_sent_once() -> None:
    """Two packs that share a metric do not make the source work twice."""
    held = Remembering()
    look(held).series([Query("up"), Query("a"), Query("up")])
    assert held.asked[0][0] == (Query("up"), Query("a"))


def test_series_are_told_by_metric() -> None:
    """One answer for many metrics, sorted out again."""
    held = MemorySource(retention_s=1e9)
    for name, pod in (("up", "a"), ("up", "b"), ("load", "a")):
        held.add({"__name__": name, "pod": pod}, [T0], [1.0])
    found = look(held).series([Query("up"), Query("load"), Query("none")])
    assert {name: sorted(s["pod"] for s in series) for name, series in found.items()} == {
        "up": ["a", "b"],
        "load": ["a"],
    }


# -- which questions


def test_only_metrics_that_exist_are_asked_for() -> None:
    """Of ten packs' metrics a source has those of one; it is not asked for the others."""
    queries = service_queries(shipped_packs(), frozenset({"http_requests_total"}), "web")
    assert {query.metric for query in queries} == {"http_requests_total"}
    assert service_queries(shipped_packs(), frozenset({"up"}), "web") == []


def test_a_service_is_asked_for_under_every_label_that_may_name_it() -> None:
    """Which one does depends on who scrapes it, and nobody is asked to say."""
    queries = service_queries([PACK], frozenset({"a_total"}), "web")
    assert [query.matchers[-1].label for query in queries] == ["app", "job"]


def test_a_histogram_is_seen_by_its_last_bucket() -> None:
    """Twelve series of each pod would tell no more than one; native ones have the plain name."""
    known = frozenset({"a_seconds_bucket", "a_seconds"})
    queries = service_queries([PACK], known, "web")
    whole = Matcher("le", MatchOp.EQUAL, "+Inf")
    assert {q.metric: whole in q.matchers for q in queries} == {
        "a_seconds_bucket": True,
        "a_seconds": False,
    }


def test_selectors_are_asked_for_in_every_spelling() -> None:
    """One query for each metric and each way to write the selector."""
    spelled = [(equal("pod", "x"),), (equal("instance", "x"),)]
    queries = selector_queries([PACK], frozenset({"a_total", "a_seconds_bucket"}), spelled)
    assert len(queries) == 4
    assert {q.matchers[-1].label for q in queries} == {"pod", "instance"}


# -- names of services


@given(names, names)
def test_a_job_may_have_a_namespace_in_front(service: str, space: str) -> None:
    """The operator writes `shop/web`; `web` finds it, and no other service."""
    matcher = service_matcher("job", service)
    assert matches(matcher, {"job": service})
    assert matches(matcher, {"job": f"{space}/{service}"})
    assert not matches(matcher, {"job": f"{service}/{space}"}) or service == space
    assert not matches(matcher, {"job": f"{space}{service}"})


@given(names, names)
def test_any_other_label_is_the_name_itself(service: str, other: str) -> None:
    """A dot or a plus in a name is no pattern."""
    matcher = service_matcher("app", service)
    assert fits((matcher,), {"app": other}) == (service == other)


def test_a_job_that_is_asked_for_with_its_namespace_is_that_one() -> None:
    """Whoever writes `shop/web` does not mean `test/web`."""
    assert service_matcher("job", "shop/web") == equal("job", "shop/web")


def test_labels_with_dots_are_asked_of_metrics_with_dots_alone() -> None:
    """Prometheus 2 takes `{"service.name"="web"}` for a mistake, and nothing was found there."""
    known = frozenset(
        {"http_server_duration_milliseconds_count", "http.server.request.duration_count"}
    )
    queries = service_queries(shipped_packs(), known, "web")
    labels: dict[str, set[str]] = {metric: set() for metric in known}
    for query in queries:
        labels[query.metric] |= {m.label for m in query.matchers}
    assert "service.name" in labels["http.server.request.duration_count"]
    plain = labels["http_server_duration_milliseconds_count"]
    assert "service_name" in plain
    assert not any("." in label for label in plain)
