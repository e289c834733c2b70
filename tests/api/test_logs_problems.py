"""What goes wrong in the rooms of logs and traces: told as problem+json, by field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.compose import open_gate
from api.lines import LinesSink, texts_of, with_own
from api.serving import serving_app
from api.settings import Settings
from api.streaming import OpenStream, Streaming, open_streaming
from detector.errors import NotFoundError, StoreError
from detector.logs.lines import Level
from detector.series import Query
from pipelines.sources.memory import MemorySource
from tests.pipelines.flows.logging import Clock, lines

PROBLEM = "application/problem+json"


def app_of(folder: Path, streaming: Streaming | None, **more: Any) -> Iterator[TestClient]:  # noqa: ANN401
    """The app over a stream, or without one."""
    settings = Settings(data=folder, **more)
    opened = open_gate(settings, source=MemorySource())
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    yield TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    opened.close()


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streaming]:
    """A stream that has taken a line."""
    made = open_streaming(Settings(data=tmp_path_factory.mktemp("stream")))
    assert made.wait(60), made.words
    made.logs.taking._clock = Clock()
    assert made.logs.lines.put("default", lines([(Level.ERROR, "payment of order 7 failed")]))
    assert made.stream.drain(60)
    made.stream.part.logs.settle(now=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(streaming: Streaming, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The app over it."""
    yield from app_of(tmp_path_factory.mktemp("app"), streaming)


def problem(client: TestClient, path: str, **headers: str) -> dict[str, Any]:
    """What an answer tells, which has to be a problem."""
    answer = client.get(path, headers=headers)
    assert answer.headers["content-type"] == PROBLEM
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert told["detail"]
    assert "Traceback" not in answer.text
    return told


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/templates/lt_0000000000000000", 404, "there is no template 'lt_0000000000000000'"),
        ("/v1/templates?level=loud", 422, "level"),
        ("/v1/templates?limit=0", 422, "limit"),
        ("/v1/templates?limit=501", 422, "limit"),
        ("/v1/templates?limit=many", 422, "limit"),
        ("/v1/templates?since=soon", 422, "since"),
        ("/v1/templates?cursor=nope", 400, "cursor"),
        ("/v1/templates?cursor=00ff", 400, "cursor"),
        ("/v1/services/nobody/graph", 404, "there are no spans of 'nobody'"),
        ("/v1/services/nobody/comparison?canary=a&control=b", 404, "no spans of 'nobody'"),
        ("/v1/services/a/comparison", 422, "canary"),
        ("/v1/services/a/comparison?canary=a", 422, "control"),
        ("/v1/services/a/comparison?canary=a&control=b&measure=luck", 422, "measure"),
        ("/v1/services/a/comparison?canary=a&control=b&since=soon", 422, "since"),
        ("/v1/services/a/comparison?control=b" + "&canary=x" * 21, 422, "canary"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_a_problem(
    client: TestClient, path: str, status: int, words: str
) -> None:
    """With what is wrong in it, so that nobody has to guess."""
    told = problem(client, path)
    assert told["status"] == status
    assert words in f"{told['detail']} {told.get('field')} {told.get('errors')}"


@pytest.mark.parametrize("tenant", ["", "a/b", "x" * 300, "..", "a b"])
def test_a_tenant_that_is_none_is_refused_or_empty(client: TestClient, tenant: str) -> None:
    """Never another tenant's lines, whatever stands in the header."""
    answer = client.get("/v1/templates", headers={"X-Scope-OrgID": tenant})
    if answer.status_code == 200:
        assert answer.json()["templates"] == [] or tenant == ""
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\x00", "%", "a" * 300, "'; --"])
def test_a_hostile_search_finds_nothing_and_breaks_nothing(client: TestClient, text: str) -> None:
    """What is looked for is data."""
    answer = client.get("/v1/templates", params={"text": text})
    assert answer.status_code in {200, 422, 400}
    if answer.status_code == 200:
        assert answer.json()["templates"] == []


@pytest.fixture
def unopened() -> Iterator[Streaming]:
    """A stream whose store cannot be opened."""

    def opening() -> OpenStream:
        raise StoreError("the disk is full")

    made = Streaming(opening)
    yield made
    made.close()


PATHS = ("/v1/templates", "/v1/templates/lt_1", "/v1/services/a/graph",
         "/v1/services/a/comparison?canary=a&control=b")  # fmt: skip


def test_without_a_stream_each_room_says_that_it_is_empty(tmp_path: Path) -> None:
    """Not that it found nothing."""
    for client in app_of(tmp_path, None):
        told = [problem(client, path)["detail"] for path in PATHS]
        assert all(words.startswith("This serinus") for words in told)


def test_with_logs_switched_off_each_room_says_so(streaming: Streaming, tmp_path: Path) -> None:
    """As without a stream."""
    for client in app_of(tmp_path, streaming, logs={"enabled": False}):
        assert {problem(client, path)["status"] for path in PATHS} == {404}


def test_doors_without_a_stream_are_no_doors(tmp_path: Path) -> None:
    """A sender sees 404, and keeps what it has for the right address."""
    for client in app_of(tmp_path, None):
        for path in ("/v1/logs", "/v1/traces", "/loki/api/v1/push"):
            assert client.post(path, content=b"").status_code == 404


def test_a_stream_that_cannot_be_opened_is_503(unopened: Streaming, tmp_path: Path) -> None:
    """A disk that fails for a minute is no empty list of templates: ask again."""
    for client in app_of(tmp_path, unopened):
        assert {problem(client, path)["status"] for path in PATHS} == {503}


def test_lines_before_the_stream_is_open_are_an_error_of_the_store(unopened: Streaming) -> None:
    """What is pushed while we start is put off, not lost."""
    sink = LinesSink(unopened)
    one = lines([(Level.INFO, "x")])
    for ask in (
        lambda: sink.put("default", one),
        lambda: sink.put_read("default", one, source="files", read_to=7),
        lambda: sink.read_to("default", "files"),
        lambda: texts_of(unopened)("default", ["lt_1"]),
    ):
        with pytest.raises(StoreError):
            ask()


def test_a_source_beside_counters_that_cannot_be_opened_answers(unopened: Streaming) -> None:
    """Verdicts need no logs: all that the other source has is there, ours is warned of."""
    memory = MemorySource()
    memory.add({"__name__": "requests_total"}, np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    source = with_own(memory, unopened, "default")
    (answer,) = source.read([Query("requests_total")], 0, 10, timeout_s=5)
    assert len(answer.series) == 1
    assert source.metrics(timeout_s=5) == {"requests_total"}


def test_the_gate_is_answered_while_the_stream_is_behind(streaming: Streaming) -> None:
    """Our own counters are read beside any source, under their tenant only."""
    source = with_own(MemorySource(), streaming, "nobody")
    (answer,) = source.read([Query("serinus_log_lines_total")], 0, 1e11, timeout_s=5)
    assert answer.series == ()
    with pytest.raises(NotFoundError):
        streaming.logs.templates.get("nobody", "lt_1")
