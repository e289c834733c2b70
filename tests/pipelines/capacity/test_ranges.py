"""Chunks of long spans, by a server that answers as the documented API does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import numpy as np
import pytest

from detector.errors import ConfigError, SourceError
from pipelines.capacity.ranges import PrometheusRanges, open_ranges
from pipelines.sources.settings import Budget, SourceSettings

START = 1_790_000_000 // 3600 * 3600.0
HOUR = 3600.0


class Api(BaseHTTPRequestHandler):
    """`/api/v1/query_range` of one series that tells its own time, bounded as Prometheus is."""

    asked: list[dict[str, str]]
    most = 11_000
    names = ("a",)

    def do_POST(self) -> None:
        """A matrix, or the refusal of too many points."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.asked.append(form)
        start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        times = np.arange(start, end + step / 2, step)
        if len(times) * len(self.names) > self.most:
            self._send(422, {"status": "error", "errorType": "execution",
                             "error": "query processing would load too many samples"})  # fmt: skip
            return
        values = [[t, str(t)] for t in times.tolist()]
        result = [{"metric": {"pod": name}, "values": values} for name in self.names]
        self._send(200, {"status": "success", "data": {"resultType": "matrix", "result": result}})

    def _send(self, status: int, answer: object) -> None:
        told = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@contextmanager
def serving(
    *, most: int = 11_000, names: tuple[str, ...] = ("a",)
) -> Iterator[tuple[str, type[Api]]]:
    """Its address, and what it was asked for."""
    handler = type("Handler", (Api,), {"asked": [], "most": most, "names": names})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_long_span_is_read_in_chunks_and_is_whole() -> None:
    """Each hour of 90 days once, in order, whatever the chunks are."""
    with serving() as (url, api):
        ranges = PrometheusRanges(SourceSettings(url=url))
        answer = ranges.ranged("up", START, START + 2159 * HOUR, step_s=HOUR, timeout_s=20)
        ranges.close()
    (series,) = answer.series
    np.testing.assert_array_equal(series.times, START + HOUR * np.arange(2160))
    np.testing.assert_array_equal(series.values, series.times)
    spans = [(float(one["end"]) - float(one["start"])) / HOUR + 1 for one in api.asked]
    assert max(spans) == 168
    assert sum(spans) == 2160


def test_what_is_too_much_is_halved() -> None:
    """A server with a lower bound than the usual one is asked for less at once."""
    with serving(most=50) as (url, _):
        ranges = PrometheusRanges(SourceSettings(url=url))
        answer = ranges.ranged("up", START, START + 299 * HOUR, step_s=HOUR, timeout_s=20)
        ranges.close()
    assert len(answer.series[0].times) == 300


def test_more_series_than_the_budget_are_refused() -> None:
    """A query without an aggregation does not fill our memory."""
    with serving(names=("a", "b", "c")) as (url, _):
        ranges = PrometheusRanges(SourceSettings(url=url, budget=Budget(max_series=2)))
        with pytest.raises(SourceError, match="over 2 series; narrow it"):
            ranges.ranged("up", START, START, step_s=HOUR, timeout_s=20)
        ranges.close()


def test_one_moment_is_one_value() -> None:
    """What there is now."""
    with serving() as (url, api):
        ranges = PrometheusRanges(SourceSettings(url=url, params={"dedup": "true"}))
        answer = ranges.ranged("up", START, START, step_s=HOUR, timeout_s=20)
        ranges.close()
    assert len(answer.series[0].times) == 1
    assert api.asked[0]["dedup"] == "true"
    assert api.asked[0]["timeout"].endswith("ms")


def test_no_time_is_an_error() -> None:
    """Not an answer with a part of the hours."""
    with serving() as (url, _):
        ranges = PrometheusRanges(SourceSettings(url=url))
        with pytest.raises(SourceError, match="did not answer within"):
            ranges.ranged("up", START, START + HOUR, step_s=HOUR, timeout_s=-1)
        ranges.close()


def test_a_source_without_promql_is_refused() -> None:
    """At the start."""
    with pytest.raises(ConfigError, match="'memory' does not"):
        open_ranges(SourceSettings(kind="memory"))
