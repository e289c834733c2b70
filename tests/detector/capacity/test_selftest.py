"""Whether exhaustion would be told: of what can be exhausted always, of what cannot never."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.packs import CapacityPack, parse_capacity_pack, shipped_capacity
from detector.capacity.resource import Kind, Limit, Resource
from detector.capacity.selftest import mute, untold
from models.baseline.calendar import DAY_MS
from tests.detector.capacity.worlds import GIB, NOW, disk, hours, web
from tests.profiles import HEAVY

PACK = """\
name: ours
title: Ours
published: https://example.org
resources:
  - {name: seats, kind: licences, unit: seats, needs: [seats_used], usage: seats_used}
  - {name: rooms, kind: other, unit: rooms, needs: [rooms_used], usage: rooms_used}
"""


def pack(text: str = PACK) -> CapacityPack:
    """A pack of seats and rooms, without limits."""
    return parse_capacity_pack(text, origin="ours.yaml")


def test_what_has_limits_would_be_told() -> None:
    """The packs that people get: whatever has a limit can be exhausted."""
    assert untold(disk(), as_of=NOW) is None
    assert untold(web(), as_of=NOW) is None


@given(
    kind=st.sampled_from(list(Kind)),
    limit=st.floats(1e-3, 1e12),
    share=st.floats(0.01, 0.99),
)
@HEAVY
def test_a_resource_below_its_limit_would_be_told(kind: Kind, limit: float, share: float) -> None:
    """Of every kind and size: a date that never comes is worse than none."""
    usage = hours(limit * share * np.linspace(0.9, 1.0, 48))
    one = Resource(name="x", kind=kind, unit="y", usage=usage, limit=Limit.of(limit))
    assert untold(one, as_of=NOW) is None


def test_without_a_limit_it_is_never_told() -> None:
    """It would look endless."""
    assert untold(replace(disk(), limit=None), as_of=NOW) == "no limit is known of it"


def test_a_limit_in_another_unit_is_never_reached() -> None:
    """Usage in GiB against a limit in bytes: the pack has lost a factor."""
    one = replace(disk(limit=200 * GIB), usage=hours(np.full(48, 0.3)))
    assert "are units mixed?" in str(untold(one, as_of=NOW))


def test_a_limit_that_follows_usage_is_never_reached() -> None:
    """A query of a limit that is made of the usage: always eight tenths are used."""
    usage = hours(100 + 50 * np.sin(np.arange(48) / 4))
    at = usage.starts().tolist()
    moving = Limit(steps=tuple(zip(at, (usage.values * 1.25).tolist(), strict=True)))
    why = untold(replace(disk(), usage=usage, limit=moving), as_of=NOW)
    assert why == "its limit moves as its usage does: it can never be reached"


def test_a_limit_that_is_raised_with_usage_now_and_then_can_be_reached() -> None:
    """People who grow a disk when it is nearly full have a limit all the same."""
    usage = hours(np.linspace(100, 190, 96))
    raised = Limit(steps=((NOW - 4 * DAY_MS, 150.0), (NOW - 2 * DAY_MS, 200.0)))
    assert untold(replace(disk(), usage=usage, limit=raised), as_of=NOW) is None


def test_steady_usage_under_a_steady_limit_does_not_follow_it() -> None:
    """A pool that is always at 7 of 10 is no pack's mistake."""
    one = replace(disk(limit=10.0), usage=hours(np.full(48, 7.0)))
    assert untold(one, as_of=NOW) is None


def test_what_was_never_measured_is_said() -> None:
    """A series of nothing but gaps."""
    one = replace(disk(), usage=hours(np.full(48, np.nan)))
    assert untold(one, as_of=NOW) == "nothing was measured of it"


def test_usage_above_its_limit_is_told() -> None:
    """What is full already."""
    one = replace(disk(limit=100.0), usage=hours(np.full(48, 120.0)))
    assert untold(one, as_of=NOW) is None


def test_a_pack_without_any_limit_is_mute() -> None:
    """It is refused before anything is asked of a Prometheus."""
    why = mute(pack(), {})
    assert why is not None
    assert "capacity.limits: {ours.rooms: NUMBER}" in why


@pytest.mark.parametrize("limits", [{"ours.seats": 5.0}, {"ours.rooms": 1.0, "redis.memory": 2.0}])
def test_a_limit_by_the_configuration_is_one(limits: dict[str, float]) -> None:
    """Whoever sets a number needs no query."""
    assert mute(pack(), limits) is None


def test_limits_of_other_packs_are_none() -> None:
    """A number for redis says nothing of seats."""
    assert mute(pack(), {"redis.memory": 1e9}) is not None


def test_a_limit_that_is_the_usage_is_a_slip() -> None:
    """Copied, and never changed."""
    text = PACK.replace("usage: rooms_used", "usage: rooms_used, limit: rooms_used")
    assert mute(pack(text), {}) == (
        "resources[1].limit: is the usage itself, which is always at it"
    )


@pytest.mark.parametrize("shipped", shipped_capacity(), ids=lambda one: one.name)
def test_no_shipped_pack_is_mute(shipped: CapacityPack) -> None:
    """Ours are held to the same."""
    assert mute(shipped, {}) is None
