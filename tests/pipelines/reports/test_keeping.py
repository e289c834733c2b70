"""Reports that are kept, and those of before that a new one is held against."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.capacity.report import Report
from detector.errors import NotFoundError
from detector.ports import Stores
from detector.reports.kept import KeptReport
from pipelines.reports.keeping import Archive, id_at
from pipelines.stores.memory import memory_stores
from tests.api.reports.examples import DAY_MS, HORIZON_S, NOW, cores, disk, report


@pytest.fixture
def stores() -> Stores:
    """Empty ones."""
    return memory_stores()


@pytest.fixture
def archive(stores: Stores) -> Archive:
    """Of one tenant."""
    return Archive(store=stores.reports)


def made(days_ago: float, scope: str = "all services") -> Report:
    """A report of before."""
    return replace(report(disk()), made_at=NOW - round(days_ago * DAY_MS), scope=scope)


def test_a_report_is_kept_under_its_moment(archive: Archive) -> None:
    """So that people can type it, and two processes call it the same."""
    kept = archive.keep(report(), title="Disk data runs out", name="weekly")
    assert kept is not None
    assert (kept.id, kept.name, kept.scope) == ("weekly-20261125-070000", "weekly", "all services")
    assert (kept.at, kept.horizon_s, kept.title) == (NOW, HORIZON_S, "Disk data runs out")
    assert archive.opened(kept.id) == report()
    assert id_at(NOW, "weekly") == kept.id


def test_made_twice_it_is_kept_once(archive: Archive) -> None:
    """The first of two replicas has it."""
    assert archive.keep(report(disk()), title="")
    assert archive.keep(report(cores()), title="") is None
    assert archive.opened("report-20261125-070000") == report(disk())


def test_what_is_not_there_is_named(archive: Archive) -> None:
    """Rather than an empty report."""
    with pytest.raises(NotFoundError, match="weekly-1"):
        archive.opened("weekly-1")


def test_the_past_is_some_of_each_age(archive: Archive) -> None:
    """A year of daily reports would be read for minutes, and says no more."""
    for days in range(1, 100):
        archive.keep(made(days), title="")
    ages = [(NOW - one.made_at) // DAY_MS for one in archive.past(NOW, "all services")]
    assert ages == [90, 60, 30, 14, 7]


def test_the_past_is_of_the_same_or_of_all(archive: Archive) -> None:
    """A report of the shop says nothing of search."""
    archive.keep(made(10, "team shop"), title="", name="shop")
    archive.keep(made(20, "everything"), title="", name="capacity")
    archive.keep(made(30, "search"), title="", name="search")
    scopes = [one.scope for one in archive.past(NOW, "team shop")]
    assert scopes == ["everything", "team shop"]
    assert [one.scope for one in archive.past(NOW, "search")] == ["search", "everything"]


def test_what_is_young_cannot_be_judged(archive: Archive) -> None:
    """Nothing came of it yet."""
    archive.keep(made(6.9), title="")
    assert archive.past(NOW, "all services") == []


def test_what_another_version_wrote_is_left_out(stores: Stores, archive: Archive) -> None:
    """An upgrade does not end reports."""
    archive.keep(made(8), title="")
    old = KeptReport(
        id="old", tenant="default", name="", at=NOW - 20 * DAY_MS, horizon_s=1,
        scope="all services", title="", body=b'{"schema":99}',
    )  # fmt: skip
    stores.reports.add(old)
    assert archive.past(NOW, "all services") == [made(8)]


def test_tenants_do_not_see_each_other(stores: Stores, archive: Archive) -> None:
    """Nor is what one was told held against another's."""
    other = Archive(store=stores.reports, tenant="other")
    other.keep(made(8), title="")
    assert archive.past(NOW, "all services") == []
    with pytest.raises(NotFoundError):
        archive.opened(id_at(made(8).made_at))
