"""Anomalies over HTTP: what a person reads at night, what they answer, and kill -9 in between."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.bodies.answer import ReadyAnswer
from api.compose import Opened, open_gate
from api.ingest_settings import IngestSettings
from api.serving import serving_app
from api.settings import Settings
from api.stream_settings import StreamSection
from api.streaming import DATABASE, Streaming, open_streaming
from detector.errors import StoreError
from pipelines.sources.memory import MemorySource
from pipelines.stores.checkpoints import Checkpoints
from pipelines.stores.sqlite import Database
from tests.api.streaming import ALWAYS, MINUTE, T0, message, values_of
from tests.full_disk import full_disk
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {"Content-Type": "application/msgpack"}


def streamed(folder: Path, room: int = 2_000_000) -> tuple[FastAPI, Streaming, Opened]:
    """An app with a stream that takes samples of any time."""
    settings = Settings(
        data=folder,
        ingest=IngestSettings(ahead_s=ALWAYS, behind_s=ALWAYS),
        stream=StreamSection(alarms_a_week=0.1, room=room),
    )
    opened, streaming = open_gate(settings, source=MemorySource()), open_streaming(settings)
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    assert streaming.wait(60), streaming.words
    return app, streaming, opened


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """An app that has judged five hours of one service with twenty odd minutes."""
    app, streaming, opened = streamed(tmp_path)
    client = TestClient(app, base_url="http://127.0.0.1")
    told = client.post("/v1/columns", content=message(0, values_of(300)), headers=COLUMNS)
    assert told.status_code == 204, told.text
    assert streaming.stream.drain(60)
    yield client
    streaming.close()
    opened.close()


def test_an_anomaly_reads_well(client: TestClient) -> None:
    """Whose, what, how far, since when, in how many series, and whether it is over."""
    one = client.get("/v1/anomalies").json()["anomalies"][0]
    assert (one["service"], one["metric"], one["side"]) == ("checkout", "queue", "above")
    assert (one["state"], one["ended"], one["severity"]) == ("closed", "calm", "high")
    assert (one["series"], one["of"]) == (2, 4)
    assert one["text"].startswith("checkout: queue rose to ")
    assert "in 2 of 4 series" in one["text"]
    assert one["peak"]["high"] < one["peak"]["value"]
    assert one["peak"]["labels"]["pod"] in {"checkout-0", "checkout-1"}
    assert client.get(one["links"]["self"]).json() == one


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"service": "checkout"}, 1),
        ({"service": "cart"}, 0),
        ({"severity": "high"}, 1),
        ({"lasting": "true"}, 0),
        ({"from": "2026-09-21T12:00:00Z"}, 1),
        ({"from": "2026-09-22T12:00:00Z"}, 0),
        ({"to": "2026-09-21T12:00:00Z"}, 0),
    ],
)
def test_anomalies_are_found_by_what_people_ask(
    client: TestClient, asked: dict[str, str], count: int
) -> None:
    """By service, by time, by severity, and whether they last."""
    assert len(client.get("/v1/anomalies", params=asked).json()["anomalies"]) == count


def test_another_tenant_sees_nothing_of_it(client: TestClient) -> None:
    """Tenants share a process, not their anomalies."""
    id = client.get("/v1/anomalies").json()["anomalies"][0]["id"]
    other = {"X-Scope-OrgID": "other"}
    assert client.get("/v1/anomalies", headers=other).json()["anomalies"] == []
    assert client.get(f"/v1/anomalies/{id}", headers=other).status_code == 404


def test_feedback_is_shown_with_what_it_changed(client: TestClient) -> None:
    """Who says that something is normal sees which series are quieter now, and by how much."""
    id = client.get("/v1/anomalies").json()["anomalies"][0]["id"]
    said = {"verdict": "normal", "person": "ada", "note": "the nightly export"}
    told = client.post(f"/v1/anomalies/{id}/feedback", json=said)
    assert told.status_code == 201
    assert told.json()["feedback"][0]["note"] == "the nightly export"
    assert all(one["tuning"]["normal"] == 1 for one in told.json()["contributions"])
    assert all(one["tuning"]["shift"] >= 1 for one in told.json()["contributions"])


@pytest.mark.parametrize("body", [{"verdict": "maybe"}, {}, {"verdict": "real", "why": "x"}])
def test_feedback_that_is_none_is_refused(client: TestClient, body: dict[str, str]) -> None:
    """A word that is not known would change nothing, and seem to."""
    id = client.get("/v1/anomalies").json()["anomalies"][0]["id"]
    assert client.post(f"/v1/anomalies/{id}/feedback", json=body).status_code == 422


def test_old_anomalies_are_gone_and_nothing_else_is(tmp_path: Path) -> None:
    """After `keep_days`, by the clock of whoever keeps them."""
    app, streaming, opened = streamed(tmp_path)
    client = TestClient(app, base_url="http://127.0.0.1")
    told = client.post("/v1/columns", content=message(0, values_of(300)), headers=COLUMNS)
    assert (told.status_code, streaming.stream.drain(60)) == (204, True)
    ended = (T0 + 220 * MINUTE) / 1000
    kept, gone = streaming.forget(ended + 179 * 86_400), streaming.forget(ended + 181 * 86_400)
    assert (kept, gone) == (0, 1)
    assert client.get("/v1/anomalies").json()["anomalies"] == []
    streaming.close()
    opened.close()


def test_a_cursor_that_is_none_is_the_askers_mistake(client: TestClient) -> None:
    """And no error of ours."""
    assert client.get("/v1/anomalies", params={"cursor": "nonsense"}).status_code == 400


def test_without_a_stream_there_are_no_anomalies(tmp_path: Path) -> None:
    """404 says so; an empty list would seem calm."""
    opened = open_gate(Settings(data=tmp_path), source=MemorySource(), in_memory=True)
    answer = TestClient(create_app(opened.gate), base_url="http://127.0.0.1").get("/v1/anomalies")
    assert answer.status_code == 404
    assert "without a stream" in answer.json()["detail"]


def test_metrics_tell_how_the_stream_is(client: TestClient) -> None:
    """Lag, what waits and what was put off, for whoever watches the watcher."""
    text = client.get("/metrics").text
    assert "serinus_stream_samples_total 1200.0" in text
    assert "serinus_stream_waiting_samples 0.0" in text
    assert "serinus_stream_is_stopped 0.0" in text


def test_a_stream_that_stopped_is_told_and_takes_no_verdict_away(tmp_path: Path) -> None:
    """A gate that says 503 for it would hold up every release; who looks still sees it."""
    app, streaming, opened = streamed(tmp_path)
    client = TestClient(app, base_url="http://127.0.0.1")
    well = client.get("/readyz")
    streaming.stream.meters.missed(StoreError("database is locked"))
    waits = client.get("/readyz")
    part_of(tmp_path).take()
    streaming.close()
    stopped = client.get("/readyz")
    ReadyAnswer.model_validate(stopped.json())
    assert [told.status_code for told in (well, waits, stopped)] == [200] * 3
    assert well.json()["stream"] == "judges what comes in"
    assert waits.json()["stream"].startswith("waits for its database")
    assert "another process" in stopped.json()["stream"]
    assert stopped.json()["ready"] is True
    assert (
        client.post("/v1/columns", content=message(0, values_of(1)), headers=COLUMNS).status_code
        == 503
    )
    assert "serinus_stream_is_stopped 1.0" in client.get("/metrics").text
    opened.close()


def test_a_full_disk_is_503_and_needs_no_restart(tmp_path: Path) -> None:
    """Senders keep what was refused and send it again: no sample is lost, and none counts twice."""
    app, streaming, opened = streamed(tmp_path)
    client = TestClient(app, base_url="http://127.0.0.1")

    def sent(first: int, last: int) -> int:
        body = message(first, values_of(300)[first:last])
        return client.post("/v1/columns", content=body, headers=COLUMNS).status_code

    began = sent(0, 100)
    with full_disk(sum(path.stat().st_size for path in tmp_path.glob("spool/*")) + 50):
        refused = [sent(100, 300) for _ in range(3)]
        ready = client.get("/readyz").status_code
    after = sent(100, 300)
    assert streaming.stream.drain(60)
    streaming.close()
    assert (began, refused, ready, after) == (204, [503] * 3, 200, 204)
    assert (streaming.stream.meters.samples, streaming.stream.meters.failed) == (1200, "")
    assert len(client.get("/v1/anomalies").json()["anomalies"]) == 1
    opened.close()


def test_behind_a_database_that_is_locked_senders_hear_later(tmp_path: Path) -> None:
    """What was taken is judged once the lock is gone; what was not is sent again."""
    app, streaming, opened = streamed(tmp_path, room=4)
    client = TestClient(app, base_url="http://127.0.0.1")

    def sent(first: int, last: int) -> int:
        body = message(first, values_of(300)[first:last])
        return client.post("/v1/columns", content=body, headers=COLUMNS).status_code

    began = sent(0, 190)
    assert streaming.stream.drain(60)
    other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    other.execute("begin immediate")
    taken, later = sent(190, 250), sent(250, 300)
    other.execute("rollback")
    assert streaming.stream.drain(60)
    again = sent(250, 300)
    assert streaming.stream.drain(60)
    streaming.close()
    assert (began, taken, later, again) == (204, 204, 429, 204)
    assert streaming.stream.meters.samples == 1200
    assert len(client.get("/v1/anomalies").json()["anomalies"]) == 1
    opened.close()


def part_of(folder: Path) -> Checkpoints:
    """The part of the stream of a data directory, as another process would take it."""
    return Checkpoints(Database(folder / DATABASE), "local")


@contextmanager
def served(data: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A process that is ready, and killed at the end."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.api.streaming", str(data), str(port)], cwd=ROOT
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url, process
    finally:
        process.kill()
        process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 80
    while time.monotonic() < give_up and process.poll() is None:
        try:
            told = httpx2.get(f"{url}/readyz", timeout=2).json()
            if told["stream"] == "judges what comes in":
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError("it was not ready in time")


def _judged(url: str, samples: int) -> list[dict[str, Any]]:
    """All anomalies, once what was sent is judged."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        text = httpx2.get(f"{url}/metrics", timeout=10).text
        if "serinus_stream_waiting_samples 0.0" in text:
            found: list[dict[str, Any]] = httpx2.get(f"{url}/v1/anomalies", timeout=10).json()[
                "anomalies"
            ]
            return found
        time.sleep(0.05)
    raise AssertionError(f"{samples} samples were not judged in time")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_was_acknowledged_outlives_kill_9_and_is_judged_once(tmp_path: Path) -> None:
    """Killed three times right after an answer: the anomalies are those of a calm life."""
    value = values_of(300)
    app, streaming, opened = streamed(tmp_path / "calm")
    calm = TestClient(app, base_url="http://127.0.0.1")
    assert calm.post("/v1/columns", content=message(0, value), headers=COLUMNS).status_code == 204
    streaming.close()
    expected = calm.get("/v1/anomalies").json()["anomalies"]
    opened.close()
    cuts = sorted(np.random.default_rng(5).choice(range(1, 300), 3, replace=False).tolist())
    for start, end in zip([0, *cuts], [*cuts, 300], strict=True):
        with served(tmp_path / "killed") as (url, _):
            for first in range(start, end, 10):
                body = message(first, value[first : min(first + 10, end)])
                told = httpx2.post(f"{url}/v1/columns", content=body, headers=COLUMNS, timeout=20)
                assert told.status_code == 204, told.text
    with served(tmp_path / "killed") as (url, _):
        assert _judged(url, value.size) == expected
    assert len(expected) == 1
