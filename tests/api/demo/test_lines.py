"""What a pod of the demo writes: lines as services write them, read by what reads anybody's."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.demo.faults import Behaviour
from api.demo.lines import log_to
from api.demo.pod import Orders, PodConfig
from api.demo.receipts import send_receipt
from api.demo.web import Exchange
from detector.logs.lines import Level, Origin
from pipelines.follow.following import Following, Pace
from pipelines.follow.positions import Positions
from pipelines.follow.roll import Group
from pipelines.testing.log_sink import Line, MemoryLogSink

POD = "checkout-b7cd9fgh-x2b4z"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A log of a pod, where a kubelet keeps it; the root logger writes into it."""
    path = tmp_path / "pods" / f"shop_{POD}_b2c3d4f5" / "checkout" / "0.log"
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = []
    log_to(path)
    yield path
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def serve(behaviour: Behaviour, requests: int) -> None:
    """Have a pod answer, in this very process."""
    config = PodConfig(name=POD, version="v2", parent=0, log="")
    orders = Orders(config, seed=3)
    orders.behaviour = behaviour
    orders.diary.begins(POD, "v2", 8080)

    async def run() -> None:
        await asyncio.gather(*(orders.respond(Exchange("GET", "/cart")) for _ in range(requests)))

    asyncio.run(run())
    orders.diary.idles()


def read(file: Path) -> list[Line]:
    """The lines, as `serinus serve` reads them from such a file."""
    sink = MemoryLogSink()
    pattern = str(file.parents[2] / "*" / "*" / "*.log")
    following = Following(
        (Group(patterns=(pattern,), origin=Origin(service="")),),
        sink,
        Positions(file.parents[3] / "positions.json"),
        pace=Pace(from_start=True),
    )
    following.step()
    following.settle()
    return sink.lines("default")


QUICK = Behaviour(latency=0.001, errors=0.0)


def test_a_healthy_pod_writes_what_services_write(file: Path) -> None:
    """A banner with its version, a line a request, and who wrote it is known by the path."""
    serve(QUICK, 20)
    lines = read(file)
    assert {(one.origin.service, one.origin.namespace, one.origin.pod) for one in lines} == {
        ("checkout", "shop", POD)
    }
    levels = Counter(one.level for one in lines)
    # The last one waits: what comes next may be part of it.
    assert (len(lines), levels[Level.WARN], levels[Level.ERROR]) == (5 + 20, 1, 1)
    assert lines[0].message.startswith(b"checkout v2 starting, build ")


def test_a_lost_receipt_is_one_line_with_its_stack(file: Path) -> None:
    """The fault `logs`: nothing else tells of it, and the stack belongs to the message."""
    serve(Behaviour(latency=0.001, errors=0.0, lost_receipts=1.0), 3)
    *_, last = [one for one in read(file) if one.level is Level.ERROR]
    first, second, *_, end = last.message.decode().splitlines()
    assert first.startswith("receipt for order ")
    assert (second, end) == ("Traceback (most recent call last):", "KeyError: 'email'")


def test_a_sent_receipt_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    """The good release writes nothing of it."""
    with caplog.at_level(logging.INFO):
        send_receipt(logging.getLogger("shop"), 17, {"email": "somebody@example.org"})
    assert caplog.text == ""
