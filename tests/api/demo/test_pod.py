"""A pod of the shop: what it exposes, how it behaves, how it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.demo.calls import PAGES
from api.demo.children import Child, Children, python
from api.demo.faults import Behaviour
from api.demo.pod import OUT_OF_MEMORY, Orders, PodConfig
from api.demo.web import Exchange, Reply
from pipelines.sources.exposition import parse_exposition, parse_series
from tests.api.demo.stand import answers, on_stage

CART = Exchange("GET", "/cart")
METRICS = Exchange("GET", "/metrics")
QUICK = Behaviour(latency=0.02, errors=0.0)


def config(**more: object) -> PodConfig:
    known: dict[str, object] = {"name": "p-1", "version": "v1", "parent": os.getpid(), "log": "x"}
    return PodConfig(**(known | more))  # type: ignore[arg-type]


def orders(behaviour: Behaviour = QUICK) -> Orders:
    made = Orders(config(), seed=5)
    made.behaviour = behaviour
    return made


def respond(made: Orders, *exchanges: Exchange) -> list[Reply]:
    async def run() -> list[Reply]:
        return [await made.respond(exchange) for exchange in exchanges]

    return asyncio.run(run())


def values(page: Reply) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Samples of a metrics page, read by the scraper's own parser."""
    found = {}
    for sample in parse_exposition(page.body.decode()):
        labels = parse_series(sample.series)
        found[labels.pop("__name__"), frozenset(labels.items())] = sample.value
    return found


def of(page: Reply, name: str, **labels: str) -> float:
    return values(page)[name, frozenset(labels.items())]


def test_requests_are_counted_by_method_page_and_code() -> None:
    """These series are all that the gate knows of the shop."""
    *_, page = respond(orders(), CART, CART, Exchange("POST", "/orders"), METRICS)
    assert of(page, "http_requests_total", method="GET", path="/cart", code="200") == 2
    assert of(page, "http_requests_total", method="POST", path="/orders", code="200") == 1


def test_durations_are_a_classic_histogram() -> None:
    """Every request lies in a bucket, and buckets are cumulative."""
    *_, page = respond(orders(), *[CART] * 5, METRICS)
    buckets = {
        float(dict(labels)["le"]): value
        for (name, labels), value in values(page).items()
        if name == "http_request_duration_seconds_bucket"
    }
    counts = [buckets[edge] for edge in sorted(buckets)]
    assert counts == sorted(counts)
    assert counts[-1] == 5
    assert of(page, "http_request_duration_seconds_count", method="GET", path="/cart") == 5


def test_the_process_says_when_it_began() -> None:
    """A restart is told from a counter that fell by accident by the start time."""
    [page] = respond(orders(), METRICS)
    assert of(page, "process_start_time_seconds") > 1e9


def test_probes_and_scrapes_are_no_requests() -> None:
    """Health checks that are never wrong would dilute the errors."""
    healthy, missing, page = respond(
        orders(), Exchange("GET", "/healthz"), Exchange("GET", "/nothing"), METRICS
    )
    assert (healthy.status, missing.status) == (200, 404)
    assert not [name for name, _ in values(page) if name == "http_requests_total"]


def test_errors_are_answered_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log says what the counter counts."""
    failing = orders(Behaviour(latency=0.02, errors=1.0))
    with caplog.at_level(logging.INFO, "shop"):
        reply, page = respond(failing, CART, METRICS)
    assert reply.status == 500
    assert of(page, "http_requests_total", method="GET", path="/cart", code="500") == 1
    assert "GET /cart 500" in caplog.text
    assert "ERROR" in caplog.text
    assert "GET /cart failed: " in caplog.text


@settings(max_examples=20)
@given(st.sampled_from(sorted(PAGES)), st.floats(1.0, 4.0))
def test_a_slower_version_is_slower_on_every_page(path: str, factor: float) -> None:
    """The same draw takes that much longer, age apart."""
    well, ill = orders(Behaviour()), orders(Behaviour(latency=factor))
    ill._born = well._born
    pairs = [(well.duration(path), ill.duration(path)) for _ in range(20)]
    assert [b / a for a, b in pairs] == pytest.approx([factor] * 20, rel=0.05)


def test_a_cold_pod_is_slow_for_seconds() -> None:
    """Fresh pods are slower for no fault of theirs; the gate has to know it."""
    cold, warm = orders(Behaviour()), orders(Behaviour())
    warm._born -= 30.0
    ratios = [cold.duration("/cart") / warm.duration("/cart") for _ in range(10)]
    assert min(ratios) > 2.0


async def _pod(children: Children, folder: Path, **more: object) -> tuple[Child, int]:
    made = config(log=str(folder / "pod.log"), **more)
    pod = await children.start("pod", python("api.demo.pod", msgspec.json.encode(made).decode()))
    hello: Mapping[str, int] = await pod.hear(dict[str, int])
    return pod, hello["port"]


async def _gets(port: int, path: str, times: int = 1) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()
    return await answers(port, head * times)


def test_a_pod_serves_and_obeys(tmp_path: Path) -> None:
    """A real process: it answers, takes orders on the way, and writes its log."""

    async def act(children: Children) -> bytes:
        pod, port = await _pod(children, tmp_path)
        await pod.tell(Behaviour(latency=0.02, errors=1.0))
        while b" 500 " not in (heard := await _gets(port, "/cart")):
            pass
        return heard

    assert on_stage(tmp_path, act).startswith(b"HTTP/1.1 500")
    log = (tmp_path / "pod.log").read_text()
    assert re.search(r"INFO p-1 v1 listens on port \d+", log)
    assert "ERROR GET /cart failed: " in log


def test_a_leak_ends_out_of_memory(tmp_path: Path) -> None:
    """The code is the one that Kubernetes would show, and the log says why."""

    async def act(children: Children) -> int:
        pod, port = await _pod(children, tmp_path, memory_limit=1000)
        await pod.tell(Behaviour(latency=0.02, leak_bytes=640))
        while pod.code is None:
            await asyncio.gather(_gets(port, "/cart", 3), pod.wait(), return_exceptions=True)
        return pod.code

    assert on_stage(tmp_path, act) == OUT_OF_MEMORY == 137
    assert "CRITICAL out of memory after 1280 leaked bytes" in (tmp_path / "pod.log").read_text()


def test_a_pod_ends_in_order_when_asked(tmp_path: Path) -> None:
    """Stopping is no crash: exit code 0, and the log says so."""

    async def act(children: Children) -> int | None:
        pod, _ = await _pod(children, tmp_path)
        await pod.stop()
        return pod.code

    assert on_stage(tmp_path, act) == 0
    assert "p-1 stops" in (tmp_path / "pod.log").read_text()


def test_errors_come_at_the_share_that_was_ordered() -> None:
    """A twentieth more errors is what `--fault errors` says it is."""
    made = orders(Behaviour(latency=0.0, errors=0.05))
    statuses = Counter(reply.status for reply in respond(made, *[CART] * 2000))
    assert 0.03 < statuses[500] / 2000 < 0.07
