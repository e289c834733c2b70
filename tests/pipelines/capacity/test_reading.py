"""What is read, chosen, remembered and left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.capacity.packs import CapacityPack, parse_capacity_pack
from detector.capacity.resource import Kind
from detector.errors import SourceError
from detector.selector import parse_selector
from pipelines.capacity.choosing import matched
from pipelines.capacity.reading import Reading
from pipelines.capacity.wanted import ByHand, Wanted
from tests.pipelines.capacity.faked import TableRanges, Told, steady

NOW = 3600 * 500_000.0
PACK = """\
name: pools
title: Pools
published: https://example.org
service: [app]
drivers:
  - {needs: [gone], query: load_gone}
  - {needs: [hits], query: load}
resources:
  - {name: pool, kind: connections, unit: connections, needs: [used], usage: used, limit: bound,
     requested: asked, replicas: pods, driven: true}
"""
A, B, C = ((("app", name), ("pool", "main")) for name in "abc")
TOLD: Told = {
    "used": {A: steady(8.0), B: steady(2.0), C: steady(5.0)},
    "bound": {A: steady(10.0), B: steady(10.0)},
    "asked": {(("app", "a"),): steady(9.0)},
    "pods": {A: steady(3.0)},
    "load": {(("app", "a"),): lambda times: times % 86_400},
}
METRICS = frozenset({"used", "hits"})


def pack() -> CapacityPack:
    """The pack above."""
    return parse_capacity_pack(PACK, origin="pools.yaml")


def reading(**changes: object) -> tuple[Reading, TableRanges]:
    """What reads the table above."""
    table = TableRanges(TOLD, METRICS)
    wanted = replace(Wanted(packs=(pack(),), days=2), **changes)  # type: ignore[arg-type]
    return Reading(ranges=table, names=table, wanted=wanted), table


def test_what_belongs_to_a_resource_is_put_to_it() -> None:
    """Limits, requests, loads and copies are found by the labels that they share."""
    one, _ = reading()
    found = {each.service: each for each in one.read(NOW, timeout_s=60).resources}
    a, c = found["a"], found["c"]
    assert a.limit is not None
    assert a.requested is not None
    assert (a.limit.now, a.requested.now, a.replicas, a.driver_name) == (10.0, 9.0, 3, "requests")
    assert (c.limit, c.requested, c.replicas, c.driver) == (None, None, 1, None)


def test_a_pack_whose_metrics_are_not_there_is_not_asked_for() -> None:
    """A guest asks for nothing that is not there."""
    one, table = reading()
    table.known = frozenset({"hits"})
    assert one.read(NOW, timeout_s=60).resources == ()
    assert table.asked == []


def test_only_the_meant_are_read() -> None:
    """One team looks at its own namespace."""
    one, _ = reading(where=parse_selector('app=~"a|c"'))
    assert [each.service for each in one.read(NOW, timeout_s=60).resources] == ["a", "c"]


def test_the_fullest_are_read_where_there_are_too_many() -> None:
    """Those without a limit come last, and how many are left out is said."""
    one, _ = reading(most=2)
    read = one.read(NOW, timeout_s=60)
    assert [each.service for each in read.resources] == ["a", "b"]
    assert [(left.name, "capacity.most" in left.why) for left in read.left_out] == [
        ("1 of pools.pool", True)
    ]


def test_a_number_of_the_configuration_is_the_limit() -> None:
    """Rules of thumb of a pack are other rules elsewhere."""
    one, _ = reading(limits={"pools.pool": 64.0})
    assert {each.limit.now for each in one.read(NOW, timeout_s=60).resources if each.limit} == {64}


def test_without_its_limit_nothing_is_told_of_a_resource() -> None:
    """A limit that could not be read is not endless."""
    other = ByHand(name="seats", kind=Kind.LICENCES, unit="seats", usage="load", limit=1e9)
    one, table = reading(by_hand=(other,))
    assert len(one.read(NOW, timeout_s=60).resources) == 4
    table.broken.add("bound")
    read = one.read(NOW + 3600, timeout_s=60)
    assert [each.name for each in read.resources] == ["seats"]
    assert [(left.name, left.why) for left in read.left_out] == [("pools.pool", "bound is broken")]


def test_a_source_that_answers_nothing_is_an_error() -> None:
    """An empty report would look like plenty of room."""
    one, table = reading()
    table.broken.add("*")
    with pytest.raises(SourceError, match="broken"):
        one.read(NOW, timeout_s=60)


def test_loads_and_copies_that_fail_are_left_out_alone() -> None:
    """The date of a disk does not depend on them."""
    one, table = reading()
    table.broken |= {"load", "pods"}
    found = {each.service: each for each in one.read(NOW, timeout_s=60).resources}
    assert (found["a"].driver, found["a"].replicas) == (None, 1)


def test_only_new_hours_are_asked_for_again() -> None:
    """And they are put behind those that were known."""
    one, table = reading()
    one.read(NOW, timeout_s=60)
    table.asked.clear()
    later = one.read(NOW + 5 * 3600, timeout_s=60)
    fresh = reading()[0].read(NOW + 5 * 3600, timeout_s=60)
    spans = {query: end - start for query, start, end in table.asked}
    assert max(spans.values()) == 6 * 3600
    for old, new in zip(later.resources, fresh.resources, strict=True):
        np.testing.assert_array_equal(old.usage.values, new.usage.values)
        if old.driver is not None and new.driver is not None:
            np.testing.assert_array_equal(old.driver.values, new.driver.values)


def test_all_is_read_again_after_a_long_time_or_for_more_resources() -> None:
    """What is not known cannot be moved."""
    one, table = reading(most=1)
    one.read(NOW, timeout_s=60)
    one.wanted = replace(one.wanted, most=3)
    table.asked.clear()
    assert len(one.read(NOW + 3600, timeout_s=60).resources) == 3
    assert max(end - start for _, start, end in table.asked) == 47 * 3600


def test_changes_of_a_service_are_marked() -> None:
    """Each resource is told of the changes of its own service."""
    one, _ = reading()
    asked: list[tuple[str, str]] = []

    def changed(service: str, namespace: str, since: int, until: int) -> list[int]:
        asked.append((service, namespace))
        return [since + 3_600_000 * 7] if service == "a" else []

    one.changed = changed
    found = {each.service: each.usage for each in one.read(NOW, timeout_s=60).resources}
    assert found["a"].changes == (7,)
    assert found["b"].changes == ()
    assert asked == [("a", ""), ("b", ""), ("c", "")]


def test_two_that_say_as_much_are_no_match() -> None:
    """Which of them is the limit would be chance."""
    rows = {frozenset({("a", "1")}): np.ones(1), frozenset({("b", "1")}): np.ones(1)}
    assert matched(rows, frozenset({("a", "1"), ("b", "1")})) is None
    assert matched({}, frozenset()) is None


def test_no_time_is_an_error_that_says_so() -> None:
    """A source that is slow is not taken for one without resources."""
    one, _ = reading()
    moments = iter([0.0, *[100.0] * 50])
    one.monotonic = lambda: next(moments)
    with pytest.raises(SourceError, match=r"capacity\.read_s"):
        one.read(NOW, timeout_s=60)


def test_of_some_services_only_theirs_are_read() -> None:
    """A report of one service must not depend on how full the others are, nor read their months."""
    one, _ = reading(services=("b",), most=1)
    read = one.read(NOW, timeout_s=60)
    assert [each.service for each in read.resources] == ["b"]
    assert read.left_out == ()
    assert read.owners == {("a", ""), ("b", ""), ("c", "")}


def test_of_a_team_only_its_own_are_read() -> None:
    """By the patterns of the configuration, and what people set by hand by what they said."""
    seats = ByHand(name="seats", kind=Kind.LICENCES, unit="", usage="used", team="sales")
    one, _ = reading(team="shop", teams={"shop": ("a", "c")}, by_hand=(seats,))
    assert sorted(each.service for each in one.read(NOW, timeout_s=60).resources) == ["a", "c"]
    other, _ = reading(team="sales", by_hand=(seats,))
    found = other.read(NOW, timeout_s=60).resources
    assert {(each.name, each.team) for each in found} == {("seats", "sales")}
