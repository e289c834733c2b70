"""What the loop moves in the cluster, and what it asks the gate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from api.bodies.policy import PolicyBody
from api.demo.canary import FAULTY_FROM, POLICY, STABLE_PODS, TIME_SCALE, Canary, Roads
from api.demo.children import Child, Children
from api.demo.faults import Fault
from api.demo.gate import Gate
from api.demo.rollout import PLAN, Step
from api.demo.shop import Shop
from api.demo.traffic import Split
from api.demo.web import Exchange, Reply, listen, serving
from detector.gate.policy import Policy
from tests.api.demo.stand import on_stage, python_child

pytestmark = pytest.mark.slow

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
LOW, HIGH = Step(weight=25, pods=1), Step(weight=40, pods=2)


def rolled_out(
    folder: Path, act: Callable[[Canary], Awaitable[None]], fault: Fault = Fault.ERRORS
) -> Canary:
    """A canary of real pods beside one stable pod, after `act`."""

    async def run(children: Children) -> Canary:
        shop = Shop(children, folder, seed=2)
        roads = Roads(await customers(children), folder / "targets.json", state_port=7)
        stable, version = shop.version("v1"), shop.version("v2")
        await shop.scale(stable, 1)
        canary = Canary(shop, roads, stable=stable, version=version, fault=fault)
        try:
            await act(canary)
        finally:
            await shop.close()
        return canary

    return on_stage(folder, run)


async def customers(children: Children) -> Child:
    """Somebody who says back what he is told."""
    return await python_child(children, ECHO, "customers")


def test_the_fault_begins_where_it_should(tmp_path: Path) -> None:
    """The bad version passes its first step, as the worst ones do, and turns bad once."""
    turned: list[str] = []
    faults: list[Fault] = []

    async def act(canary: Canary) -> None:
        canary.on_fault = lambda: turned.append("bad")
        for step in (LOW, HIGH, HIGH):
            await canary.go_to(step)
            faults.append(canary.version.fault)

    rolled_out(tmp_path, act)
    assert LOW.weight < FAULTY_FROM <= HIGH.weight
    assert faults == [Fault.NONE, Fault.ERRORS, Fault.ERRORS]
    assert turned == ["bad"]


def test_a_healthy_version_never_turns_bad(tmp_path: Path) -> None:
    """`--fault none` shows no fault."""
    turned: list[str] = []

    async def act(canary: Canary) -> None:
        canary.on_fault = lambda: turned.append("bad")
        await canary.go_to(HIGH)

    assert rolled_out(tmp_path, act, Fault.NONE).version.fault is Fault.NONE
    assert turned == []


def test_pods_are_there_before_their_traffic(tmp_path: Path) -> None:
    """Customers are never sent where nobody serves."""
    heard: list[tuple[float, int]] = []

    async def act(canary: Canary) -> None:
        publishing = asyncio.create_task(canary.roads.publish(canary.shop))
        canary.shop.changed = canary.roads.changed
        for step in (LOW, HIGH):
            await canary.go_to(step)
        async for split in canary.roads.customers.lines(Split):
            heard.extend((arm.weight, len(arm.ports)) for arm in split.arms[1:])
            if (HIGH.weight, HIGH.pods) in heard:
                break
        publishing.cancel()

    rolled_out(tmp_path, act)
    assert {weight for weight, _ in heard} <= {LOW.weight, HIGH.weight}
    assert all(ports >= {LOW.weight: 1, HIGH.weight: 2}[round(weight)] for weight, ports in heard)


def test_an_abort_leaves_stable_alone(tmp_path: Path) -> None:
    """All traffic goes back, and the canary's pods are gone."""

    async def act(canary: Canary) -> None:
        await canary.go_to(LOW)
        await canary.abort()

    canary = rolled_out(tmp_path, act)
    assert canary.roads.weights == {canary.stable: 100}
    assert canary.shop.versions == [canary.stable]
    assert len(canary.stable.pods) == 1


def test_a_promotion_replaces_stable(tmp_path: Path) -> None:
    """The canary takes all traffic at the stable version's size."""

    async def act(canary: Canary) -> None:
        await canary.go_to(LOW)
        await canary.promote()

    canary = rolled_out(tmp_path, act, Fault.NONE)
    assert canary.roads.weights == {canary.version: 100}
    assert canary.shop.versions == [canary.version]
    assert len(canary.version.pods) == STABLE_PODS


def test_customers_and_scrapers_hear_of_each_change(tmp_path: Path) -> None:
    """One call writes the targets and tells the customers the ports by weight."""

    async def run(children: Children) -> tuple[Split, str]:
        shop = Shop(children, tmp_path, seed=2)
        roads = Roads(await customers(children), tmp_path / "targets.json", state_port=7)
        version = shop.version("v1")
        await shop.scale(version, 2)
        roads.share({version: 100})
        await roads.tell(shop)
        heard = await roads.customers.hear(Split)
        await shop.close()
        return heard, roads.targets.read_text()

    split, targets = on_stage(tmp_path, run)
    [arm] = split.arms
    assert (arm.version, arm.weight, len(arm.ports)) == ("v1", 100, 2)
    assert all(f'"127.0.0.1:{port}"' in targets for port in (7, *arm.ports))


def test_the_question_is_one_that_argo_could_ask(tmp_path: Path) -> None:
    """Selectors, weight, stage and deadline go to the very door that controllers use."""
    bodies: list[dict[str, object]] = []
    answer = {
        "answer": "pass",
        "outcome": "pass",
        "final": False,
        "reason": {"code": "healthy", "text": "well"},
    }

    async def act(canary: Canary) -> None:
        async def respond(exchange: Exchange) -> Reply:
            bodies.append({"path": exchange.path} | json.loads(exchange.body))
            return Reply(200, json.dumps(answer).encode())

        async with (
            serving(respond, listen()) as port,
            Gate(f"http://127.0.0.1:{port}") as gate,
        ):
            await canary.asks(gate, deadline_s=60)(PLAN[-1])

    canary = rolled_out(tmp_path, act)
    [body] = bodies
    assert body["path"] == "/v1/verdicts"
    assert (body["weight"], body["stage"], body["revision"]) == (55, "final", "v2")
    assert (body["canary"], body["control"]) == (canary.version.selector, canary.stable.selector)


def test_the_policy_is_the_default_but_for_what_is_said() -> None:
    """The demo runs the same engine, only faster: time scale and the errors' limit, no more."""
    policy = PolicyBody.model_validate(POLICY).native()
    changed = {
        name for name in Policy.__slots__ if getattr(policy, name) != getattr(Policy(), name)
    }
    assert changed == {"name", "time_scale", "signals"}
    assert policy.time_scale == TIME_SCALE
    assert set(policy.signals) == {"error_rate"}
