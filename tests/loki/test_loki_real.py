"""A real Loki: what it answers is what we answer, and what it holds is read once."""

from __future__ import annotations

import gzip
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cramjam
import pytest

from pipelines.ingest.limits import Limits
from pipelines.ingest.log_doors import LogDoors
from pipelines.ingest.log_pull import LogPull
from pipelines.sources.loki import Loki
from pipelines.sources.settings import SourceSettings
from pipelines.testing.log_sink import MemoryLogSink
from tests.api.test_logs_real import receiving_logs
from tests.api.test_push_real import until
from tests.loki.running import posted, running_loki
from tests.pipelines.ingest.logs.lokis import pushed

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
SECOND = 10**9


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for all of them."""
    with running_loki(tmp_path_factory.mktemp("loki")) as url:
        yield url


def snapped(labels: str, at: int) -> bytes:
    """A push of one line."""
    request = pushed({labels: [(at, "said", {"trace_id": "ab"})]})
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def in_json(at: object, **stream: str) -> bytes:
    """The same in JSON."""
    return json.dumps({"streams": [{"stream": stream, "values": [[at, "said"]]}]}).encode()


PUSHES: dict[str, tuple[Callable[[int], bytes], dict[str, str]]] = {
    "protobuf": (lambda at: snapped('{app="shop"}', at), PROTOBUF),
    "protobuf, encoding named": (
        lambda at: snapped('{app="shop"}', at),
        {**PROTOBUF, "Content-Encoding": "snappy"},
    ),
    "json": (lambda at: in_json(str(at), app="shop"), JSON),
    "json, gzip": (
        lambda at: gzip.compress(in_json(str(at), app="shop")),
        {**JSON, "Content-Encoding": "gzip"},
    ),
    "json, deflate": (
        lambda at: zlib.compress(in_json(str(at), app="shop"), wbits=-15),
        {**JSON, "Content-Encoding": "deflate"},
    ),
    "no snappy": (lambda _: b"words", PROTOBUF),
    "no protobuf": (lambda _: bytes(cramjam.snappy.compress_raw(b"\xff\xff")), PROTOBUF),
    "no json": (lambda _: b"{", JSON),
    "a time in a number": (lambda at: in_json(at, app="shop"), JSON),
    "a time in words": (lambda _: in_json("soon", app="shop"), JSON),
    "no labels": (lambda at: snapped("{}", at), PROTOBUF),
    "broken labels": (lambda at: snapped("{app=", at), PROTOBUF),
    "more than equal": (lambda at: snapped('{app=~"shop"}', at), PROTOBUF),
}


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_is_answered_as_a_real_one_answers(name: str, loki: str) -> None:
    """A sender that works with a Loki works here, and gives up where it would there."""
    body, headers = PUSHES[name]
    at = time.time_ns()
    with receiving_logs() as (url, sink):
        ours = posted(url, body(at), headers)
        theirs = posted(loki, body(at), headers)
        assert ours == theirs
        assert bool(sink.lines()) == (theirs == 204)


def fill(url: str, app: str, *, seed: int) -> list[str]:
    """Lines of four streams, many of them of one nanosecond; what they say."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    begin = time.time_ns() - 60 * SECOND
    said = []
    streams = []
    for pod in range(4):
        times = sorted(
            draw.choice([begin, begin + 1, begin + 7, begin + SECOND]) for _ in range(40)
        )
        lines = [f"{app} pod {pod} says line number {nth}." for nth in range(40)]
        said += lines
        values = [
            [str(at), line, {"trace_id": f"{draw.getrandbits(128):032x}"}]
            for at, line in zip(times, lines, strict=True)
        ]
        streams.append({"stream": {"app": app, "pod": str(pod)}, "values": values})
    assert posted(url, json.dumps({"streams": streams}).encode(), JSON) == 204
    return said


def pulled(url: str, app: str, page_lines: int) -> MemoryLogSink:
    """All that a pull takes of an app, page by page."""
    sink, reader = MemoryLogSink(), Loki(SourceSettings(kind="loki", url=url))
    pull = LogPull(
        reader,
        LogDoors(sink, Limits()),
        f'{{app="{app}"}}',
        first_s=300,
        settle_s=1,
        page_lines=page_lines,
    )
    while pull.step(time.time(), timeout_s=20) is not None:
        if pull.since is not None and pull.since > time.time() - 5:
            break
    reader.close()
    assert pull.doubtful == 0
    return sink


@pytest.mark.parametrize("page_lines", [25, 60, 5_000])
def test_what_it_holds_is_read_once_wherever_pages_end(page_lines: int, loki: str) -> None:
    """Forty lines a nanosecond, over four streams: also more of them than a page has."""
    app = f"pages{page_lines}"
    said = fill(loki, app, seed=page_lines)
    until(lambda: len(pulled(loki, app, 5_000).lines()) == len(said), "all lines in Loki")
    sink = pulled(loki, app, page_lines)
    assert sorted(sink.messages()) == sorted(said)
    assert {line.origin.service for line in sink.lines()} == {app}
    assert {line.origin.pod for line in sink.lines()} == {"0", "1", "2", "3"}
    assert all(len(line.trace) == 32 for line in sink.lines())


def test_a_line_that_comes_twice_is_one_there_as_here(loki: str) -> None:
    """The same line at the same nanosecond of one stream."""
    at = time.time_ns() - 30 * SECOND
    entries = [(at, "once"), (at, "once"), (at, "other"), (at + 1, "once")]
    request = pushed({'{app="twice"}': entries})
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    with receiving_logs() as (url, sink):
        assert posted(url, body, PROTOBUF) == posted(loki, body, PROTOBUF) == 204
        ours = sink.messages()
    until(lambda: pulled(loki, "twice", 100).lines(), "the lines in Loki")
    assert sorted(pulled(loki, "twice", 100).messages()) == sorted(ours)


def test_what_cannot_be_selected_is_said(tmp_path: Path, loki: str) -> None:
    """An error of Loki reaches who reads `/readyz`."""
    from detector.errors import SourceError

    with pytest.raises(SourceError, match="rejected the query"):
        Loki(SourceSettings(kind="loki", url=loki)).page('{app=""}', 1, 2, limit=10, timeout_s=10)
