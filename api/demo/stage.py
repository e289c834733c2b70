"""Everything that runs beside the rollouts of a demo: shop, customers, scraper, gate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from api.demo.canary import Roads
from api.demo.children import Child, ChildError, Children, python
from api.demo.faults import Fault, fault_named
from api.demo.gate import Gate
from api.demo.loops import pass_on, start_compilers
from api.demo.prometheus import find_prometheus, start_prometheus
from api.demo.scene import Scene
from api.demo.shop import Shop, state_metrics
from api.demo.targets import write_targets
from api.demo.traffic import Second, TrafficConfig
from api.demo.web import METRICS_TYPE, Exchange, Reply, Respond, listen, serving
from api.demo.wire import Reading, Ready, ServerConfig

__all__ = ["REQUESTS_PER_S", "Stage", "Wishes", "first_of", "open_stage"]

REQUESTS_PER_S = 400.0
READY_WITHIN_S = 60.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the demo was asked for; `port` None picks a free one."""

    once: bool
    fault: Fault
    prometheus: bool
    port: int | None

    @classmethod
    def of(cls, *, once: bool, fault: str, prometheus: bool, port: int | None) -> Wishes:
        """Checked: `InputError` for an unknown fault, `ConfigError` without a Prometheus."""
        if prometheus:
            find_prometheus()
        return cls(once=once, fault=fault_named(fault), prometheus=prometheus, port=port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that runs, as long as the demo does."""

    folder: Path
    shop: Shop
    roads: Roads
    gate: Gate
    scraper: str
    customers: Child
    server: Child
    scrapers: tuple[Child, ...]
    compilers: tuple[Child, ...]
    # Set once lines of the pods are counted, or it is known that none will be.
    reading: asyncio.Event

    def beside(self, scene: Scene) -> tuple[Coroutine[None, None, None], ...]:
        """What goes on while the rollouts do."""
        return (
            self.roads.publish(self.shop),
            self._count(scene),
            self._compile(scene),
            self._heard(),
            *(_stays(child) for child in (self.server, *self.scrapers)),
        )

    async def _count(self, scene: Scene) -> None:
        async for second in self.customers.lines(Second):
            scene.saw(second)
        await _stays(self.customers)

    async def _compile(self, scene: Scene) -> None:
        """Have the server read logs and spans once all that it needs is compiled."""
        if self.compilers:
            await pass_on(self.compilers, self.server, scene, self.reading)
        await asyncio.Event().wait()

    async def _heard(self) -> None:
        """Note that the server reads lines."""
        async for _ in self.server.lines(Reading):
            self.reading.set()
        await _stays(self.server)


async def _stays(child: Child) -> None:
    """Returns never: a server that ends is an error."""
    code = await child.wait()
    raise ChildError(f"{child.name} ended with {code}:\n{child.tail()}")


@contextlib.asynccontextmanager
async def open_stage(wishes: Wishes, scene: Scene, folder: Path) -> AsyncIterator[Stage]:
    """Start everything but the pods; all is stopped on leaving."""
    async with contextlib.AsyncExitStack() as stack:
        children = await stack.enter_async_context(Children(folder))
        shop = Shop(children, folder)
        stack.push_async_callback(shop.close)
        state_port = await stack.enter_async_context(serving(_state_of(shop), listen()))
        customers = await _customers(children)
        roads = Roads(customers, folder / "targets.json", state_port=state_port)
        shop.changed = roads.changed
        write_targets(roads.targets, [])
        scrapers, scraper, source = await _scraper(wishes, children, roads.targets)
        compilers = await start_compilers(children)
        server, url = await _server(wishes, children, roads.targets, source, compilers)
        shop.traces = int(url.rpartition(":")[2])
        gate = await stack.enter_async_context(Gate(url))
        scene.base = url
        await _until_ready(gate, server)
        yield Stage(
            folder=folder,
            shop=shop,
            roads=roads,
            gate=gate,
            scraper=scraper,
            customers=customers,
            server=server,
            scrapers=scrapers,
            compilers=compilers,
            reading=asyncio.Event(),
        )


def _state_of(shop: Shop) -> Respond:
    async def respond(exchange: Exchange) -> Reply:
        if exchange.path != "/metrics":
            return Reply(404, b"only /metrics is here\n")
        return Reply(200, state_metrics(shop.versions).encode(), METRICS_TYPE)

    return respond


async def _customers(children: Children) -> Child:
    config = TrafficConfig(parent=os.getpid(), requests_per_s=REQUESTS_PER_S)
    command = python("api.demo.traffic", msgspec.json.encode(config).decode())
    return await children.start("customers", command)


async def _scraper(
    wishes: Wishes, children: Children, targets: Path
) -> tuple[tuple[Child, ...], str, str | None]:
    """Prometheus if it was wished for; its name for people; its address."""
    if not wishes.prometheus:
        return (), "serinus itself", None
    prometheus, url = await start_prometheus(children, targets)
    return (prometheus,), f"Prometheus at {url}", url


async def _server(
    wishes: Wishes,
    children: Children,
    targets: Path,
    source: str | None,
    compilers: tuple[Child, ...],
) -> tuple[Child, str]:
    config = ServerConfig(
        parent=os.getpid(),
        data=str(children.folder / "serinus"),
        port=wishes.port or 0,
        prometheus=source,
        targets=str(targets),
        logs=str(children.folder / "pods" / "*" / "*" / "*.log"),
        is_compiled=not compilers,
    )
    command = python("api.demo.server", msgspec.json.encode(config).decode())
    server = await children.start("serinus", command)
    return server, f"http://127.0.0.1:{(await server.hear(Ready)).port}"


async def _until_ready(gate: Gate, server: Child) -> None:
    give_up = time.monotonic() + READY_WITHIN_S
    while not await gate.is_ready():
        if server.code is not None or time.monotonic() > give_up:
            raise ChildError(f"serinus is not ready:\n{server.tail()}")
        await asyncio.sleep(0.1)


async def first_of(leader: Coroutine[None, None, T], *beside: Coroutine[None, None, None]) -> T:
    """What the leader returns; what runs beside it must neither end nor fail before it does.

    All are over when this returns or raises.
    """
    lead = asyncio.create_task(leader)
    others = [asyncio.create_task(other) for other in beside]
    try:
        done, _ = await asyncio.wait({lead, *others}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {lead}:
            task.result()
            raise ChildError("a part of the demo ended early")
        return await lead
    finally:
        for task in (lead, *others):
            task.cancel()
        # Gathered, not waited for: of two that fail at once only one can be told of.
        await asyncio.gather(lead, *others, return_exceptions=True)
