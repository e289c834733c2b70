"""Budgets of services: counted once a minute, and unknown where nothing can be counted."""

from __future__ import annotations

import numpy as np
import pytest

from detector.errors import InputError
from detector.series import Matcher, MatchOp, Query
from detector.slo.counts import Flaw
from detector.slo.objective import Counted, Objective, OfSignal
from detector.slo.window import Rolling
from pipelines.slo.budgets import CountedBudgets
from pipelines.testing import FakeSource, Fault

T0, DAY = 1_790_000_100.0, 86_400.0
ALL = Query("requests_total")
BAD = Query("requests_total", (Matcher("code", MatchOp.EQUAL, "500"),))


def objective(name: str = "checkout", service: str = "checkout") -> Objective:
    return Objective(
        name=name,
        service=service,
        target=0.99,
        window=Rolling(seconds=DAY, text="1d"),
        indicator=Counted(total=ALL, part=BAD, part_is_good=False),
    )


class Ticks:
    """A clock that is set."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


class World:
    """A day of a thousand requests a bin of five minutes, of which `failed` fail."""

    def __init__(self, failed: float = 5.0, *objectives: Objective) -> None:
        self.source, self.ticks = FakeSource(), Ticks()
        times = np.arange(T0 - DAY - 900, T0 + 900, 60.0)
        bins = (times - times[0]) / 300
        for code, rate in (("200", 1000 - failed), ("500", failed)):
            labels = {"__name__": "requests_total", "code": code}
            self.source.store.add(labels, times, bins * rate)
        mine = objectives or (objective(),)
        self.budgets = CountedBudgets(mine, self.source, monotonic=self.ticks)

    def left(self, *, as_of: float = T0, timeout_s: float = 1.0) -> float | None:
        (found,) = self.budgets.of("checkout", None, as_of=as_of, timeout_s=timeout_s)
        return found.budget.left


def test_half_the_budget_is_spent() -> None:
    """Five of a thousand, of ten that may be."""
    assert World(5.0).left() == pytest.approx(0.5, abs=0.01)
    assert World(12.0).left() == pytest.approx(-0.2, abs=0.01)


def test_one_is_counted_once_a_minute() -> None:
    """However many rollouts ask."""
    world = World()
    first = world.left()
    world.source.fault = Fault.DOWN
    assert first is not None
    assert {world.left(as_of=T0 + at) for at in (0.0, 10.0, 59.0)} == {first}
    world.ticks.at = 61.0
    assert world.left(as_of=T0 + 61) is None


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.SLOW, Fault.WARNINGS])
def test_a_source_that_fails_is_asked_once_a_minute(fault: Fault) -> None:
    """And its budget is unknown: no rollout waits for it again and again."""
    world = World()
    world.source.script(fault)
    assert world.left() is None
    assert world.left() is None
    world.ticks.at = 61.0
    assert world.left(as_of=T0 + 61) is not None


def test_without_time_nothing_is_asked() -> None:
    """And whoever has more of it is told."""
    world = World()
    (found,) = world.budgets.of("checkout", None, as_of=T0, timeout_s=0.0)
    assert found.budget.flaw is Flaw.SOURCE_FAILED
    assert world.left() is not None


def test_a_service_without_objectives_is_unknown() -> None:
    """As is one of a name that there is not; never silently fine."""
    world = World()
    for service, name in (("cart", None), ("checkout", "latency")):
        (found,) = world.budgets.of(service, name, as_of=T0, timeout_s=1.0)
        assert found.budget.flaw is Flaw.NO_OBJECTIVE
        assert found.name == (name or service)


def test_all_of_a_service_or_one_by_name() -> None:
    """Objectives of others are not looked at."""
    both = (objective("one"), objective("two"), objective("three", "cart"))
    world = World(5.0, *both)
    every = world.budgets.of("checkout", None, as_of=T0, timeout_s=1.0)
    assert [one.name for one in every] == ["one", "two"]
    (two,) = world.budgets.of("checkout", "two", as_of=T0, timeout_s=1.0)
    assert two.name == "two"


def test_a_signal_that_is_not_bound_is_unknown() -> None:
    """Whoever binds it says why not by an `InputError`."""
    unbound = Objective(
        name="a",
        service="checkout",
        target=0.9,
        window=Rolling(seconds=DAY, text="1d"),
        indicator=OfSignal(signal="error_rate"),
    )
    assert World(5.0, unbound).left() is None
    with pytest.raises(InputError, match="no counters of its own"):
        CountedBudgets((), FakeSource()).counters(unbound, T0, 1.0)


def test_the_past_is_of_then() -> None:
    """A moment before anything was counted has no budget that is known."""
    world = World()
    assert world.left(as_of=T0 - 10 * DAY) is None
    assert world.left(as_of=T0) is not None
