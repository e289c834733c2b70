"""The demo's server: the real gate in a process of its own, with a scraper that follows a file."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx2
import msgspec
import pytest

from api.demo.children import Child, ChildError, Children, python
from api.demo.gate import Answer, Gate, Question
from api.demo.server import following
from api.demo.targets import TargetGroup, write_targets
from api.demo.traces import Traces
from api.demo.web import METRICS_TYPE, Reply, listen
from api.demo.wire import COMPILED, Reading, Ready, ServerConfig
from detector.series import Query
from pipelines.sources.memory import MemorySource
from tests.api.demo.stand import on_stage, until, web

pytestmark = pytest.mark.slow

T = TypeVar("T")


def group(port: int, pod: str) -> TargetGroup:
    return TargetGroup((f"127.0.0.1:{port}",), {"job": "shop", "pod": pod})


async def started(children: Children, **more: object) -> tuple[Child, int]:
    """A server, listening."""
    folder = children.folder
    targets = folder / "targets.json"
    if not targets.exists():
        write_targets(targets, [])
    config = ServerConfig(
        parent=os.getpid(),
        data=str(folder / "data"),
        targets=str(targets),
        **more,  # type: ignore[arg-type]
    )
    command = python("api.demo.server", msgspec.json.encode(config).decode())
    server = await children.start("serinus", command)
    return server, (await server.hear(Ready)).port


def served(folder: Path, act: Callable[[Child, Gate], Awaitable[T]]) -> T:
    """What `act` finds at a running server that is ready."""

    async def run(children: Children) -> T:
        server, port = await started(children)
        async with Gate(f"http://127.0.0.1:{port}") as gate:
            async with asyncio.timeout(60):
                while not await gate.is_ready():
                    assert server.code is None
            return await act(server, gate)

    return on_stage(folder, run)


QUESTION = Question(
    service="checkout",
    namespace="shop",
    rollout="checkout",
    revision="v2",
    canary='{pod=~"checkout-b-.+"}',
    control='{pod=~"checkout-a-.+"}',
    policy={"name": "demo"},
    weight=25,
    stage="step",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one server said from its start to its end, with a token in its user's shell."""

    folder: Path
    answer: Answer
    page: httpx2.Response
    code: int | None
    log: str


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """Ask it, look at it, end it."""
    folder = tmp_path_factory.mktemp("demo")

    async def act(server: Child, gate: Gate) -> Visit:
        async with httpx2.AsyncClient(base_url=gate.url, trust_env=False) as client:
            answer, page = await gate.ask(QUESTION), await client.get("/rollouts")
        await server.stop()
        return Visit(folder=folder, answer=answer, page=page, code=server.code, log=server.tail())

    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("SERINUS_TOKEN", "theirs")
        return served(folder, act)


def test_it_answers_before_there_is_anything_to_see(visit: Visit) -> None:
    """No data is never a pass; a token of the user's own serinus does not lock the demo out."""
    told = (visit.answer.answer, visit.answer.reason.code)
    assert told == ("inconclusive", "no_canary_data")


def test_a_browser_finds_the_pages(visit: Visit) -> None:
    """The address that the demo prints leads somewhere, whatever token is in the shell."""
    assert visit.page.status_code == 200
    assert "text/html" in visit.page.headers["content-type"]


def test_it_ends_when_told(visit: Visit) -> None:
    """In order: what was asked is answered, the store is closed, the log has no complaint."""
    assert visit.code in {0, -signal.SIGTERM}  # uvicorn passes the signal on once it cleaned up
    assert "Traceback" not in visit.log
    assert not list((visit.folder / "data").glob("*-wal"))


def span() -> bytes:
    """A request that was served just now, as a pod posts it."""
    draw = random.Random(1)  # noqa: S311 - nothing is to be kept secret
    traces = Traces(0, pod="checkout-b7cd9fgh-x2b4z", version="v1", namespace="shop", draw=draw)
    now = time.time_ns()
    traces.add("GET", "/cart", (now - 10**6, now), 200, ())
    return traces.packed(traces.waiting)


def test_lines_and_spans_are_taken_once_it_is_told_that_they_can_be(tmp_path: Path) -> None:
    """The gate answers from the first second on; what is not compiled yet is not waited for."""
    log = tmp_path / "pods" / "shop_checkout-b7cd9fgh-x2b4z_b2" / "checkout" / "0.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-11-27T07:00:00.000Z ERROR receipt for order 17 not sent\n" * 9)

    async def act(children: Children) -> tuple[int, Reading, int]:
        pattern = str(tmp_path / "pods" / "*" / "*" / "*.log")
        server, port = await started(children, logs=pattern, is_compiled=False)
        url, kind = f"http://127.0.0.1:{port}", {"Content-Type": "application/x-protobuf"}
        async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
            before = await client.post("/v1/traces", content=span(), headers=kind)
            await server.tell(COMPILED)
            reading = await server.hear(Reading)
            after = await client.post("/v1/traces", content=span(), headers=kind)
        return before.status_code, reading, after.status_code

    before, reading, after = on_stage(tmp_path, act)
    assert (before, after) == (503, 200)
    assert reading.lines >= 8


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """`--port` of something that runs already."""
    with listen() as taken:
        port = taken.getsockname()[1]

        async def act(children: Children) -> None:
            await started(children, port=port)

        with pytest.raises(ChildError, match=f"port {port} of 127.0.0.1 cannot be had: .* in use"):
            on_stage(tmp_path, act)


def pods(store: MemorySource) -> set[str]:
    """Pods whose `up` has been 1."""
    now = time.time()
    [answer] = store.read([Query(metric="up", matchers=())], now - 60, now + 60)
    return {series.labels["pod"] for series in answer.series if series.values[-1] == 1.0}


def test_the_scraper_follows_the_file(tmp_path: Path) -> None:
    """Pods that come are scraped within the second, those that went are not."""
    file, store = tmp_path / "targets.json", MemorySource()
    page = Reply(200, b"# TYPE a counter\na 1\n", METRICS_TYPE)

    async def run() -> None:
        async with web(page) as (one, _), web(page) as (two, asked):
            write_targets(file, [group(one, "p-1")])
            with following(file, store, interval_s=0.1) as scraper:
                await until(lambda: pods(store) == {"p-1"})
                write_targets(file, [group(one, "p-1"), group(two, "p-2")])
                await until(lambda: pods(store) == {"p-1", "p-2"})
                write_targets(file, [group(one, "p-1")])
                await until(lambda: len(scraper.targets) == 1)
                assert asked

    asyncio.run(run())


def test_a_target_that_is_down_is_told_to_be_down(tmp_path: Path) -> None:
    """A pod that died leaves `up` at 0, as with Prometheus."""
    with listen() as taken:
        port = taken.getsockname()[1]
    file, store = tmp_path / "targets.json", MemorySource()
    write_targets(file, [group(port, "p-1")])

    def ups() -> list[float]:
        now = time.time()
        [answer] = store.read([Query(metric="up", matchers=())], now - 60, now + 60)
        return [series.values[-1] for series in answer.series]

    async def run() -> None:
        with following(file, store, interval_s=0.1):
            await until(lambda: ups() == [0.0])

    asyncio.run(run())
