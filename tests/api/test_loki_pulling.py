"""A Loki that `serinus serve` reads: its lines are counted once, and how that goes is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.compose import open_gate
from api.logs_settings import LogsSection
from api.serving import serving_app
from api.settings import Settings, load_settings
from api.streaming import Streaming, open_streaming
from detector.errors import ConfigError
from pipelines.sources.memory import MemorySource
from pipelines.testing import FaultServer, Misbehaviour
from tests.api.doors import quiet_logs
from tests.api.test_pulling import until

NOTHING = b'{"status":"success","data":{"resultType":"streams","result":[]}}'


def answer(*lines: str) -> bytes:
    """A page with lines of half a minute ago."""
    at = time.time_ns() - 30 * 10**9
    values = [[str(at + nth), line] for nth, line in enumerate(lines)]
    result = [{"stream": {"app": "shop", "namespace": "prod"}, "values": values}]
    return json.dumps({"data": {"resultType": "streams", "result": result}}).encode()


@contextmanager
def serving(folder: Path, url: str) -> Iterator[tuple[TestClient, Streaming]]:
    """An app that reads a Loki."""
    quiet_logs()
    loki = {"url": url, "selectors": ['{app="shop"}'], "interval_s": 0.05, "first_s": 60}
    settings = Settings(
        data=folder,
        source={"url": "http://127.0.0.1:9"},  # type: ignore[arg-type]
        logs=LogsSection(loki={**loki, "budget": {"retries": 0}}),  # type: ignore[arg-type]
    )
    opened = open_gate(settings, source=MemorySource(), in_memory=True)
    streaming = open_streaming(settings)
    assert streaming.wait(60)
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    try:
        yield TestClient(app, base_url="http://127.0.0.1"), streaming
    finally:
        streaming.close()


def test_what_it_holds_is_counted_and_told(tmp_path: Path) -> None:
    """By its door, with the time up to which all is there; the next process goes on behind it."""
    with FaultServer() as loki:
        loki.behave(answer("order 1 placed", "order 2 placed", "it is ERROR time"), NOTHING)
        with serving(tmp_path, loki.url) as (client, _):
            until(lambda: "serinus_loki_pages_total 3.0" in client.get("/metrics").text)
            ready, shown = client.get("/readyz").json(), client.get("/metrics").text
        begun = len(loki.requests)
        with serving(tmp_path, loki.url):
            until(lambda: len(loki.requests) > begun)
        first, again = loki.requests[0].path, loki.requests[begun].path
    assert ready["loki"].startswith("has read up to 20")
    assert 'serinus_ingest_log_lines_total{door="loki_pull",tenant="default"} 3.0' in shown
    assert "serinus_loki_lines_total 3.0" in shown
    assert start_of(again) - start_of(first) > 40 * 10**9


def start_of(path: str) -> int:
    """Where a page begins."""
    return int(path.partition("start=")[2].partition("&")[0])


def test_one_that_is_down_is_told_and_costs_no_readiness(tmp_path: Path) -> None:
    """Verdicts need no logs; and what it held meanwhile is read when it is back."""
    with FaultServer() as loki:
        loki.behave(Misbehaviour.UNAVAILABLE)
        with serving(tmp_path, loki.url) as (client, _):
            until(lambda: "serinus_loki_is_failing 1.0" in client.get("/metrics").text)
            ready = client.get("/readyz")
            loki.behave(answer("order 1 placed"), NOTHING)
            until(lambda: "serinus_loki_lines_total 1.0" in client.get("/metrics").text)
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert "is not available (503)" in ready.json()["loki"]


@pytest.mark.parametrize(
    ("selectors", "words"),
    [(["{}"], "every stream"), (["x"], "selects no streams"), (['{a="b"}', '{a="b"} '], "twice")],
)
def test_selectors_that_cannot_be_meant_end_the_start(
    selectors: list[str], words: str, tmp_path: Path
) -> None:
    """Not the first reading, which nobody looks at."""
    file = tmp_path / "serinus.yaml"
    file.write_text(json.dumps({"logs": {"loki": {"selectors": selectors}}}), encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_settings(file)
