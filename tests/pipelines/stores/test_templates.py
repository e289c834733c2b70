"""Templates in every database: counted together over what is told, paged, filtered, forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.errors import InputError, NotFoundError
from detector.logs.counted import Template
from detector.logs.kept import KeptTemplate, TemplateFilter
from detector.logs.lines import Level
from pipelines.stores.connections import Connections
from pipelines.stores.templates import DAY_MS, SqlTemplates, add_lines

T0 = 20_000 * DAY_MS
ONE = KeptTemplate(
    id="lt_1",
    service="checkout",
    level=Level.ERROR,
    text="payment of <num> failed: 100 % declined",
    sample="payment of 7 failed: 100 % declined",
    came=T0,
    first=T0,
    last=T0 + 15_000,
    count=3,
    days={20_000: 3},
)


def put(
    database: Connections, *found: KeptTemplate, tenant: str = "t", part: str = "local"
) -> None:
    """Count lines, in one transaction."""
    with database.write() as transaction:
        for one in found:
            add_lines(transaction, part, tenant, one)


def ids(database: Connections, **wanted: object) -> list[str]:
    """The ids of a page."""
    page = SqlTemplates(database).list(TemplateFilter(tenant="t", **wanted))  # type: ignore[arg-type]
    return [one.id for one in page.templates]


def test_lines_add_up_over_parts_and_days(database: Connections) -> None:
    """What two workers counted of one template is one template to people."""
    later = replace(ONE, last=T0 + DAY_MS, count=2, days={20_001: 2}, came=T0 + DAY_MS, sample="")
    put(database, ONE, later)
    put(database, replace(ONE, first=T0 - 1, count=5, days={20_000: 5}), part="other")
    (kept,) = SqlTemplates(database).get("t", "lt_1")
    assert kept == replace(
        ONE, first=T0 - 1, last=T0 + DAY_MS, count=10, days={20_000: 8, 20_001: 2}
    )


def test_pages_bring_each_template_once_newest_first(database: Connections) -> None:
    """Who looks through them misses none, also where many came at one moment."""
    every = [replace(ONE, id=f"lt_{n:02}", came=T0 + n // 4) for n in range(11)]
    put(database, *every)
    found, cursor = [], None
    for _ in range(5):
        page = SqlTemplates(database).list(TemplateFilter(tenant="t", limit=3, after=cursor))
        found += [one.id for one in page.templates]
        cursor = page.after
        if cursor is None:
            break
    assert found == [one.id for one in sorted(every, key=lambda one: (-one.came, one.id))]


def test_templates_are_found_by_what_is_known_of_them(database: Connections) -> None:
    """Thousands of templates are of no use without."""
    put(
        database,
        ONE,
        replace(ONE, id="lt_2", service="cart"),
        replace(ONE, id="lt_3", level=Level.INFO, text="Started"),
        replace(ONE, id="lt_4", came=T0 + 9),
    )
    put(database, replace(ONE, id="lt_5"), tenant="other")
    assert ids(database, service="cart") == ["lt_2"]
    assert ids(database, level=Level.ERROR) == ["lt_4", "lt_1", "lt_2"]
    assert ids(database, text="START") == ["lt_3"]
    assert ids(database, text="100 %") == ["lt_4", "lt_1", "lt_2"]
    assert ids(database, text="1_0 %") == []
    assert ids(database, since=T0 + 1) == ["lt_4"]


def test_what_templates_say_is_looked_up_by_their_ids(database: Connections) -> None:
    """A verdict names the line, not a number."""
    traced = replace(ONE, sample="Error: declined␊  at pay.js:7")
    put(database, traced, replace(ONE, service="cart", sample=""), replace(ONE, id="lt_2"))
    store = SqlTemplates(database)
    found = store.texts("t", ["lt_1", "lt_9"])
    assert found == {
        "lt_1": Template(id="lt_1", text=ONE.text, sample="Error: declined\n  at pay.js:7")
    }
    assert store.texts("other", ["lt_1"]) == store.texts("t", []) == {}


@pytest.mark.parametrize("cursor", ["zz", "00", "93a1", "é"])
def test_a_cursor_that_no_page_gave_is_refused(database: Connections, cursor: str) -> None:
    """It is somebody's mistake, and not the end of the list."""
    with pytest.raises(InputError, match="cursor"):
        ids(database, after=cursor)


def test_what_is_not_seen_any_more_is_forgotten(database: Connections) -> None:
    """The disk is not filled by what a version of last year wrote."""
    put(database, ONE, replace(ONE, id="lt_2", last=T0 + 5 * DAY_MS, days={20_005: 3}))
    store = SqlTemplates(database)
    assert store.prune(T0 + 2 * DAY_MS) == 1
    assert store.known("local", "t") == {"lt_2"}
    with pytest.raises(NotFoundError, match="lt_1"):
        store.get("t", "lt_1")
