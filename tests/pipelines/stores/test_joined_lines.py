"""Templates of two databases as one list: each once, in order, over any pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.errors import NotFoundError
from detector.logs.kept import Found, KeptTemplate, TemplateFilter, TemplateOrder
from detector.logs.lines import Level
from pipelines.stores.joined_lines import JoinedOwn, JoinedTemplates
from pipelines.stores.own import SPANS, OwnSeries, SqlOwn, add_series
from pipelines.stores.sqlite import Database
from pipelines.stores.templates import SqlTemplates, add_lines


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """That of this process, and that of workers."""
    both = Database(tmp_path / "own.db"), Database(tmp_path / "workers.db")
    yield both
    for one in both:
        one.close()


def keep(database: Database, id: str, came: int, count: int = 1, level: Level = Level.INFO) -> None:
    """Lines of a template."""
    found = Found(
        id=id, service="cart", level=level, text=f"text of {id}", sample="", came=came,
        first=came, last=came + 5, count=count, days={1: count},
    )  # fmt: skip
    with database.write() as transaction:
        add_lines(transaction, "part", "default", found)


def paged(store: JoinedTemplates, order: TemplateOrder) -> list[KeptTemplate]:
    """All, two at a time."""
    found: list[KeptTemplate] = []
    after = None
    while True:
        wanted = TemplateFilter(tenant="default", limit=2, after=after, order=order)
        page = store.list(wanted)
        found += page.templates
        after = page.after
        if after is None:
            return found


@pytest.mark.parametrize(
    ("order", "expected"),
    [(TemplateOrder.NEWEST, "edcba"), (TemplateOrder.GRAVEST, "cbdae")],
)
def test_pages_over_both_have_each_template_once_and_in_order(
    databases: tuple[Database, Database], order: TemplateOrder, expected: str
) -> None:
    """The templates of workers would hide those of this process, or come on every page."""
    for place, id in enumerate("abcde"):
        level = Level.ERROR if id in "bc" else Level.INFO
        keep(
            databases[place % 2],
            id,
            100 + place,
            count={"c": 9, "d": 7, "a": 3}.get(id, 2),
            level=level,
        )
    store = JoinedTemplates(*map(SqlTemplates, databases))

    assert "".join(one.id for one in paged(store, order)) == expected


def test_what_both_have_is_added_up(databases: tuple[Database, Database]) -> None:
    """A template that is pushed here and read by workers would seem rarer than it is."""
    keep(databases[0], "a", 100, count=3)
    keep(databases[1], "a", 90, count=4)
    store = JoinedTemplates(*map(SqlTemplates, databases))

    [one] = store.get("default", "a")
    [service] = store.services("default")

    assert (one.count, one.came, one.last, one.days) == (7, 90, 105, {1: 7})
    assert (service.lines, service.came) == (7, 90)
    assert store.texts("default", ["a"])["a"].text == "text of a"
    with pytest.raises(NotFoundError):
        store.get("default", "b")


def test_counters_are_read_where_their_part_is(databases: tuple[Database, Database]) -> None:
    """Counters of workers would be looked for in the database that has none of them."""
    parts = ("local", f"local{SPANS}"), ("otlp_logs/3", f"otlp_spans/0{SPANS}")
    for database, own in zip(databases, parts, strict=True):
        for part in own:
            series = OwnSeries(id=0, owner=1, labels=(("__name__", part),))
            with database.write() as transaction:
                add_series(transaction, part, "default", series)
    joined = JoinedOwn(*map(SqlOwn, databases))

    assert {part for part, _ in joined.parts()} == {*parts[0], *parts[1]}
    for part, tenant in joined.parts():
        [found] = joined.series(part, tenant)
        assert found.labels == (("__name__", part),)
