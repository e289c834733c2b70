"""Reports by a schedule: made once when they are due, kept, and told to whom it concerns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from detector.capacity.report import Report
from detector.errors import InputError, SourceError, StoreError
from detector.gate.telling import Notice, NoticeKind, Route
from detector.ports import Stores
from detector.reports.kept import ReportFilter
from detector.reports.moments import moment_at
from pipelines.reports.keeping import Archive
from pipelines.reports.making import Order
from pipelines.reports.scheduled import Schedule, Scheduled, Told
from pipelines.stores.memory import memory_stores
from pipelines.stores.memory_outbox import MemoryOutbox
from tests.api.reports.examples import report
from tests.pipelines.capacity.test_refreshing import Clock

# Monday 23 November 2026, 09:00 UTC.
DUE = 1_795_424_400.0
DAY, WEEK = 86_400.0, 7 * 86_400.0
ORDER = Order(horizon_s=90 * 86_400, team="shop")
WEEKLY = Schedule(name="weekly", moment=moment_at("monday 09:00"), order=ORDER)
CHAT, PAGER = Route(name="chat"), Route(name="pager", kinds=frozenset({NoticeKind.FAIL}))


@dataclass(slots=True)
class Makes:
    """Gives a report of the moment, or raises."""

    error: Exception | None = None
    asked: list[tuple[Order, float]] = field(default_factory=list)

    def made(self, order: Order, as_of: float) -> Report:
        """As it was told."""
        self.asked.append((order, as_of))
        if self.error is not None:
            raise self.error
        return replace(report(), made_at=round(1000 * as_of), scope=order.scope)


@dataclass(slots=True)
class Stage:
    """What makes reports, and all that it stands on."""

    makes: Makes = field(default_factory=Makes)
    stores: Stores = field(default_factory=memory_stores)
    clock: Clock = field(default_factory=lambda: Clock(DUE + 60))
    schedules: tuple[Schedule, ...] = (WEEKLY,)
    routes: tuple[Route, ...] = (CHAT, PAGER)

    def scheduled(self) -> Scheduled:
        """A process of it."""
        return Scheduled(
            schedules=self.schedules,
            makes=lambda _: self.makes,
            archive=Archive(store=self.stores.reports),
            outbox=self.stores.outbox,
            routes=self.routes,
            clock=self.clock,
            told=lambda one: Told(title=f"Capacity of {one.scope}", lines=("one", "two")),
        )

    def notices(self, to: str = "chat") -> list[Notice]:
        """What is told to whom."""
        errands = self.stores.outbox.claim(to, now=self.clock.at + 1, lease_s=1, most=99)
        return [one.notice for one in errands]

    def kept(self) -> list[str]:
        """The ids of what is kept."""
        page = self.stores.reports.list(ReportFilter(tenant="default"))
        return [one.id for one in page.reports]


def looked(one: Scheduled) -> None:
    """Until there is nothing more to do."""
    for _ in range(9):
        if not one.look():
            return
    pytest.fail("it never ends")


def test_what_is_due_is_made_for_its_moment() -> None:
    """Not for when somebody gets to it: the report of Monday is of Monday."""
    stage = Stage()
    looked(stage.scheduled())
    assert stage.makes.asked == [(ORDER, DUE)]
    assert stage.kept() == ["weekly-20261123-090000"]


def test_it_is_told_with_its_first_lines() -> None:
    """By who wants reports; its id leads to the picture and the page."""
    stage = Stage()
    looked(stage.scheduled())
    (notice,) = stage.notices()
    assert (notice.kind, notice.report) == (NoticeKind.REPORT, "weekly-20261123-090000")
    assert (notice.title, notice.text) == ("Capacity of team shop", "one\ntwo")
    assert stage.notices("pager") == []


def test_a_schedule_may_name_who_is_told() -> None:
    """The shop's report is for the shop's channel."""
    stage = Stage(routes=(CHAT, Route(name="shop")), schedules=(replace(WEEKLY, to=("shop",)),))
    looked(stage.scheduled())
    assert stage.notices("chat") == []
    assert len(stage.notices("shop")) == 1


def test_each_moment_has_one_report() -> None:
    """However often is looked; the next week it is made again."""
    stage = Stage()
    one = stage.scheduled()
    looked(one)
    stage.clock.at = DUE + 3600
    looked(one)
    assert len(stage.makes.asked) == 1
    stage.clock.at = DUE + WEEK + 60
    looked(one)
    assert stage.kept() == ["weekly-20261130-090000", "weekly-20261123-090000"]


def test_two_replicas_tell_it_once() -> None:
    """The second finds what the first kept, and a process that starts anew does so, too."""
    stage = Stage()
    looked(stage.scheduled())
    looked(stage.scheduled())
    assert len(stage.makes.asked) == 1
    assert len(stage.notices()) == 1


def test_who_died_before_telling_tells_it_later() -> None:
    """It was kept, and nobody heard of it."""
    stage = Stage()

    class Down(MemoryOutbox):
        def put(self, posts: object) -> None:
            raise StoreError("away")

    broken = stage.scheduled()
    broken.outbox = Down()
    with pytest.raises(StoreError):
        broken.look()
    assert stage.kept() == ["weekly-20261123-090000"]
    assert stage.notices() == []
    looked(stage.scheduled())
    assert len(stage.notices()) == 1
    assert len(stage.makes.asked) == 1


@pytest.mark.parametrize("error", [SourceError("down"), InputError("no such team", field="team")])
def test_what_cannot_be_made_is_tried_again(error: Exception) -> None:
    """A quarter of an hour later, until it can be."""
    stage = Stage(makes=Makes(error=error))
    one = stage.scheduled()
    looked(one)
    stage.clock.at += 60
    looked(one)
    assert (len(stage.makes.asked), one.failures) == (1, 1)
    stage.makes.error, stage.clock.at = None, stage.clock.at + 900
    looked(one)
    assert stage.kept() == ["weekly-20261123-090000"]


def test_a_day_late_it_waits_for_the_next_moment() -> None:
    """So a schedule that is new does not begin with a report of last week."""
    stage = Stage(clock=Clock(DUE + DAY + 1))
    looked(stage.scheduled())
    assert stage.makes.asked == []
    stage.clock.at = DUE + WEEK
    looked(stage.scheduled())
    assert [at for _, at in stage.makes.asked] == [DUE + WEEK]


def test_one_that_fails_holds_up_no_other() -> None:
    """Each has its own patience."""
    shop = replace(WEEKLY, name="shop")
    stage = Stage(schedules=(WEEKLY, shop))
    broken = Makes(error=SourceError("down"))
    one = stage.scheduled()
    one.makes = lambda schedule: broken if schedule is WEEKLY else stage.makes
    looked(one)
    assert stage.kept() == ["shop-20261123-090000"]
