"""A model that `serinus fit` kept in the data directory is used by `serinus serve` beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.compose import DATABASE, open_gate
from api.ingest_settings import IngestSettings
from api.serving import serving_app
from api.settings import Settings
from api.stream_settings import StreamSection
from api.streaming import Streaming, open_streaming
from pipelines.ingest.interning import Interner
from pipelines.sources.memory import MemorySource
from pipelines.stores.fitted import SqlFitted
from pipelines.stores.sqlite import Database
from tests.api.doors import quiet_logs
from tests.api.streaming import ALWAYS
from tests.detector.fitted.fleet import DAY, SCOPE, Fleet, fitted, odd_fleet

pytestmark = pytest.mark.slow

LIVE = 14 * DAY


def fit(folder: Path) -> int:
    """What another process does: it keeps a model; its version."""
    database = Database(folder / DATABASE)
    version = SqlFitted(database).save(fitted()).version
    database.close()
    return version


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[TestClient, Streaming]]:
    """An app on a data directory that has a model."""
    quiet_logs()
    settings = Settings(
        data=tmp_path,
        ingest=IngestSettings(ahead_s=ALWAYS, behind_s=ALWAYS),
        stream=StreamSection(alarms_a_week=1.0),
    )
    assert fit(tmp_path) == 1
    opened = open_gate(settings, source=MemorySource(), in_memory=True)
    streaming = open_streaming(settings)
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    try:
        yield TestClient(app, base_url="http://127.0.0.1"), streaming
    finally:
        streaming.close()


def push(streaming: Streaming, fleet: Fleet, begin: int, end: int) -> None:
    """Some minutes of samples."""
    names = streaming.known("default")
    assert isinstance(names, Interner)
    for info in fleet.infos:
        names.id_of(info.labels, info.kind)
    for batch in fleet.batches(begin, end):
        assert streaming.put("default", batch, names)
    assert streaming.stream.drain(120)


def test_an_anomaly_of_a_service_is_listed_explained_and_answered(
    served: tuple[TestClient, Streaming],
) -> None:
    """Who is woken by it sees which metrics, and says what it was, as of any other anomaly."""
    client, streaming = served
    assert streaming.wait(60)
    by = time.monotonic() + 60
    while streaming.stream.models() != {SCOPE: 1} and time.monotonic() < by:
        time.sleep(0.05)
    fleet = odd_fleet()
    push(streaming, fleet, LIVE, fleet.odd[1])
    listed = client.get("/v1/anomalies", params={"metric": "service_model"}).json()["anomalies"]
    [told] = listed
    assert (told["kind"], told["service"], told["metric"]) == (
        "service",
        "checkout",
        "service_model",
    )
    shares = [one["share"] for one in told["contributions"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0, abs=0.05)
    assert told["contributions"][0]["labels"]["__name__"] in {"cpu", "memory", "requests"}
    assert "its metrics together" in told["text"]
    answered = client.post(
        told["links"]["self"] + "/feedback", json={"verdict": "normal", "person": "ada"}
    )
    assert answered.status_code == 201
    assert answered.json()["ended"] == "feedback"
    assert {one["tuning"]["normal"] for one in answered.json()["contributions"]} == {1}
    assert "serinus_stream_modelled_services 1.0" in client.get("/metrics").text
