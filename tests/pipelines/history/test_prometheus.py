"""Months from a Prometheus: in pieces it takes, few at once, and never a part for the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from detector.errors import SourceError
from models.stat import Stat
from pipelines.history.port import SeriesId, Span
from pipelines.history.prometheus import PrometheusHistory
from pipelines.sources.settings import Auth, Budget, SourceSettings
from pipelines.testing import FaultServer, Misbehaviour
from tests.pipelines.history.pasts import DAY, MEMORY, REQUESTS, T0

SPAN = Span(start_s=T0, step_s=3600, steps=8 * 7 * 24)
SHOP = SeriesId.of({"__name__": "up", "pod": "a"})
BUDGET = Budget(retries=0)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """One that does what it is told."""
    with FaultServer() as running:
        yield running


def asked(server: FaultServer, number: int = -1) -> dict[str, str]:
    """What a request had in its form."""
    return {
        name: value for name, (value,) in parse_qs(server.requests[number].body.decode()).items()
    }


def history(server: FaultServer, query: str = "up", **more: float) -> PrometheusHistory:
    """A source that asks it, and does not try again."""
    settings = SourceSettings(url=server.url, budget=BUDGET, auth=Auth(tenant="team-a"))
    return PrometheusHistory(settings, query, Stat.MAX, timeout_s=more.get("timeout_s", 5.0))


def matrix(*series: tuple[dict[str, str], list[list[object]]]) -> bytes:
    """As the API answers."""
    result = [{"metric": labels, "values": values} for labels, values in series]
    found = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": found}).encode()


def test_a_range_is_asked_for_with_its_tenant(server: FaultServer) -> None:
    """By the labels that tell series apart, of the last millisecond of each step."""
    server.behave(Misbehaviour.EMPTY)
    with closing(history(server, 'up{job="shop"}')) as source:
        source.read([SHOP, SeriesId.of({"__name__": "up", "pod": "b.c"})], SPAN)
    told = asked(server, 0)
    assert urlsplit(server.requests[0].path).path == "/api/v1/query_range"
    assert server.requests[0].headers["x-scope-orgid"] == "team-a"
    assert told["query"] == r'max_over_time(up{job="shop",pod=~"a|b\\.c"}[3600s])'
    assert told["start"] == f"{T0 + 3600 - 0.001:.3f}"
    assert told["step"] == "3600"


def test_no_query_has_more_to_look_at_than_servers_allow(server: FaultServer) -> None:
    """Many series for eight weeks are asked for week by week, at most four at once."""
    server.behave(Misbehaviour.SLOW)
    series = [SeriesId.of({"__name__": "up", "pod": f"p{number}"}) for number in range(400)]
    with closing(history(server)) as source:
        source.read(series, SPAN)
    spans = sorted(
        (float(one["start"]), float(one["end"]))
        for one in (asked(server, number) for number in range(len(server.requests)))
    )
    assert len(spans) > 4
    assert all((end - start + 3600) * 400 / 15 <= 20_000_000 for start, end in spans)
    edges = [start for start, _ in spans[1:]]
    assert edges == pytest.approx([end + 3600 for _, end in spans[:-1]])
    assert server.most_at_once == 4


def test_what_is_too_much_is_halved(server: FaultServer) -> None:
    """A limit of the server below its default does not end the run."""
    server.behave(Misbehaviour.TOO_MANY_SAMPLES, Misbehaviour.EMPTY)
    with closing(history(server)) as source:
        source.read([SHOP], SPAN)
    spans = [(float(asked(server, n)["start"]), float(asked(server, n)["end"])) for n in range(3)]
    assert spans[1][0] == spans[0][0]
    assert spans[2][1] == spans[0][1]
    assert spans[2][0] - spans[1][1] == pytest.approx(3600)


def test_one_step_that_is_too_much_is_told(server: FaultServer) -> None:
    """It ends."""
    server.behave(Misbehaviour.TOO_MANY_SAMPLES)
    with closing(history(server)) as source, pytest.raises(SourceError, match="selects too much"):
        source.read([SHOP], replace(SPAN, steps=2))
    assert len(server.requests) <= 3


def test_a_part_is_never_taken_for_the_whole(server: FaultServer) -> None:
    """A store of Thanos is away: half of a sum is no history."""
    server.behave(Misbehaviour.WARNINGS)
    with closing(history(server)) as source, pytest.raises(SourceError, match="a part only"):
        source.read([SHOP], SPAN)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Misbehaviour.HTML, "HTML instead of JSON"),
        (Misbehaviour.WORDS_FOR_NUMBERS, "not numbers"),
        (Misbehaviour.UNAUTHORIZED, "refused our credentials"),
        (Misbehaviour.BLACK_HOLE, "did not answer whole within 0.3 s"),
        (Misbehaviour.BAD_QUERY, "rejected the query"),
    ],
)
def test_what_goes_wrong_is_told(server: FaultServer, behaviour: Misbehaviour, words: str) -> None:
    """In words that say what to do, and in time."""
    server.behave(behaviour)
    with closing(history(server, timeout_s=0.3)) as source, pytest.raises(SourceError, match=words):
        source.read([SHOP], SPAN)


def test_infinite_values_are_missing(server: FaultServer) -> None:
    """A division by zero in a recording rule is no usage."""
    values: list[list[object]] = [[T0 + 3600 - 0.001, "+Inf"], [T0 + 7200 - 0.001, "3"]]
    server.behave(matrix(({"pod": "a"}, values)))
    with closing(history(server)) as source:
        told = source.read([SHOP], replace(SPAN, steps=3))[0]
    np.testing.assert_array_equal(told, [np.nan, 3.0, np.nan])


def test_long_lists_of_series_fit_into_queries(server: FaultServer) -> None:
    """Mimir takes 16 kB; names of pods are long."""
    server.behave(Misbehaviour.EMPTY)
    series = [SeriesId.of({"pod": f"{number:05d}{'x' * 200}"}) for number in range(150)]
    with closing(history(server)) as source:
        source.read(series, replace(SPAN, steps=24))
    texts = [asked(server, number)["query"] for number in range(len(server.requests))]
    assert max(map(len, texts)) < 16_000
    assert all(sum(dict(one.labels)["pod"] in text for text in texts) == 1 for one in series)


@pytest.mark.real
def test_an_expression_is_read_as_it_is(prometheus_past: str) -> None:
    """Sums over pods, with the length of a step where it says so; asked for once."""
    query = f"sum by (job) (rate({REQUESTS}[$step])) or count({MEMORY})"
    span = Span(start_s=T0 + 65 * DAY, step_s=3600, steps=24)
    source = PrometheusHistory(SourceSettings(url=prometheus_past), query)
    with closing(source):
        (one,) = source.series(span)
        np.testing.assert_allclose(source.read([one], span)[0], 2.0)
        before = source.cost.queries
        np.testing.assert_allclose(source.read([one], span)[0], 2.0)
        assert source.cost.queries == before


@pytest.mark.real
def test_what_comes_and_goes_is_found_by_an_expression(prometheus_past: str) -> None:
    """A series that is there on some days only has its days."""
    source = PrometheusHistory(SourceSettings(url=prometheus_past), f"sum by (pod) ({MEMORY})")
    span = Span(start_s=T0, step_s=3600, steps=90 * 24)
    with closing(source):
        found = source.series(span)
        values = source.read(found, span)
    known = {
        dict(one.labels)["pod"]: int(row.sum())
        for one, row in zip(found, np.isfinite(values), strict=True)
    }
    assert known["late"] == pytest.approx(20 * 24, abs=1)
    assert known["a"] == pytest.approx(60 * 24, abs=1)
