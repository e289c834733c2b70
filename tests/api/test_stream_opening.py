"""A stream that cannot be opened takes nothing from the gate, tells why, and harms no file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.compose import open_gate
from api.ingest_settings import IngestSettings
from api.serving import serving_app
from api.settings import Settings
from api.stream_settings import StreamSection
from api.streaming import DATABASE, Streaming, open_streaming
from pipelines.sources.memory import MemorySource
from tests.api.doors import QUESTION, problem_of, quiet_logs
from tests.api.pushing import WRITE, one_series
from tests.api.streaming import ALWAYS, message, values_of
from tests.full_disk import full_disk

COLUMNS = {"Content-Type": "application/msgpack"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@contextmanager
def gate(folder: Path) -> Iterator[tuple[TestClient, Streaming]]:
    """An app on a data directory; its stream opens or not."""
    quiet_logs()
    settings = Settings(
        data=folder,
        ingest=IngestSettings(ahead_s=ALWAYS, behind_s=ALWAYS),
        stream=StreamSection(alarms_a_week=0.01),
    )
    opened = open_gate(settings, source=MemorySource(), in_memory=True)
    streaming = open_streaming(settings)
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    try:
        yield TestClient(app, base_url="http://127.0.0.1"), streaming
    finally:
        streaming.close()


def pushed(client: TestClient, first: int = 0, last: int = 300) -> Response:
    """Some minutes of columns."""
    body = message(first, values_of(300)[first:last])
    return client.post("/v1/columns", content=body, headers=COLUMNS)


def lived(folder: Path) -> Path:
    """A data directory whose stream has a checkpoint with an anomaly; its database."""
    with gate(folder) as (client, streaming):
        assert streaming.wait(60)
        assert pushed(client).status_code == 204
        assert streaming.stream.drain(60)
    return folder / DATABASE


def garbage(path: Path) -> None:
    """Something that is no database."""
    path.write_bytes(b"what a broken disk left " * 4_000)


def torn(path: Path) -> None:
    """The first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribbled(path: Path) -> None:
    """Its pages but for the first ones are overwritten."""
    held = bytearray(path.read_bytes())
    held[3 * 4096 :] = b"\xa5" * (len(held) - 3 * 4096)
    path.write_bytes(held)


def reason(streaming: Streaming, word: str) -> str:
    """Why it is not open, once that is known."""
    import time

    give_up = time.monotonic() + 30
    while word not in streaming.words:
        assert time.monotonic() < give_up, streaming.words
        time.sleep(0.005)
    return streaming.words


def check_doors_are_shut(client: TestClient) -> None:
    """Senders hear "later", in their own words; who asks for anomalies hears why."""
    write = client.post("/api/v1/write", content=b"\x00", headers=WRITE)
    export = client.post("/v1/metrics", content=b"", headers=PROTOBUF)
    for told in (write, export, pushed(client)):
        assert (told.status_code, told.headers["retry-after"]) == (503, "2")
    for path in ("/v1/anomalies", "/v1/anomalies/an_1", "/v1/anomalies/stream"):
        told = client.get(path)
        assert problem_of(told)[0] == 503
        assert "not open yet" in told.json()["detail"]
        assert told.headers["retry-after"]


@pytest.mark.parametrize("damage", [garbage, torn, scribbled])
def test_a_damaged_database_stops_no_verdict_and_is_left_as_it_is(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    """A release must not wait for a file that only anomalies need; and a person may still mend it.

    Moved away as it says, the stream begins anew without a restart.
    """
    path = lived(tmp_path)
    damage(path)
    held = path.read_bytes()
    with gate(tmp_path) as (client, streaming):
        words = reason(streaming, "damaged")
        assert f"move {DATABASE}*" in words
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["stream"]) == (200, streaming.words)
        assert client.post("/v1/verdicts", json=dict(QUESTION)).status_code == 200
        assert "serinus_stream_is_open 0.0" in client.get("/metrics").text
        check_doors_are_shut(client)
        assert path.read_bytes() == held
        for name in tmp_path.glob(f"{DATABASE}*"):
            name.rename(name.with_name(f"old-{name.name}"))
        assert streaming.wait(60), streaming.words
        assert pushed(client).status_code == 204
        assert "serinus_stream_is_open 1.0" in client.get("/metrics").text


def test_a_database_that_is_locked_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """A backup that runs while the process starts held up the gate for a minute, and ended it."""
    path = lived(tmp_path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with gate(tmp_path) as (client, streaming):
        assert client.post("/v1/verdicts", json=dict(QUESTION)).status_code == 200
        assert client.get("/readyz").json()["stream"].startswith("not open")
        check_doors_are_shut(client)
        other.execute("rollback")
        assert streaming.wait(60), streaming.words
        assert len(client.get("/v1/anomalies").json()["anomalies"]) == 1
    other.close()


def test_a_disk_that_is_full_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """And no advice to move files away is given: there is nothing wrong with them."""
    with full_disk(4096), gate(tmp_path) as (client, streaming):
        words = reason(streaming, "failed")
        assert "damaged" not in words
        assert client.post("/v1/verdicts", json=dict(QUESTION)).status_code == 200
        check_doors_are_shut(client)
    with gate(tmp_path) as (client, streaming):
        assert streaming.wait(60), streaming.words
        assert pushed(client).status_code == 204


def test_a_folder_that_cannot_be_the_spool_is_told(tmp_path: Path) -> None:
    """A volume that was mounted too late is found once it is there."""
    (tmp_path / "spool").write_text("in the way")
    with gate(tmp_path) as (client, streaming):
        assert "spool" in reason(streaming, "spool")
        check_doors_are_shut(client)
        (tmp_path / "spool").unlink()
        assert streaming.wait(60), streaming.words


def test_a_spool_without_its_database_is_not_replayed(tmp_path: Path) -> None:
    """Ids would mean other series: samples of one pod would be judged as those of another."""
    lived(tmp_path)
    with gate(tmp_path) as (client, streaming):
        assert streaming.wait(60)
        assert pushed(client, 0, 3).status_code == 204
        assert streaming.stream.drain(60)
        spool = next(tmp_path.glob("spool/*.spool"))
        held = spool.read_bytes()
    spool.write_bytes(held)
    for name in tmp_path.glob(f"{DATABASE}*"):
        name.unlink()
    with gate(tmp_path) as (client, streaming):
        words = reason(streaming, "spool has no record 1")
        assert "move" in words
        assert spool.read_bytes() == held
        check_doors_are_shut(client)
        spool.unlink()
        assert streaming.wait(60), streaming.words


def test_remote_write_is_taken_once_it_is_open(tmp_path: Path) -> None:
    """The tenant that knocked too early is not left with doors onto nothing."""
    from pipelines.testing.remote_write import request, snapped

    garbage(tmp_path / DATABASE)
    body = snapped(request([one_series(pod="a")]))
    with gate(tmp_path) as (client, streaming):
        early = client.post("/api/v1/write", content=body, headers=WRITE)
        (tmp_path / DATABASE).unlink()
        assert streaming.wait(60), streaming.words
        told = client.post("/api/v1/write", content=body, headers=WRITE)
        assert streaming.stream.drain(60)
        assert streaming.stream.meters.samples == 1
    assert (early.status_code, told.status_code) == (503, 204)
