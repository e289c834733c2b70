"""What pages of services ask of templates, in every database: errors first, and all in short."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.errors import InputError
from detector.logs.kept import KeptTemplate, ServiceLines, TemplateFilter, TemplateOrder
from detector.logs.lines import Level
from pipelines.stores.connections import Connections
from pipelines.stores.templates import SqlTemplates
from tests.pipelines.stores.test_templates import ONE, T0, ids, put
from tests.pipelines.stores.test_templates_kept import many, paged

GRAVEST = TemplateOrder.GRAVEST


def _grave_first(one: KeptTemplate) -> tuple[bool, int, str, str, int]:
    return one.level < Level.ERROR, -one.count, one.id, one.service, one.level


def test_errors_come_first_the_most_frequent_before(database: Connections) -> None:
    """What is woken up for stands at the top, a chatty debug line does not."""
    every = [
        replace(ONE, id="lt_chat", level=Level.DEBUG, count=9_000),
        replace(ONE, id="lt_rare", level=Level.FATAL, count=1),
        replace(ONE, id="lt_often", level=Level.ERROR, count=70),
        replace(ONE, id="lt_warn", level=Level.WARN, count=9_500),
    ]
    put(database, *every)
    assert ids(database, order=GRAVEST) == ["lt_often", "lt_rare", "lt_warn", "lt_chat"]


@pytest.mark.parametrize("limit", [1, 2, 7, 20])
def test_pages_of_any_size_bring_each_once_in_that_order(database: Connections, limit: int) -> None:
    """Also where many are as frequent."""
    every = [replace(one, count=1 + n % 3) for n, one in enumerate(many(20))]
    put(database, *every)
    expected = [(o.id, o.service, o.level) for o in sorted(every, key=_grave_first)]
    assert paged(database, limit, order=GRAVEST) == expected


def test_only_some_are_asked_for(database: Connections) -> None:
    """A verdict names a few of ten thousand."""
    put(database, *[replace(ONE, id=f"lt_{n}") for n in range(6)])
    assert ids(database, ids=("lt_4", "lt_1", "lt_nobody")) == ["lt_1", "lt_4"]
    assert ids(database, ids=()) == []


def test_a_cursor_of_another_order_is_refused(database: Connections) -> None:
    """It would skip templates without a word."""
    put(database, *many(6))
    store = SqlTemplates(database)
    after = store.list(TemplateFilter(tenant="t", limit=2, order=GRAVEST)).after
    with pytest.raises(InputError, match="another order"):
        store.list(TemplateFilter(tenant="t", after=after))


def test_services_are_told_in_short(database: Connections) -> None:
    """Which services write at all, and how much of it is grave."""
    put(
        database,
        replace(ONE, id="lt_a", count=3, last=T0 + 5),
        replace(ONE, id="lt_a", count=10, level=Level.INFO, came=T0 - 7),
        replace(ONE, id="lt_b", count=4, level=Level.FATAL),
        replace(ONE, id="lt_a", service="cart", count=1, level=Level.WARN, last=T0 + 90_000),
    )
    put(database, ONE, tenant="other")
    put(database, replace(ONE, id="lt_a", count=2), part="worker")
    cart, checkout = SqlTemplates(database).services("t")
    assert cart == ServiceLines(
        service="cart", templates=1, lines=1, grave=0, came=T0, last=T0 + 90_000
    )
    assert checkout == ServiceLines(
        service="checkout", templates=2, lines=19, grave=9, came=T0 - 7, last=ONE.last
    )
    assert SqlTemplates(database).services("t", service="cart") == (cart,)
    assert SqlTemplates(database).services("t", service="nobody") == ()
    assert SqlTemplates(database).services("t", most=1) == (cart,)
