"""Anomalies as they happen, over restarts of the process: each once, none left out."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from api.compose import open_gate
from api.ingest_settings import IngestSettings
from api.serving import serving_app
from api.settings import Settings
from api.stream_settings import StreamSection
from api.streaming import Streaming, open_streaming
from detector.stream.anomaly import Happened, Happening
from pipelines.sources.memory import MemorySource
from pipelines.stores.anomalies import add_anomaly
from pipelines.stores.events import Told, add_event
from pipelines.stores.postgres import PostgresDatabase
from tests.api.cli.served import serving
from tests.api.streaming import ALWAYS, message, values_of
from tests.api.test_anomalies import COLUMNS, served, streamed
from tests.pipelines.stores.test_anomalies import CLOSED, OPEN, SERIES, T0
from tests.servers import running_postgres

Event = tuple[str, str]


class Follower:
    """A client that follows in a thread of its own; `heard` is number and kind of each event."""

    def __init__(self, url: str, last: str | None = None) -> None:
        self.heard: list[Event] = []
        self.is_open, self._left = threading.Event(), threading.Event()
        headers = {} if last is None else {"Last-Event-ID": last}
        self._thread = threading.Thread(target=self._follow, args=(url, headers), daemon=True)
        self._thread.start()

    def _follow(self, url: str, headers: dict[str, str]) -> None:
        path = f"{url}/v1/anomalies/stream"
        try:
            with httpx2.stream("GET", path, headers=headers, timeout=30) as answer:
                self._listen(answer.iter_lines())
        except httpx2.TransportError:
            return

    def _listen(self, lines: Iterator[str]) -> None:
        number = ""
        for line in lines:
            self.is_open.set()
            if self._left.is_set():
                return
            field, _, value = line.partition(": ")
            if field == "id":
                number = value
            elif field == "data":
                self.heard.append((number, json.loads(value)["event"]))

    def wait(self, count: int) -> list[Event]:
        """Until so many events were heard."""
        give_up = time.monotonic() + 60
        while len(self.heard) < count:
            assert time.monotonic() < give_up, self.heard
            time.sleep(0.02)
        return list(self.heard)

    def leave(self) -> None:
        """Hear no more."""
        self._left.set()


def push(url: str, first: int, last: int) -> None:
    """Some minutes of columns, sent as senders do: 503 is sent again."""
    body = message(first, values_of(300)[first:last])
    for _ in range(4):
        told = httpx2.post(f"{url}/v1/columns", content=body, headers=COLUMNS, timeout=60)
        if told.status_code == 204:
            return
        assert told.status_code == 503, told.text
    raise AssertionError("it was never taken")


def numbers(heard: list[Event]) -> list[int]:
    """Where there are no workers an event has one."""
    return [int(number) for number, _ in heard]


def follower(url: str, last: str | None = None) -> Follower:
    """One that is listening."""
    one = Follower(url, last)
    assert one.is_open.wait(30)
    return one


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[str, Streaming]]:
    """An app on a port, with a stream."""
    app, streaming, opened = streamed(tmp_path)
    assert isinstance(app, FastAPI)
    with serving(app) as url:
        yield url, streaming
    streaming.close()
    opened.close()


def test_events_come_as_they_happen_and_after_a_number_the_rest(
    live: tuple[str, Streaming],
) -> None:
    """Who comes back with the last number hears what came after it, and nothing before."""
    url, streaming = live
    first = follower(url)
    push(url, 0, 300)
    assert streaming.stream.drain(60)
    heard = first.wait(2)
    assert [heard[0][1], heard[-1][1]] == ["opened", "closed"]
    assert numbers(heard) == sorted(set(numbers(heard)))
    again = follower(url, heard[0][0])
    assert again.wait(len(heard) - 1) == heard[1:]
    for one in (first, again):
        one.leave()


@pytest.mark.parametrize("told", ["nonsense", "-1", "9" * 30, "7.5"])
def test_a_number_that_was_never_given_is_from_now_on(
    live: tuple[str, Streaming], told: str
) -> None:
    """A client of another server, or of a directory that is gone, must not be deaf for ever."""
    url, streaming = live
    push(url, 0, 205)
    assert streaming.stream.drain(60)
    with httpx2.stream(
        "GET", f"{url}/v1/anomalies/stream", headers={"Last-Event-ID": told}, timeout=30
    ) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": still here"
        push(url, 205, 300)
        found = next(line for line in lines if line.startswith("data: "))
    assert json.loads(found.removeprefix("data: "))["event"] != "opened"


def test_another_tenant_hears_nothing_of_it(live: tuple[str, Streaming]) -> None:
    """Numbers are shared, events are not."""
    url, streaming = live
    push(url, 0, 300)
    assert streaming.stream.drain(60)
    headers = {"X-Scope-OrgID": "other", "Last-Event-ID": "0"}
    with httpx2.stream("GET", f"{url}/v1/anomalies/stream", headers=headers, timeout=30) as answer:
        assert next(answer.iter_lines()) == ": still here"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_over_kill_9_a_follower_hears_each_event_once(tmp_path: Path) -> None:
    """Killed three times in the midst of an anomaly: as who followed a process that lived on."""
    with served(tmp_path / "calm") as (url, _):
        one = follower(url)
        push(url, 0, 300)
        expected = settled(one)
    heard: list[Event] = []
    for first, last in ((0, 203), (203, 212), (212, 230), (230, 300)):
        with served(tmp_path / "killed") as (url, process):
            one = follower(url, heard[-1][0] if heard else None)
            push(url, first, last)
            heard += settled(one)
            assert isinstance(process, subprocess.Popen)
    assert [kind for _, kind in heard] == [kind for _, kind in expected]
    assert numbers(heard) == sorted(set(numbers(heard)))


def settled(one: Follower) -> list[Event]:
    """All that was heard, once nothing came for two seconds."""
    count, quiet = -1, 0.0
    while quiet < 2:
        if len(one.heard) != count:
            count, quiet = len(one.heard), 0.0
        time.sleep(0.1)
        quiet += 0.1
    one.leave()
    return list(one.heard)


def as_worker(url: str, position: int) -> None:
    """A worker tells of an anomaly of its own."""
    database = PostgresDatabase(url)
    happened = Happened(kind=Happening.OPENED, at=T0, anomaly=OPEN)
    with database.write() as transaction:
        told = Told(position=position, nth=0, happened=happened, series=SERIES)
        add_anomaly(transaction, "metrics/0", T0, CLOSED, SERIES)
        add_event(transaction, "metrics/0", told, time.time())
    database.close()


@pytest.mark.real
def test_with_workers_a_number_is_two_and_each_event_still_comes_once(tmp_path: Path) -> None:
    """Their database numbers their events, our own ours: neither may hide the other's."""
    with running_postgres() as server:
        settings = Settings(
            data=tmp_path,
            store=server.url,  # type: ignore[arg-type]
            ingest=IngestSettings(ahead_s=ALWAYS, behind_s=ALWAYS),
            stream=StreamSection(alarms_a_week=0.01),
        )
        opened, streaming = open_gate(settings, source=MemorySource()), open_streaming(settings)
        assert streaming.wait(60), streaming.words
        app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
        with serving(app) as url:
            one = Follower(url)
            assert one.is_open.wait(30)
            as_worker(server.url, 1)
            one.wait(1)
            push(url, 0, 300)
            heard = one.wait(3)
            again = Follower(url, heard[0][0])
            again.wait(len(heard) - 1)
            as_worker(server.url, 2)
            assert again.wait(len(heard))[:-1] == heard[1:]
            assert one.wait(len(heard) + 1)[-1] == again.heard[-1]
            for follower in (one, again):
                follower.leave()
        gone = streaming.forget(T0 / 1000 + 181 * 86_400)
        streaming.close()
        opened.close()
    assert heard[0][0].endswith("-1")
    # That of the worker, and our own.
    assert gone == 2
