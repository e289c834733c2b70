"""Templates over HTTP and on a terminal: counted, safely shown, and as they come."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from starlette.testclient import TestClient

from api.cli.logs_row import Row
from api.cli.logs_run import Wanted, news
from api.cli.logs_text import Screen
from api.compose import open_gate
from api.lines import with_own
from api.serving import serving_app
from api.settings import Settings
from api.streaming import Streaming, open_streaming
from detector.errors import InputError
from detector.logs.lines import Level
from detector.series import Query
from pipelines.sources.memory import MemorySource
from tests.pipelines.flows.logging import Clock, lines

HOSTILE = "\x1b[2J\x1b]0;owned\x07<img src=x onerror=alert(1)> \u202e[red]x[/red] password=hunter2"


@pytest.fixture
def streaming(tmp_path: Path) -> Iterator[Streaming]:
    """A stream that has taken lines of two services."""
    made = open_streaming(Settings(data=tmp_path))
    assert made.wait(60), made.words
    clock = Clock()
    made.logs.taking._clock = clock
    said = [(Level.ERROR, f"payment of order {n} failed") for n in range(7)]
    assert made.logs.lines.put("default", lines([*said, (Level.INFO, "started")]))
    assert made.logs.lines.put("other", lines([(Level.WARN, "of another tenant")]))
    clock.now += 1
    assert made.logs.lines.put("default", lines([(Level.FATAL, HOSTILE)]))
    assert made.stream.drain(60)
    made.stream.part.logs.settle(now=True)
    yield made
    made.close()


@pytest.fixture
def client(streaming: Streaming, tmp_path: Path) -> Iterator[TestClient]:
    """The app over it."""
    settings = Settings(data=tmp_path)
    opened = open_gate(settings, source=MemorySource())
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    yield TestClient(app, base_url="http://127.0.0.1")
    opened.close()


def texts(client: TestClient, query: str = "", **headers: str) -> list[str]:
    """The templates of a page."""
    answer = client.get(f"/v1/templates{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["templates"]]


def test_templates_are_told_with_counts_and_a_sample(client: TestClient) -> None:
    """What a person looks for at night: what is new, how often, since when."""
    (found,) = client.get("/v1/templates?text=payment").json()["templates"]
    assert (found["count"], found["level"], found["service"]) == (7, "error", "checkout")
    assert found["text"] == "payment of order <num> failed"
    assert found["sample"] == "payment of order 0 failed"
    assert found["first"] <= found["last"]
    (again,) = client.get(found["links"]["self"]).json()["templates"]
    assert again == found


def test_templates_are_asked_for_by_level_service_and_time(client: TestClient) -> None:
    """Among thousands of kinds only some matter."""
    assert len(texts(client)) == 3
    assert len(texts(client, "?level=error")) == 2
    assert texts(client, "?service=cart") == []
    assert len(texts(client, "?since=1999-01-01T00:00:00Z")) == 3
    assert texts(client, "?since=2100-01-01T00:00:00Z") == []
    assert texts(client, **{"X-Scope-OrgID": "other"}) == ["of another tenant"]


def test_pages_follow_one_another(client: TestClient) -> None:
    """A script that takes all of them home misses none."""
    first = client.get("/v1/templates?limit=2").json()
    rest = client.get(f"/v1/templates?limit=2&cursor={first['next']}").json()
    assert len(first["templates"]) == 2
    assert len(rest["templates"]) == 1
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/templates?level=loud", 422),
        ("/v1/templates?limit=0", 422),
        ("/v1/templates?cursor=nope", 400),
        ("/v1/templates?cursor=", 422),
        ("/v1/templates?levl=error", 422),
        ("/v1/templates/lt_nope?level=error", 422),
        ("/v1/anomalies?sevrity=high", 422),
        ("/v1/anomalies?cursor=", 422),
        ("/v1/services?tenant=other", 422),
        ("/v1/templates/lt_nope", 404),
    ],
)
def test_what_cannot_be_meant_is_told(client: TestClient, path: str, status: int) -> None:
    """As at every other door."""
    answer = client.get(path)
    assert (answer.status_code, "detail" in answer.json()) == (status, True)


def test_a_mistyped_filter_is_told_what_there_is(client: TestClient) -> None:
    """Else it filters nothing, and who asked takes all for what was meant."""
    told = client.get("/v1/templates?levl=error").json()
    assert told["field"] == "levl"
    assert told["detail"].startswith("There is no parameter 'levl': there are cursor, level, limit")


def test_without_logs_there_are_no_templates(streaming: Streaming, tmp_path: Path) -> None:
    """Who switched it off hears that, not an empty list."""
    settings = Settings(data=tmp_path, logs={"enabled": False})  # type: ignore[arg-type]
    opened = open_gate(settings, source=MemorySource())
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    answer = TestClient(app, base_url="http://127.0.0.1").get("/v1/templates")
    opened.close()
    assert answer.status_code == 404


def test_metrics_say_what_the_miner_does(client: TestClient) -> None:
    """A template explosion is seen before the disk is full."""
    told = client.get("/metrics").text
    assert "serinus_logs_lines_total 10.0" in told
    assert 'serinus_logs_templates{tenant="default"} 3.0' in told
    assert 'serinus_logs_templates_beyond_limit_total{tenant="default"} 0.0' in told


def test_the_gate_reads_our_own_counters_beside_its_source(streaming: Streaming) -> None:
    """Errors in logs are judged like any other signal."""
    source = with_own(MemorySource(), streaming, "default")
    streaming.logs.taking._clock.now += 15  # type: ignore[attr-defined]
    streaming.logs.taking.tick()
    assert streaming.stream.drain(60)
    streaming.stream.part.logs.settle(now=True)
    name = "serinus_log_lines_total"
    assert name in source.metrics(timeout_s=5)
    (answer,) = source.read([Query(name)], 0, 1e11, timeout_s=5)
    by_level = {one.labels["level"]: one.values[-1] for one in answer.series}
    assert by_level == {"error": 7, "info": 1, "fatal": 1}


def shown(rows: list[Row], *, as_json: bool = False, follow: bool = False, width: int = 120) -> str:
    """What a terminal is sent."""
    sent = io.StringIO()
    console = Console(file=sent, force_terminal=True, color_system=None, width=width, emoji=False,
                      markup=False, highlight=False)  # fmt: skip
    screen = Screen(as_json=as_json, follow=follow, console=console)
    screen.first(rows, 1e10)
    for row in rows:
        screen.new(row)
    return sent.getvalue()


def rows_of(client: TestClient) -> list[Row]:
    """All of them."""
    told: list[dict[str, Any]] = client.get("/v1/templates").json()["templates"]
    return [Row(**one) for one in told]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_line_of_a_log_commands_a_terminal(client: TestClient, *, as_json: bool) -> None:
    """An attacker writes the lines; a person reads them."""
    text = shown(rows_of(client), as_json=as_json)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "hunter2" not in text
    assert "<img src=x onerror=alert" in text
    assert "[red]" in text


def test_a_hostile_answer_of_a_server_commands_no_terminal_either(client: TestClient) -> None:
    """What an older server kept was not made fit to be shown."""
    row = rows_of(client)[0]
    evil = Row(**{**{n: getattr(row, n) for n in Row.__struct_fields__}, "service": "a\x1b[2Jb"})
    assert "\x1b" not in shown([evil])


def test_a_table_has_counts_and_ages(client: TestClient) -> None:
    """Read at a glance."""
    text = shown([row for row in rows_of(client) if row.level == "error"])
    assert "LEVEL  SERVICE" in text
    line = next(line for line in text.splitlines() if line.startswith("ERROR"))
    assert line.split()[:3] == ["ERROR", "checkout", "7"]
    assert "payment of order <num> failed" in line
    assert "No templates" in shown([])


def test_json_is_a_page_or_a_template_on_a_line(client: TestClient) -> None:
    """For scripts: with --follow each line is whole."""
    every = rows_of(client)
    whole = io.StringIO()
    Screen(as_json=True, follow=False, console=Console(file=whole)).first(every, 0)
    assert len(json.loads(whole.getvalue())["templates"]) == 3
    lined = io.StringIO()
    Screen(as_json=True, follow=True, console=Console(file=lined)).first(every, 0)
    assert len([json.loads(line) for line in lined.getvalue().splitlines()]) == 3


class Asked:
    """A running serinus, for the command line."""

    url = "http://127.0.0.1"

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def get(self, path: str) -> bytes:
        """The body of a GET."""
        return self._client.get(path).content


def test_new_templates_are_followed_once_each(client: TestClient, streaming: Streaming) -> None:
    """Who watches a rollout sees what is new in it, and no old one again."""
    batches = iter([[], ["disk full"], ["disk full", "no route to host"], []])

    def pause(_: float) -> None:
        streaming.logs.taking._clock.now += 1  # type: ignore[attr-defined]
        said = [(Level.ERROR, text) for text in next(batches)]
        assert streaming.logs.lines.put("default", lines(said))
        assert streaming.stream.drain(60)
        streaming.stream.part.logs.settle(now=True)

    found = news(Asked(client), Wanted(), rows_of(client), pause=pause)  # type: ignore[arg-type]
    assert [row.text for row in itertools.islice(found, 2)] == ["disk full", "no route to host"]


@pytest.mark.parametrize(
    ("since", "asked"),
    [("15m", "since=100"), ("2026-11-23T14:00Z", "since=2026-11-23T14%3A00Z")],
)
def test_since_is_a_span_or_a_moment(since: str, asked: str) -> None:
    """As a person says it."""
    assert asked in Wanted(since=since).path(1000.0)


@pytest.mark.parametrize("since", ["soon", "15", "15 parsecs", ""])
def test_a_since_that_is_neither_is_refused(since: str) -> None:
    """It would be taken for all of time."""
    with pytest.raises(InputError, match="15m"):
        Wanted(since=since).path(0.0)
