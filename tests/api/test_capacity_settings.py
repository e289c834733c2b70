"""`capacity:` of the configuration: what it says, and what is refused by its key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from api.capacity import open_capacity
from api.settings import Settings, load_settings
from detector.capacity.packs import shipped_capacity
from detector.capacity.resource import Kind
from detector.errors import ConfigError
from pipelines.stores.memory import memory_stores
from tests.pipelines.capacity.faked import TableRanges

SEATS = {"kind": "licences", "unit": "seats", "usage": "sum(crm_seats_used)", "limit": 500}
FULL = {
    "enabled": True,
    "where": 'namespace=~"shop|web"',
    "limits": {"kafka.partitions": 6000},
    "teams": {"shop": ["checkout", "cart-*"]},
    "prices": {"currency": "EUR", "cpu": 20, "memory": 3},
    "what_if": ["traffic +40% from 2026-12-01"],
    "resources": {
        "crm seats": {**SEATS, "planned": {"2027-01-01": 800}, "team": "sales"},
        "archive": {"kind": "disk", "unit": "bytes", "usage": "sum(a)", "limit": "20TiB"},
        "pool": {"unit": "connections", "usage": "max(b)", "limit": "min(c)", "hour": "mean"},
    },
}


def loaded(folder: Path, **changes: object) -> Settings:
    """A configuration with this section."""
    file = folder / "serinus.yaml"
    file.write_text(
        yaml.safe_dump({"capacity": {**FULL, **changes}}, sort_keys=False), encoding="utf-8"
    )
    return load_settings(file)


def test_all_of_it_is_read(tmp_path: Path) -> None:
    """Amounts are in the unit of their resource, queries stay queries."""
    section = loaded(tmp_path).capacity
    wanted = section.native()
    seats, archive, pool = wanted.by_hand
    assert (seats.kind, seats.limit, seats.team) == (Kind.LICENCES, 500.0, "sales")
    assert seats.planned == ((1_798_761_600_000, 800.0),)
    assert (archive.limit, pool.limit) == (20 * 2.0**40, "min(c)")
    assert wanted.packs == shipped_capacity()
    assert wanted.team_of("cart-api") == "shop"
    assert wanted.limits == {"kafka.partitions": 6000.0}
    assert section.prices.native().a_month == {Kind.CPU: 20.0, Kind.MEMORY: 3.0}
    assert [one.text for one in section.supposed(1_790_000_000_000)] == [
        "traffic +40% from 2026-12-01"
    ]
    assert section.horizon_s == 90 * 86_400


def other(**changes: object) -> dict[str, object]:
    """A resource with other keys."""
    return {"resources": {"seats": {**SEATS, **changes}}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"where": "namespace="}, "where"),
        ({"what_if": ["twice as much"]}, "what_if"),
        ({"alert_days": 0}, "alert_days"),
        ({"history_days": 3}, "history_days"),
        ({"prices": {"wishes": 1}}, "wishes"),
        (other(usage="sum(seats_total)"), "read by rate()"),
        (other(limit="sum("), "limit: brackets do not match"),
        (other(unit="bytes", limit="5 cores"), "not counted in bytes"),
        (other(planned={"2027-01-01": "sum(a)"}), "is no amount"),
        (other(kind="wishes"), "resources.seats.kind"),
        (other(usgae="a"), "usgae"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_key(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    """At the start, and not in a report weeks later."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        loaded(tmp_path, **changes)


@pytest.mark.parametrize(
    ("limits", "told"),
    [({"kafka.partition": 1}, "there is no 'kafka.partition'"), ({"kafka.lag": 0}, "is no limit")],
)
def test_limits_are_of_resources_that_packs_know(
    tmp_path: Path, limits: dict[str, float], told: str
) -> None:
    """A misspelt one would change nothing in silence."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        loaded(tmp_path, limits=limits).capacity.native()


def test_nothing_is_opened_that_was_not_asked_for(tmp_path: Path) -> None:
    """A guest reads nobody's months unasked; what is asked for needs PromQL."""
    names = TableRanges({})
    assert open_capacity(Settings(), names, memory_stores()) is None
    opened = open_capacity(loaded(tmp_path), names, memory_stores())
    assert opened is not None
    opened.close()
    memory = Settings.model_validate({"source": {"kind": "memory"}, "capacity": FULL})
    with pytest.raises(ConfigError, match="speaks PromQL"):
        open_capacity(memory, names, memory_stores())
