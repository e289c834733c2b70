"""Pulling in `serinus serve`: what it reads is judged, how that goes is told, nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.bodies.answer import ReadyAnswer
from api.compose import open_gate
from api.serving import serving_app
from api.settings import Settings, load_settings
from api.stream_settings import StreamSection
from api.streaming import Streaming, open_streaming
from detector.errors import ConfigError
from detector.series import Answer, Query
from pipelines.sources.memory import MemorySource
from pipelines.sources.open import Source
from pipelines.testing import FakeSource, Fault
from tests.api.doors import QUESTION, quiet_logs
from tests.api.test_push_real import exposed
from tests.servers import running_prometheus, scrape_config


@contextmanager
def serving(
    folder: Path, source: Source | None = None, url: str = "http://127.0.0.1:9", **pull: object
) -> Iterator[tuple[TestClient, Streaming]]:
    """An app that pulls from a source, or from the one of its settings."""
    quiet_logs()
    more = {"selectors": ("load",), "interval_s": 0.01, "settle_s": 0.01, **pull}
    settings = Settings(
        data=folder,
        source={"url": url},  # type: ignore[arg-type]
        stream=StreamSection(pull=more),  # type: ignore[arg-type]
    )
    opened = open_gate(settings, source=MemorySource(), in_memory=True)
    streaming = open_streaming(settings)
    assert streaming.wait(60)
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming, pulled=source)
    try:
        yield TestClient(app, base_url="http://127.0.0.1"), streaming
    finally:
        streaming.close()


def filled() -> FakeSource:
    """A gauge of the last half hour."""
    import numpy as np

    source, now = FakeSource(), time.time()
    times = np.arange(now - 1_800, now, 15.0)
    source.store.add({"__name__": "load", "pod": "a"}, times, times % 7)
    return source


def until(is_so: Callable[[], object]) -> None:
    """Return once another thread has made it so."""
    give_up = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_what_is_pulled_is_judged_and_told(tmp_path: Path) -> None:
    """As what is pushed: counted by its door, with the time up to which all is there."""
    with serving(tmp_path, filled()) as (client, streaming):
        until(lambda: streaming.stream.meters.samples == 120)
        ready, shown = client.get("/readyz").json(), client.get("/metrics").text
    ReadyAnswer.model_validate(ready)
    assert ready["pull"].startswith("has read up to 20")
    assert 'serinus_ingest_samples_total{door="pull",tenant="default"} 120.0' in shown
    assert "serinus_pull_samples_total 120.0" in shown
    assert "serinus_pull_is_failing 0.0" in shown


def test_a_source_that_is_down_is_told_and_costs_no_readiness(tmp_path: Path) -> None:
    """Whoever looks sees it; a gate that is out of service for it would hold up releases."""
    source = filled()
    source.fault = Fault.DOWN
    with serving(tmp_path, source) as (client, streaming):
        until(lambda: "serinus_pull_is_failing 1.0" in client.get("/metrics").text)
        ready = client.get("/readyz")
        source.fault = Fault.NONE
        until(lambda: streaming.stream.meters.samples == 120)
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert "told to be down" in ready.json()["pull"]


class Hanging(FakeSource):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.leave = threading.Event(), threading.Event()

    def read(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Answer]:
        """Hang, then answer."""
        self.is_asked.set()
        self.leave.wait(60)
        return super().read(queries, start, end, timeout_s=timeout_s)


def test_no_verdict_waits_for_a_slow_source(tmp_path: Path) -> None:
    """While an answer is due, questions and pushes are answered as ever."""
    source = Hanging()
    with serving(tmp_path, source) as (client, _):
        assert source.is_asked.wait(60)
        client.post("/v1/verdicts", json=dict(QUESTION))
        began = time.monotonic()
        told = [client.post("/v1/verdicts", json=dict(QUESTION)).status_code for _ in range(5)]
        assert time.monotonic() - began < 5
        source.leave.set()
    assert told == [200] * 5


def test_without_selectors_nothing_is_pulled(tmp_path: Path) -> None:
    """And nothing is said of it."""
    with serving(tmp_path, filled(), selectors=()) as (client, streaming):
        assert streaming.pulling is None
        assert client.get("/readyz").json()["pull"] is None
        assert "serinus_pull" not in client.get("/metrics").text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("selectors: ['up{']", "stream.pull"),
        ("selectors: ['{}']", "selects every series"),
        ("selectors: [up], tenant: a/b", "stream.pull.tenant"),
        ("selectors: [up], interval_s: 0", "stream.pull.interval_s"),
    ],
    ids=["selector", "everything", "tenant", "interval"],
)
def test_a_mistake_in_its_settings_is_told_at_the_start(
    text: str, words: str, tmp_path: Path
) -> None:
    """Not by metrics that never come."""
    file = tmp_path / "serinus.yaml"
    file.write_text(f"stream: {{pull: {{{text}}}}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_settings(file)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("binary", ["prometheus2", "prometheus3"])
def test_a_real_prometheus_is_pulled_by_the_source_of_the_settings(
    binary: str, tmp_path: Path
) -> None:
    """Its own connections; while it is gone that is told, and when it is back it goes on."""
    with exposed() as (target, _):
        config = scrape_config(target)
        data, shop = tmp_path / "data", ('{job="shop"}',)
        with (
            running_prometheus(binary, tmp_path / "p", config=config) as server,
            serving(data, url=server.url, selectors=shop, settle_s=1.0) as (client, streaming),
        ):
            until(lambda: streaming.stream.meters.samples > 100)
            ready = client.get("/readyz").json()
        with serving(data, url=server.url, selectors=shop, settle_s=1.0) as (client, streaming):
            until(lambda: "serinus_pull_is_failing 1.0" in client.get("/metrics").text)
            gone = client.get("/readyz").json()
    assert ready["pull"].startswith("has read up to 20")
    assert "tries again from there" in gone["pull"]
