"""The demo from curtain to curtain: shop, customers, scraper, gate, two rollouts, a clean end."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta

from api.demo.canary import STABLE_PODS, TIME_SCALE, Canary
from api.demo.children import ChildError
from api.demo.faults import Fault
from api.demo.folder import clear_stale, own_folder
from api.demo.pod import COLD_S
from api.demo.rollout import Ending, Loop
from api.demo.scene import Scene
from api.demo.screen import open_screen
from api.demo.shop import ROLLOUT, Version
from api.demo.stage import REQUESTS_PER_S, Stage, Wishes, first_of, open_stage

__all__ = ["Play", "perform"]

# Until the first canary comes: long enough for the stable pods to be warm and to be known.
WARM_UP_S = 22.0
PAUSE_S = 5.0
HEALTHY_WITHIN_S, BAD_WITHIN_S = 112.0, 90.0
ONCE_WITHIN_S = 172.0
# What a bad rollout is left when it waited for the compiler.
ROLLOUT_S = 55.0
MOST_TOLD = 2
# The pods of the step are slow at first, for no fault of their version.
COLD = timedelta(seconds=2 * COLD_S)
DONE, OTHERWISE, INTERRUPTED, UNHEARD = 0, 1, 130, 141
_COMPILING = "a first start compiles what reads logs and traces"
_GONE = "the pages ended with this demo; without --once (ONCE=1 of make) they stay until Ctrl-C"


def perform(wishes: Wishes) -> int:
    """Show it; the exit code. Ctrl-C and SIGTERM end it in order.

    `ChildError` when one of its processes does not start or goes away.
    """
    scene = Scene()
    try:
        with open_screen(scene) as screen:
            return asyncio.run(_to_the_end(Play(wishes, scene), screen.refresh()))
    except BrokenPipeError:
        # Nobody reads on, as after `| head`; the interpreter's last flush would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNHEARD


async def _to_the_end(
    play: Play, refresh: Coroutine[None, None, None], *, within_s: float = ONCE_WITHIN_S
) -> int:
    """Run the play until it ends, is over time, or somebody interrupts it."""
    task = asyncio.create_task(first_of(play.run(), refresh))
    loop = asyncio.get_running_loop()
    for what in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(what, task.cancel)
    limit = within_s if play.wishes.once else None
    try:
        async with asyncio.timeout(limit) as over:
            # What is decided stays so, however long it takes to stop everything.
            play.on_end = lambda: over.reschedule(None)
            return await task
    except TimeoutError:
        play.scene.tell(f"undecided after {within_s:.0f} s", "bad")
        play.scene.tell(_GONE)
        return OTHERWISE
    except asyncio.CancelledError:
        play.scene.tell("interrupted: everything was stopped, its pages too")
        return INTERRUPTED if play.wishes.once else DONE


class Play:
    """One demo. `shown` are the endings of the rollouts so far, with what was injected."""

    def __init__(self, wishes: Wishes, scene: Scene) -> None:
        self.wishes = wishes
        self.scene = scene
        self.shown: list[tuple[Fault, Ending]] = []
        self.on_end: Callable[[], object] = lambda: None
        self._names = (f"v{number}" for number in itertools.count(1))

    async def run(self) -> int:
        """Show it; the exit code."""
        for left in clear_stale():
            self.scene.tell(f"removed {left}, left by a demo that was killed")
        with own_folder() as folder:
            async with open_stage(self.wishes, self.scene, folder) as stage:
                return await first_of(self._acts(stage), *stage.beside(self.scene))

    async def _acts(self, stage: Stage) -> int:
        stable = await self._open(stage)
        bad = () if self.wishes.fault is Fault.NONE else (self.wishes.fault,)
        faults = (Fault.NONE, *bad)
        for fault in faults if self.wishes.once else itertools.cycle(faults):
            if self.shown:
                await asyncio.sleep(PAUSE_S)
            stable = await self._roll_out(stage, stable, fault)
            if self.wishes.once and self._wrong():
                break
        self.on_end()
        code = self._sum_up()
        self.scene.tell(_GONE)
        return code

    async def _open(self, stage: Stage) -> Version:
        """The shop opens, and is given time to become warm."""
        stable = self.scene.stable = stage.shop.version(next(self._names))
        await stage.shop.scale(stable, STABLE_PODS)
        stage.roads.share({stable: 100})
        for line in _opening(stage, stable):
            self.scene.tell(line)
        self.scene.title = "learning what is normal"
        await asyncio.sleep(WARM_UP_S)
        return stable

    async def _roll_out(self, stage: Stage, stable: Version, fault: Fault) -> Version:
        """One rollout; the version that is stable afterwards."""
        await self._until_read(stage.reading, fault)
        version = self.scene.canary = stage.shop.version(next(self._names))
        kind = _kind(fault)
        self.scene.title = f"rollout of {version.name}, {kind}"
        self.scene.tell(f"rollout of {version.name} begins; it is {kind}", "good")
        canary = Canary(stage.shop, stage.roads, stable=stable, version=version, fault=fault)
        canary.on_fault = lambda: self.scene.tell(f"{version.name} has turned bad: {fault}", "bad")
        within_s = HEALTHY_WITHIN_S if fault is Fault.NONE else BAD_WITHIN_S
        ask = canary.asks(stage.gate, deadline_s=within_s)
        ending = await Loop(cluster=canary, ask=ask, narrator=self.scene).run()
        if ending is Ending.BROKEN:
            raise ChildError(f"{self.scene.trouble}; its log ends with:\n{stage.server.tail()}")
        self.shown.append((fault, ending))
        if ending is not Ending.PROMOTED:
            await self._tell_where(stage, canary)
        if not self.is_last:
            self.scene.tell(f"how it was decided: {self.scene.page}")
        self.scene.close_rollout(promoted=ending is Ending.PROMOTED)
        return version if ending is Ending.PROMOTED else stable

    async def _until_read(self, reading: asyncio.Event, fault: Fault) -> None:
        """A bad rollout waits until lines are read, if a first start leaves time for that."""
        if reading.is_set():
            return
        if fault is Fault.NONE:
            self.scene.tell(f"{_COMPILING}: this rollout goes without")
            return
        within_s = ONCE_WITHIN_S - self.scene.elapsed - ROLLOUT_S
        self.scene.title = "waiting for the compiler"
        self.scene.tell(f"{_COMPILING}: waiting for it")
        try:
            async with asyncio.timeout(within_s if self.wishes.once else ONCE_WITHIN_S):
                await reading.wait()
        except TimeoutError:
            self.scene.tell("it still does: this rollout goes without logs and traces")

    async def _tell_where(self, stage: Stage, canary: Canary) -> None:
        """Say where its requests spend more time, if traces tell."""
        told = await stage.gate.slower(
            ROLLOUT,
            canary=canary.version.name,
            control=canary.stable.name,
            since=(canary.faulty_since or datetime.now(UTC)) + COLD,
        )
        for sentence in told[:MOST_TOLD]:
            self.scene.tell(f"its traces: {sentence}", "bad")

    @property
    def is_last(self) -> bool:
        """Whether the demo ends now, and the page of this rollout with it."""
        bad = self.wishes.fault is not Fault.NONE
        return self.wishes.once and (len(self.shown) > bad or bool(self._wrong()))

    def _wrong(self) -> list[str]:
        """Rollouts that did not end as they should."""
        return [
            f"the {_kind(fault)} rollout was {end}"
            for fault, end in self.shown
            if end is not (Ending.PROMOTED if fault is Fault.NONE else Ending.ABORTED)
        ]

    def _sum_up(self) -> int:
        """0 only if every rollout ended as it should."""
        wrong = self._wrong()
        if wrong:
            self.scene.tell(f"not as it should be: {', '.join(wrong)}", "bad")
            return OTHERWISE
        good = "the good went out"
        bad = "" if self.wishes.fault is Fault.NONE else ", the bad was stopped"
        self.scene.tell(f"{good}{bad}: as it should be", "good")
        return DONE


def _kind(fault: Fault) -> str:
    return "healthy" if fault is Fault.NONE else f"bad ({fault})"


def _opening(stage: Stage, stable: Version) -> tuple[str, ...]:
    """What is there, and where to look."""
    shop = f"{STABLE_PODS} pods of {stable.name}, {REQUESTS_PER_S:.0f} requests/s"
    pace = f"one second counts as {1 / TIME_SCALE:.0f}"
    return (
        f"the shop is open: {shop}, scraped each second by {stage.scraper}",
        f"look at {stage.gate.url}/rollouts; logs are in {stage.folder}",
        f"{pace}: what the gate calls three minutes are {180 * TIME_SCALE:.0f} s here",
    )
