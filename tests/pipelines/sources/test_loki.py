"""The client of a Loki against a server that misbehaves: bounded, and errors in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from detector.errors import SourceError
from pipelines.ingest.decoded import BodyTooLargeError
from pipelines.ingest.logs.loki_json import Entry, Stream
from pipelines.sources.loki import Loki
from pipelines.sources.settings import Auth, Budget, SourceSettings
from pipelines.testing import FaultServer, Misbehaviour

SHOP = {"app": "shop"}


def answer(*streams: tuple[dict[str, str], list[list[Any]]], kind: str = "streams") -> bytes:
    """As Loki answers."""
    result = [{"stream": labels, "values": values} for labels, values in streams]
    found = {"resultType": kind, "result": result, "stats": {}}
    return json.dumps({"status": "success", "data": found}).encode()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """One that does what it is told."""
    with FaultServer() as running:
        yield running


def loki(server: FaultServer, **more: Any) -> Loki:  # noqa: ANN401
    """A client of it that does not try again."""
    budget = Budget(retries=0, max_body_bytes=more.pop("most", 64 * 2**20))
    return Loki(SourceSettings(kind="loki", url=server.url, budget=budget, **more))


def page(client: Loki, *, timeout_s: float = 5.0) -> list[Stream]:
    """Ask for a page."""
    return list(client.page('{app="shop"}', 17, 18, limit=3, timeout_s=timeout_s))


def test_a_page_is_asked_for_forward_and_told_as_it_was_pushed(server: FaultServer) -> None:
    """With what belongs to single lines beside the lines, and the tenant in its header."""
    told = {"structuredMetadata": {"trace_id": "ab"}, "parsed": {"x": "y"}}
    server.behave(answer((SHOP, [["17", "a"], ["17", "b", told], ["17", "c", {}]])))
    found = page(loki(server, auth=Auth(tenant="team-a")))
    entries = [
        Entry(at="17", line="a"),
        Entry(at="17", line="b", metadata={"trace_id": "ab"}),
        Entry(at="17", line="c"),
    ]
    assert found == [Stream(stream=SHOP, values=entries)]
    (request,) = server.requests
    asked = parse_qs(urlsplit(request.path).query)
    assert urlsplit(request.path).path == "/loki/api/v1/query_range"
    assert asked == {
        "query": ['{app="shop"}'],
        "start": ["17"],
        "end": ["18"],
        "limit": ["3"],
        "direction": ["forward"],
    }
    assert request.headers["x-scope-orgid"] == "team-a"
    assert "categorize-labels" in request.headers["x-loki-response-encoding-flags"]


def test_streams_are_asked_for_by_their_selector(server: FaultServer) -> None:
    """Where more lines have one time than a page holds."""
    server.behave(b'{"status":"success","data":[{"app":"shop"}]}')
    assert loki(server).streams('{app="shop"}', 17, 18, timeout_s=5) == [SHOP]
    assert urlsplit(server.requests[0].path).path == "/loki/api/v1/series"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (Misbehaviour.HTML, "does not answer as Loki"),
        (Misbehaviour.GARBAGE, "does not answer as Loki"),
        (Misbehaviour.EMPTY, "gave no lines"),
        (Misbehaviour.UNAUTHORIZED, "credentials"),
        (Misbehaviour.BAD_QUERY, "rejected the query"),
        (Misbehaviour.BROKEN, "Loki at"),
        (Misbehaviour.HANG_UP, "broke off"),
        (Misbehaviour.HALF_BODY, "Loki at"),
        (Misbehaviour.REDIRECT, "redirects"),
    ],
)
def test_what_is_no_answer_is_an_error_that_says_so(
    server: FaultServer, behaviour: Misbehaviour, words: str
) -> None:
    """The pull keeps its place and says in `/readyz` what is wrong."""
    server.behave(behaviour)
    with pytest.raises(SourceError, match=words):
        page(loki(server))


@pytest.mark.parametrize("behaviour", [Misbehaviour.BLACK_HOLE, Misbehaviour.DRIP])
def test_an_answer_that_does_not_end_is_given_up(
    server: FaultServer, behaviour: Misbehaviour
) -> None:
    """However slowly it drips."""
    server.behave(behaviour)
    with pytest.raises(SourceError, match="did not answer whole within"):
        page(loki(server), timeout_s=0.3)


def test_a_page_over_the_budget_may_be_asked_for_in_smaller_ones(server: FaultServer) -> None:
    """It is told apart from an answer of somebody else."""
    server.behave(answer((SHOP, [["17", "x" * 5_000]])))
    with pytest.raises(BodyTooLargeError):
        page(loki(server, most=1_000))


@pytest.mark.parametrize("at", ["", "soon", "-1", "9" * 30, "١٧"])
def test_a_time_that_is_none_is_an_error_of_the_source(server: FaultServer, at: str) -> None:
    """Nothing can be read on from it."""
    server.behave(answer((SHOP, [[at, "a"]])))
    with pytest.raises(SourceError, match="no unix nanoseconds"):
        page(loki(server))


def test_a_line_that_is_no_text_costs_no_page(server: FaultServer) -> None:
    """One half character would else stop the pull for ever."""
    server.behave(answer((SHOP, [["17", "half \ud800"], ["17", "whole"]])))
    (stream,) = page(loki(server))
    assert [entry.line for entry in stream.values] == ["half \ud800", "whole"]
