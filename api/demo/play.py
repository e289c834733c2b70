"""The demo from curtain to curtain: shop, customers, scraper, gate, two rollouts, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from api.demo.canary import STABLE_PODS, Canary, Roads
from api.demo.children import Child, ChildError, Children, python
from api.demo.faults import Fault, fault_named
from api.demo.gate import Gate
from api.demo.prometheus import find_prometheus, start_prometheus
from api.demo.rollout import Ending, Loop
from api.demo.scene import Scene
from api.demo.screen import open_screen
from api.demo.server import Ready, ServerConfig
from api.demo.shop import Shop, Version, state_metrics
from api.demo.targets import write_targets
from api.demo.traffic import Second, TrafficConfig
from api.demo.web import METRICS_TYPE, Exchange, Reply, Respond, listen, serving

__all__ = ["Wishes", "perform"]

REQUESTS_PER_S = 260.0
# Until the first canary comes: long enough for the stable pods to be warm and to be known.
WARM_UP_S = 25.0
PAUSE_S = 5.0
HEALTHY_WITHIN_S, BAD_WITHIN_S = 100.0, 75.0
ONCE_WITHIN_S = 175.0
READY_WITHIN_S = 30.0
T = TypeVar("T")
DONE, OTHERWISE, CRASHED, INTERRUPTED = 0, 1, 4, 130


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


def perform(wishes: Wishes) -> int:
    """Show it; the exit code. Ctrl-C and SIGTERM end it in order."""
    scene = Scene()
    try:
        with open_screen(scene) as screen:
            return asyncio.run(_to_the_end(Play(wishes, scene), screen.refresh()))
    except ChildError as error:
        print(f"serinus demo: {error}")  # noqa: T201
        return CRASHED


async def _to_the_end(play: Play, refresh: Coroutine[None, None, None]) -> int:
    """Run the play until it ends, is over time, or somebody interrupts it."""
    task = asyncio.create_task(first_of(play.run(), refresh))
    loop = asyncio.get_running_loop()
    for what in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(what, task.cancel)
    limit = ONCE_WITHIN_S if play.wishes.once else None
    try:
        async with asyncio.timeout(limit):
            return await task
    except TimeoutError:
        play.scene.tell(f"undecided after {limit:.0f} s", "bad")
        return OTHERWISE
    except asyncio.CancelledError:
        play.scene.tell("interrupted: everything was stopped")
        return INTERRUPTED if play.wishes.once else DONE


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
        await asyncio.wait({lead, *others})


class Play:
    """One demo. `shown` are the endings of the rollouts so far, with what was injected."""

    def __init__(self, wishes: Wishes, scene: Scene) -> None:
        self.wishes = wishes
        self.scene = scene
        self.shown: list[tuple[Fault, Ending]] = []
        self._names = (f"v{number}" for number in itertools.count(1))

    async def run(self) -> int:
        """Show it; the exit code."""
        with tempfile.TemporaryDirectory(prefix="serinus-demo-", ignore_cleanup_errors=True) as at:
            async with _stage(self.wishes, self.scene, Path(at)) as stage:
                return await first_of(self._acts(stage), *stage.beside(self.scene))

    async def _acts(self, stage: Stage) -> int:
        stable = await self._open(stage)
        faults = (
            [Fault.NONE] if self.wishes.fault is Fault.NONE else [Fault.NONE, self.wishes.fault]
        )
        for fault in faults if self.wishes.once else itertools.cycle(faults):
            stable = await self._roll_out(stage, stable, fault)
            await asyncio.sleep(PAUSE_S)
        return self._sum_up()

    async def _open(self, stage: Stage) -> Version:
        """The shop opens, and is given time to become warm."""
        stable = self.scene.stable = stage.shop.version(next(self._names))
        await stage.shop.scale(stable, STABLE_PODS)
        stage.roads.share({stable: 100})
        self.scene.tell(
            f"the shop is open: {STABLE_PODS} pods of {stable.name}, {REQUESTS_PER_S:.0f} "
            f"requests/s, scraped each second by {stage.scraper}"
        )
        self.scene.tell(f"the gate answers at {stage.gate.url}; logs are in {stage.folder}")
        self.scene.title = "learning what is normal"
        await asyncio.sleep(WARM_UP_S)
        return stable

    async def _roll_out(self, stage: Stage, stable: Version, fault: Fault) -> Version:
        """One rollout; the version that is stable afterwards."""
        version = self.scene.canary = stage.shop.version(next(self._names))
        kind = "healthy" if fault is Fault.NONE else f"bad ({fault})"
        self.scene.title = f"rollout of {version.name}, {kind}"
        self.scene.tell(f"rollout of {version.name} begins; it is {kind}", "good")
        canary = Canary(stage.shop, stage.roads, stable=stable, version=version, fault=fault)
        canary.on_fault = lambda: self.scene.tell(f"{version.name} has turned bad: {fault}", "bad")
        within_s = HEALTHY_WITHIN_S if fault is Fault.NONE else BAD_WITHIN_S
        ask = canary.asks(stage.gate, deadline_s=within_s)
        ending = await Loop(cluster=canary, ask=ask, narrator=self.scene).run()
        self.shown.append((fault, ending))
        self.scene.tell(f"how it was decided: {self.scene.page}")
        self.scene.close_rollout(promoted=ending is Ending.PROMOTED)
        return version if ending is Ending.PROMOTED else stable

    def _sum_up(self) -> int:
        """0 only if every rollout ended as it should."""
        wrong = [
            f"{'the healthy rollout' if fault is Fault.NONE else fault} was {ending}"
            for fault, ending in self.shown
            if ending is not (Ending.PROMOTED if fault is Fault.NONE else Ending.ABORTED)
        ]
        if wrong:
            self.scene.tell(f"not as it should be: {', '.join(wrong)}", "bad")
            return OTHERWISE
        self.scene.tell("the good went out, the bad was stopped: as it should be", "good")
        return DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that runs, as long as the demo does."""

    folder: Path
    shop: Shop
    roads: Roads
    gate: Gate
    scraper: str
    customers: Child
    servers: tuple[Child, ...]

    def beside(self, scene: Scene) -> tuple[Coroutine[None, None, None], ...]:
        """What goes on while the rollouts do."""
        return (
            self.roads.publish(self.shop),
            self._count(scene),
            *(_stays(server) for server in self.servers),
        )

    async def _count(self, scene: Scene) -> None:
        async for second in self.customers.lines(Second):
            scene.saw(second)
        await _stays(self.customers)


async def _stays(child: Child) -> None:
    """Returns never: a server that ends is an error."""
    code = await child.wait()
    raise ChildError(f"{child.name} ended with {code}:\n{child.tail()}")


@contextlib.asynccontextmanager
async def _stage(wishes: Wishes, scene: Scene, folder: Path) -> AsyncIterator[Stage]:
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
        servers, scraper, source = await _scraper(wishes, children, roads.targets)
        server, url = await _server(wishes, children, roads.targets, source)
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
            servers=(*servers, server),
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
    wishes: Wishes, children: Children, targets: Path, source: str | None
) -> tuple[Child, str]:
    config = ServerConfig(
        parent=os.getpid(),
        data=str(children.folder / "serinus"),
        port=wishes.port or 0,
        prometheus=source,
        targets=str(targets),
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
