"""Reports are kept as they were, found by who asked for them, and listed without their content."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from detector.errors import InputError, NotFoundError, StoreError
from detector.ports import Stores
from detector.reports.kept import KeptReport, ReportFilter
from pipelines.stores import schema
from pipelines.stores.connections import Connections
from pipelines.stores.tables import stores_on

T0 = 1_790_000_000_000
DAY_MS = 86_400_000
EVERY = ReportFilter(tenant="default")
REPORT = KeptReport(
    id="weekly-2026-11-30",
    tenant="default",
    name="weekly",
    at=T0,
    horizon_s=90 * 86_400,
    scope="team shop",
    title="The disk of orders runs out first, on Friday 18 December",
    body=b'{"schema":1,"summary":["\xc3\xbc"]}' * 1000,
)


def found(stores: Stores, **wanted: object) -> list[str]:
    """Ids, as they are listed."""
    asked = replace(EVERY, **wanted)  # type: ignore[arg-type]
    return [one.id for one in stores.reports.list(asked).reports]


def test_a_report_comes_back_as_it_was(stores: Stores) -> None:
    """It is compared with the next one, and what it said is held against what came."""
    assert stores.reports.add(REPORT)
    assert stores.reports.get("default", REPORT.id) == REPORT


def test_a_list_does_not_read_contents(stores: Stores) -> None:
    """A year of a fleet's reports is hundreds of megabytes."""
    stores.reports.add(REPORT)
    assert stores.reports.list(EVERY).reports == (replace(REPORT, body=b""),)


def test_made_again_it_stays_as_it_was(stores: Stores) -> None:
    """Of two processes that make the report of a moment one alone is told of and shown."""
    assert stores.reports.add(REPORT)
    assert not stores.reports.add(replace(REPORT, title="another", body=b"{}"))
    assert stores.reports.get("default", REPORT.id) == REPORT


def test_one_of_another_tenant_is_not_there(stores: Stores) -> None:
    """Nor that there is any; the same id is another report there."""
    stores.reports.add(replace(REPORT, tenant="other"))
    assert found(stores) == []
    with pytest.raises(NotFoundError, match="weekly-2026-11-30"):
        stores.reports.get("default", REPORT.id)
    assert stores.reports.add(REPORT)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["r4", "r3", "r2", "r1", "r5"]),
        ({"name": "monthly"}, ["r3"]),
        ({"name": ""}, ["r4"]),
        ({"scope": "all"}, ["r4"]),
        ({"name": "weekly", "scope": "all"}, []),
        ({"limit": 2}, ["r4", "r3"]),
        ({"for_people": True, "limit": 3}, ["r4", "r3", "r2"]),
        ({"name": "capacity"}, ["r5"]),
    ],
    ids=str,
)
def test_the_newest_come_first(stores: Stores, wanted: dict[str, object], ids: list[str]) -> None:
    """Of one schedule, or of one scope, where asked."""
    for report in (
        replace(REPORT, id="r1"),
        replace(REPORT, id="r2"),
        replace(REPORT, id="r3", at=T0 + 1, name="monthly"),
        replace(REPORT, id="r4", at=T0 + 2, name="", scope="all"),
        replace(REPORT, id="r5", at=T0 - 9, name="capacity"),
    ):
        stores.reports.add(report)
    assert found(stores, **wanted) == ids


def test_pages_follow_each_other(stores: Stores) -> None:
    """Nothing comes twice, and nothing is left out; also of one moment."""
    for number in range(5):
        stores.reports.add(replace(REPORT, id=f"r{number}", at=T0 + number // 2))
    seen, wanted = list[str](), replace(EVERY, limit=2)
    while True:
        page = stores.reports.list(wanted)
        seen += [one.id for one in page.reports]
        if page.next is None:
            break
        wanted = replace(wanted, after=page.next)
    assert seen == ["r4", "r3", "r2", "r1", "r0"]


def test_a_cursor_of_others_is_refused(stores: Stores) -> None:
    """Rather than that a page begins anywhere."""
    stores.reports.add(REPORT)
    with pytest.raises(InputError, match="cursor"):
        stores.reports.list(replace(EVERY, after="no cursor"))


def test_reports_go_after_a_year(stores: Stores) -> None:
    """As verdicts that failed: 400 days; those that nobody asked for after 100."""
    stores.reports.add(replace(REPORT, id="old", at=T0 - 401 * DAY_MS))
    stores.reports.add(replace(REPORT, id="edge", at=T0 - 399 * DAY_MS))
    for days in (99, 101):
        background = replace(REPORT, id=f"b{days}", at=T0 - days * DAY_MS, name="capacity")
        stores.reports.add(background)
    stores.retention.prune(T0 / 1000)
    assert found(stores) == ["b99", "edge"]


def test_what_was_damaged_is_named(database: Connections) -> None:
    """And it is no report, nor a crash."""
    stores = stores_on(database)
    stores.reports.add(REPORT)
    with database.built() as connection:
        connection.execute(sa.update(schema.reports).values(body=b"damaged"))
        connection.commit()
    with pytest.raises(StoreError, match="weekly-2026-11-30"):
        stores.reports.get("default", REPORT.id)
