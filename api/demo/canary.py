"""One canary in the demo's cluster: what `Loop` moves, as Argo's controller would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.demo.children import Child
from api.demo.faults import Fault
from api.demo.gate import Answer, Gate, Question
from api.demo.rollout import Step
from api.demo.shop import NAMESPACE, ROLLOUT, Shop, Version
from api.demo.targets import target_groups, write_targets
from api.demo.traffic import Arm, Split

__all__ = ["POLICY", "STABLE_PODS", "Canary", "Roads"]

STABLE_PODS = 6
# From this weight on the bad version is bad: it passes its first step, as the worst ones do.
FAULTY_FROM = 30
DRAIN_S = 1.0
TIME_SCALE = 1 / 15
# The engine's own defaults but for two things: it runs fifteen times as fast, and a pass promises
# at most two points of errors, not half a point, for it has seconds where others have minutes.
POLICY: dict[str, object] = {
    "name": "demo",
    "time_scale": TIME_SCALE,
    "signals": {"error_rate": {"limit_points": 0.02}},
}


class Roads:
    """Who is sent where: tells the customers and the scrapers of every change in the cluster."""

    def __init__(self, customers: Child, targets: Path, *, state_port: int) -> None:
        self.customers = customers
        self.targets = targets
        self.state_port = state_port
        self.weights: dict[Version, float] = {}
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Something about the pods or the weights is another."""
        self._changed.set()

    def share(self, weights: dict[Version, float]) -> None:
        """Split the traffic by these weights."""
        self.weights = weights
        self.changed()

    async def publish(self, shop: Shop) -> None:
        """Pass each change on, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.tell(shop)

    async def tell(self, shop: Shop) -> None:
        """Write the targets, and tell the customers where to go."""
        write_targets(self.targets, list(target_groups(shop.versions, state_port=self.state_port)))
        await self.customers.tell(self._split())

    def _split(self) -> Split:
        return Split(
            arms=tuple(
                Arm(
                    version=version.name,
                    weight=weight,
                    ports=tuple(pod.port for pod in version.ready),
                )
                for version, weight in self.weights.items()
            )
        )


class Canary:
    """One rollout of `version` against `stable`; its fault begins at the second step."""

    def __init__(
        self, shop: Shop, roads: Roads, *, stable: Version, version: Version, fault: Fault
    ) -> None:
        self.shop = shop
        self.roads = roads
        self.stable = stable
        self.version = version
        self.fault = fault
        self.on_fault: Callable[[], None] = lambda: None
        self.faulty_since: datetime | None = None

    async def go_to(self, step: Step) -> None:
        """Have the step's pods ready, then send them its share of the traffic."""
        await self.shop.scale(self.version, step.pods)
        self.roads.share({self.stable: 100 - step.weight, self.version: step.weight})
        is_due = step.weight >= FAULTY_FROM and self.version.fault is not self.fault
        if is_due:
            await self.shop.inject(self.version, self.fault)
            self.faulty_since = datetime.now(UTC)
            self.on_fault()

    async def promote(self) -> None:
        """Send all traffic to the canary, give it the stable size, end the old version."""
        self.roads.share({self.version: 100})
        await asyncio.sleep(DRAIN_S)
        await self.shop.scale(self.version, STABLE_PODS)
        await self.shop.remove(self.stable)

    async def abort(self) -> None:
        """Send all traffic back to the stable version and end the canary."""
        self.roads.share({self.stable: 100})
        await asyncio.sleep(DRAIN_S)
        await self.shop.remove(self.version)

    def asks(self, gate: Gate, *, deadline_s: float) -> _Questions:
        """Its questions to the gate; undecided becomes final `deadline_s` seconds from now."""
        deadline = datetime.now(UTC) + timedelta(seconds=deadline_s)
        return _Questions(self, gate, deadline.isoformat())


class _Questions:
    def __init__(self, canary: Canary, gate: Gate, deadline: str) -> None:
        self.canary, self.gate, self.deadline = canary, gate, deadline

    async def __call__(self, step: Step) -> Answer:
        return await self.gate.ask(
            Question(
                service=ROLLOUT,
                namespace=NAMESPACE,
                rollout=ROLLOUT,
                revision=self.canary.version.name,
                canary=self.canary.version.selector,
                control=self.canary.stable.selector,
                policy=POLICY,
                weight=step.weight,
                stage=step.stage,
                deadline=self.deadline,
            )
        )
