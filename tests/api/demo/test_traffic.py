"""The customers: how they split, and that they count what they really got."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo.children import Children, python
from api.demo.traffic import MOST_AT_ONCE, Arm, Customers, Second, Split, Tally, TrafficConfig
from api.demo.web import Exchange, Reply, listen, serving
from tests.api.demo.stand import on_stage, until, web

WEIGHTS = st.lists(st.floats(0, 100), min_size=1, max_size=4)


def split(*weights: float, ports: tuple[int, ...] = (1,)) -> Split:
    arms = (Arm(version=f"v{n}", weight=w, ports=ports) for n, w in enumerate(weights))
    return Split(arms=tuple(arms))


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - traffic, no secret


@given(st.integers(1, 99), st.integers(0, 2**32))
def test_arms_get_their_share(weight: int, seed: int) -> None:
    """Fifteen per cent are fifteen per cent, give or take five standard deviations."""
    draw, both = chance(seed), split(100 - weight, weight)
    picked = [both.pick(draw) for _ in range(400)]
    canary = sum(arm is not None and arm.version == "v1" for arm in picked)
    share = weight / 100
    assert abs(canary - 400 * share) <= 5 * (400 * share * (1 - share)) ** 0.5 + 1


@given(WEIGHTS, st.integers(0, 2**32))
def test_nobody_is_sent_where_nothing_is(weights: list[float], seed: int) -> None:
    """An arm without weight or without pods gets no request."""
    picked = split(*weights).pick(chance(seed))
    assert picked is None if not any(weights) else picked is not None and picked.weight > 0
    assert split(*weights, ports=()).pick(chance(seed)) is None


def customers_of(*arms: Arm) -> Customers:
    made = Customers(seed=3)
    made.split = Split(arms=arms)
    return made


async def _visit(customers: Customers, number: int) -> None:
    """One more visit, and its end: the `number`-th."""
    customers._visit()
    await until(lambda: customers.tallies["v1"].requests == number)


async def _visits(customers: Customers, enough: int) -> Tally:
    """What the customers of v1 counted after so many requests, at 500 a second."""
    sending = asyncio.create_task(customers.send(500.0))
    await until(lambda: customers.tallies["v1"].requests >= enough)
    sending.cancel()
    return customers.second().arms["v1"]


def test_customers_count_what_they_got() -> None:
    """Errors are what the pod answered with an error, not what was planned."""

    async def shop() -> tuple[Tally, list[Exchange]]:
        async with web(Reply(500), Reply(500), Reply()) as (port, asked):
            customers = customers_of(Arm(version="v1", weight=1, ports=(port,)))
            tally = await _visits(customers, 40)
            customers.close()
            return tally, asked

    began = time.perf_counter()
    tally, asked = asyncio.run(shop())
    took = time.perf_counter() - began
    assert tally.requests >= 40
    assert tally.errors == 2
    assert 0 < tally.seconds / tally.requests < took
    assert {(e.method, e.path) for e in asked} <= {
        ("GET", "/cart"),
        ("GET", "/checkout"),
        ("POST", "/orders"),
    }


def test_a_refused_connection_is_an_error() -> None:
    """A pod that has died is felt by its customers until they are sent elsewhere."""

    async def nobody() -> Tally:
        with listen() as taken:
            port = taken.getsockname()[1]
        customers = customers_of(Arm(version="v1", weight=1, ports=(port,)))
        tally = await _visits(customers, 10)
        customers.close()
        return tally

    tally = asyncio.run(nobody())
    assert tally.errors == tally.requests >= 10


def test_connections_are_kept() -> None:
    """As many requests as one pod can bear would otherwise cost a connection each."""

    async def served() -> int:
        opened: set[object] = set()

        async def respond(_: Exchange) -> Reply:
            opened.add(asyncio.current_task())
            return Reply()

        async with serving(respond, listen()) as port:
            customers = customers_of(Arm(version="v1", weight=1, ports=(port,)))
            for visits in range(1, 21):
                await _visit(customers, visits)
            customers.close()
        return len(opened)

    assert asyncio.run(served()) == 1


def test_a_stuck_pod_does_not_pile_requests_up() -> None:
    """Past a bound visits are dropped and counted, and the machine survives."""

    async def stuck() -> int:
        async def respond(_: Exchange) -> Reply:
            await asyncio.Event().wait()
            return Reply()

        async with serving(respond, listen()) as port:
            customers = customers_of(Arm(version="v1", weight=1, ports=(port,)))
            for _ in range(MOST_AT_ONCE + 7):
                customers._visit()
            customers.close()
        return customers.second().dropped

    assert asyncio.run(stuck()) == 7


def test_a_second_begins_at_nothing() -> None:
    """Each report is of its own second."""
    customers = Customers()
    customers.tallies["v1"].requests, customers.dropped = 5, 2
    first, then = customers.second(), customers.second()
    assert (first.arms["v1"].requests, first.dropped) == (5, 2)
    assert (then.arms, then.dropped) == ({}, 0)


def test_the_process_obeys_and_reports(tmp_path: Path) -> None:
    """Told of a split it sends there, and says each second what came of it."""

    async def act(children: Children) -> Second:
        config = TrafficConfig(parent=os.getpid(), requests_per_s=100.0)
        command = python("api.demo.traffic", msgspec.json.encode(config).decode())
        process = await children.start("customers", command)
        async with web(Reply()) as (port, _):
            await process.tell(Split(arms=(Arm(version="v1", weight=1, ports=(port,)),)))
            async for second in process.lines(Second):
                if second.arms:
                    return second
        pytest.fail("the customers said nothing")

    second = on_stage(tmp_path, act)
    assert 0 < second.arms["v1"].requests < 250
    assert second.arms["v1"].errors == 0
