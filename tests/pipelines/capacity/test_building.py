"""Rows become resources: limits as steps, changes as positions, names as packs say."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.packs import Measured
from detector.capacity.resource import Kind, Resource
from pipelines.capacity.building import Measurements, resource_of, steps_of
from pipelines.capacity.grid import Grid
from pipelines.capacity.wanted import ByHand, Sought, Wanted

GRID = Grid(end=3600 * 1000, step_s=3600, count=200)
LABELS = frozenset({("namespace", "shop"), ("claim", "data"), ("app", "db")})
DISK = Sought(
    source="volumes",
    measured=Measured(
        name="bytes", kind=Kind.DISK, unit="bytes", needs=("a",), usage="a", title="{claim}"
    ),
    limit="b",
    requested=None,
    service=("service", "app"),
    namespace=("namespace",),
)
ROW = np.linspace(1.0, 2.0, GRID.count)


def built(read: Measurements, *, sought: Sought = DISK, changes: tuple[int, ...] = ()) -> Resource:
    """A resource of these rows."""
    wanted = Wanted(teams={"data": ("d*",)})
    return resource_of(sought, LABELS, read, grid=GRID, wanted=wanted, changes=changes)


def test_names_are_found_in_labels() -> None:
    """The first label that is there names the service; the title is filled in."""
    one = built(Measurements(usage=ROW, limit=np.full(GRID.count, 8.0)))
    assert (one.name, one.service, one.namespace, one.team) == ("data", "db", "shop", "data")
    assert (one.source, one.unit, one.cluster) == ("volumes.bytes", "bytes", "")
    assert one.limit is not None
    assert one.limit.now == 8.0


def test_history_begins_with_the_first_value() -> None:
    """Hours before a volume was there are no missing hours; its load is cut alike."""
    row = ROW.copy()
    row[:50] = np.nan
    one = built(Measurements(usage=row, driver=ROW, driver_name="requests"))
    assert one.usage.start_ms == 1000 * (GRID.start + 50 * 3600)
    assert one.driver is not None
    assert len(one.usage.values) == len(one.driver.values) == 150
    assert one.driver.start_ms == one.usage.start_ms


def test_a_load_that_was_never_measured_is_none() -> None:
    """Nothing is said to follow what nobody saw."""
    one = built(Measurements(usage=ROW, driver=np.full(GRID.count, np.nan), driver_name="requests"))
    assert (one.driver, one.driver_name) == (None, "")


def test_changes_become_positions_of_their_hours() -> None:
    """A rollout in the middle of an hour moved its highest value."""
    at = 1000 * (GRID.start + 10 * 3600)
    one = built(Measurements(usage=ROW), changes=(at + 1_800_000, at + 60_000, 0, 10**15))
    assert one.usage.changes == (10,)


def test_a_person_names_what_no_label_does() -> None:
    """Service, team and planned limits of the configuration win."""
    own = ByHand(
        name="seats", kind=Kind.LICENCES, unit="seats", usage="a", service="crm", team="sales",
        planned=((1, 9.0), (1000 * GRID.end + 1, 16.0)), replicas=3,
    )  # fmt: skip
    seats = replace(DISK, own=own)
    one = built(Measurements(usage=ROW, limit=np.full(GRID.count, 8.0)), sought=seats)
    assert (one.name, one.service, one.team, one.replicas) == ("seats", "crm", "sales", 3)
    assert one.limit is not None
    assert one.limit.planned == ((1000 * GRID.end + 1, 16.0),)


def test_a_limit_that_trembles_is_no_step() -> None:
    """What a file system keeps for root changes by a few blocks."""
    values = 8.0 + 0.004 * np.sin(np.arange(GRID.count))
    limit = steps_of(values, GRID)
    assert limit is not None
    assert len(limit.steps) == 1


def test_a_limit_that_was_taken_away_is_none() -> None:
    """A pod whose limit was removed a week ago does not run out against it."""
    values = np.full(GRID.count, 8.0)
    values[-30:] = np.nan
    assert steps_of(values, GRID) is None
    assert steps_of(None, GRID) is None
    assert steps_of(np.zeros(GRID.count), GRID) is None


@given(st.lists(st.floats(0.5, 1e9), min_size=1, max_size=200))
def test_a_limit_is_at_each_hour_what_it_was(values: list[float]) -> None:
    """Steps lose nothing but trembling."""
    grid = replace(GRID, count=len(values))
    limit = steps_of(np.array(values), grid)
    assert limit is not None
    for at, value in enumerate(values):
        assert limit.at(1000 * (grid.start + at * 3600)) == pytest.approx(value, rel=1e-3)


def test_a_resource_without_a_title_is_called_as_its_pack_says() -> None:
    """`memory of web` needs no more."""
    bare = replace(DISK, measured=msgspec.structs.replace(DISK.measured, title=""))
    assert built(Measurements(usage=ROW), sought=bare).name == "bytes"
