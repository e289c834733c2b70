"""Scans are kept once, by tenant, and found by service, revision and what was known when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.ports import Stores
from detector.scans.ports import ScanFilter
from detector.scans.scan import Finding, Scan, Severity

T0 = 1_790_000_000_000
DAY_MS = 86_400_000
EVERY = ScanFilter(tenant="default", service="checkout")
SCAN = Scan(
    id="scn_1",
    service="checkout",
    revision="v42",
    tool="Trivy",
    target="shop/checkout:v42",
    at=T0,
    made_at=T0 - 5,
    counts={Severity.CRITICAL: 2, Severity.LOW: 0},
    findings=(Finding(severity=Severity.CRITICAL, rule="CVE-2026-1", title="ü\n", fixed="3.0.2"),),
)


def found(stores: Stores, **wanted: object) -> list[str]:
    """Ids, as they are listed."""
    return [scan.id for scan in stores.scans.list(replace(EVERY, **wanted))]  # type: ignore[arg-type]


def test_a_scan_comes_back_as_it_was(stores: Stores) -> None:
    """Counts and findings decide about rollouts."""
    assert stores.scans.add("default", SCAN)
    assert list(stores.scans.list(EVERY)) == [SCAN]


def test_told_again_it_stays_as_it_was(stores: Stores) -> None:
    """What was known at a moment must not change later: verdicts of then are asked for again."""
    stores.scans.add("default", SCAN)
    again = replace(SCAN, at=T0 + 1000)
    assert not stores.scans.add("default", again)
    assert not stores.scans.add("default", SCAN)
    assert list(stores.scans.list(EVERY)) == [SCAN]


def test_those_of_another_tenant_are_not_there(stores: Stores) -> None:
    """Nor that there are any; the same id is another scan there."""
    stores.scans.add("other", SCAN)
    assert found(stores) == []
    assert stores.scans.add("default", SCAN)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["scn_3", "scn_2", "scn_1"]),
        ({"revision": "v42"}, ["scn_2", "scn_1"]),
        ({"revision": "v4"}, []),
        ({"service": "cart"}, ["scn_4"]),
        ({"until": T0 + 1}, ["scn_2", "scn_1"]),
        ({"until": T0}, ["scn_1"]),
        ({"until": T0 - 1}, []),
        ({"limit": 1}, ["scn_3"]),
        ({"service": None}, ["scn_3", "scn_2", "scn_4", "scn_1"]),
        ({"service": None, "revision": "v42"}, ["scn_2", "scn_4", "scn_1"]),
        ({"service": None, "after": (T0 + 1, "scn_2")}, ["scn_4", "scn_1"]),
        ({"service": None, "after": (T0, "scn_4")}, ["scn_1"]),
        ({"after": (T0, "scn_1")}, []),
    ],
)
def test_the_newest_come_first(stores: Stores, wanted: dict[str, object], ids: list[str]) -> None:
    """Of one service; of one revision where asked; none that was told later."""
    for scan in (
        SCAN,
        replace(SCAN, id="scn_2", at=T0 + 1),
        replace(SCAN, id="scn_3", at=T0 + 2, revision="v43"),
        replace(SCAN, id="scn_4", service="cart"),
    ):
        stores.scans.add("default", scan)
    assert found(stores, **wanted) == ids


def test_scans_go_when_fails_go(stores: Stores) -> None:
    """Later nobody can ask for a verdict that they held."""
    stores.scans.add("default", replace(SCAN, id="scn_old", at=T0 - 401 * DAY_MS))
    stores.scans.add("default", replace(SCAN, id="scn_edge", at=T0 - 399 * DAY_MS))
    stores.retention.prune(T0 / 1000)
    assert found(stores) == ["scn_edge"]
