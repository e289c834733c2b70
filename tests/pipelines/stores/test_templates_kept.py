"""Templates in every database: bounds, pages and filters under any history of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from detector.errors import NotFoundError
from detector.logs.kept import KeptTemplate, TemplateFilter
from detector.logs.lines import Level
from pipelines.stores.connections import Connections
from pipelines.stores.templates import DAY_MS, SqlTemplates, add_lines
from tests.pipelines.stores.test_templates import ONE, T0, ids, put


def paged(database: Connections, limit: int, **wanted: object) -> list[tuple[str, str, Level]]:
    """All pages of a question."""
    found: list[KeptTemplate] = []
    cursor = None
    while True:
        asked = TemplateFilter(tenant="t", limit=limit, after=cursor, **wanted)  # type: ignore[arg-type]
        page = SqlTemplates(database).list(asked)
        assert len(page.templates) <= limit
        found += page.templates
        cursor = page.after
        if cursor is None:
            return [(one.id, one.service, one.level) for one in found]


def many(count: int) -> Sequence[KeptTemplate]:
    """Templates of three services and all levels, several of one moment."""
    return [
        replace(
            ONE, id=f"lt_{n // 3:02}", service=("cart", "pay", "")[n % 3], level=Level(n % 7),
            came=T0 + n // 5, text=f"text {n // 2}",
        )
        for n in range(count)
    ]  # fmt: skip


def test_pages_of_any_size_bring_the_same(database: Connections) -> None:
    """Also where one template is in several services and at several levels."""
    every = many(21)
    put(database, *every)
    newest = sorted(every, key=lambda one: (-one.came, one.id, one.service, one.level))
    for limit in (1, 4, 20, 21, 500):
        assert paged(database, limit) == [(one.id, one.service, one.level) for one in newest]


WANTED: tuple[dict[str, object], ...] = (
    {"service": "cart"},
    {"service": ""},
    {"level": Level.WARN},
    {"since": T0 + 2},
    {"text": "TEXT 1"},
    {"service": "pay", "level": Level.INFO, "since": T0 + 1, "text": "text"},
    {"service": "nobody"},
    {"level": Level.FATAL, "text": "text 9"},
)


def fits(one: KeptTemplate, wanted: dict[str, object]) -> bool:
    """Whether a template is what is asked for."""
    return (
        wanted.get("service", one.service) == one.service
        and int(wanted.get("level", Level.UNKNOWN)) <= one.level  # type: ignore[call-overload]
        and int(wanted.get("since", 0)) <= one.came  # type: ignore[call-overload]
        and str(wanted.get("text", "")).lower() in one.text
    )


def test_filters_hold_on_every_page(database: Connections) -> None:
    """What is asked for together is found together, and nothing else."""
    every = sorted(many(35), key=lambda one: (-one.came, one.id, one.service))
    put(database, *every)
    for wanted in WANTED:
        expected = [(o.id, o.service, o.level) for o in every if fits(o, wanted)]
        assert paged(database, 2, **wanted) == expected, wanted


def test_a_template_that_comes_between_two_pages_shifts_nothing(database: Connections) -> None:
    """Lines go on coming while somebody reads."""
    put(database, *(replace(ONE, id=f"lt_{n}", came=T0 + n) for n in range(4)))
    first = SqlTemplates(database).list(TemplateFilter(tenant="t", limit=2))
    put(database, replace(ONE, id="lt_9", came=T0 + 9))
    rest = SqlTemplates(database).list(TemplateFilter(tenant="t", limit=2, after=first.after))
    assert [one.id for one in (*first.templates, *rest.templates)] == [
        "lt_3",
        "lt_2",
        "lt_1",
        "lt_0",
    ]


def test_what_is_looked_for_is_text_and_no_pattern(database: Connections) -> None:
    """Signs that mean something to a database mean themselves."""
    signs = ["%", "_", "\\", "'", '"; drop table log_templates; --', "ß", "é"]
    every = [replace(ONE, id=f"lt_{n}", text=f"to {one} from") for n, one in enumerate(signs)]
    put(database, *every, replace(ONE, id="lt_9", text="plain"))
    for nth, sign in enumerate(signs):
        assert ids(database, text=f"o {sign} f") == [f"lt_{nth}"]


def test_numbers_beyond_32_bits_are_kept(database: Connections) -> None:
    """A line that comes ten thousand times a second reaches them in five days."""
    put(database, replace(ONE, count=2**40, days={20_000: 2**40}))
    put(database, replace(ONE, count=2**40, days={20_000: 2**40}))
    (kept,) = SqlTemplates(database).get("t", "lt_1")
    assert (kept.count, kept.days) == (2**41, {20_000: 2**41})


def test_text_that_databases_fear_comes_back(database: Connections) -> None:
    """Quotes, emoji, line ends and what looks like a parameter."""
    text = "it's 100 % :name $1 ? \\n \t 🛒 \u2028 %s {x}"
    put(database, replace(ONE, text=text, sample=text))
    (kept,) = SqlTemplates(database).get("t", "lt_1")
    assert (kept.text, kept.sample) == (text, text)


def test_the_text_is_the_newest_and_the_sample_the_first(database: Connections) -> None:
    """A template grows more general; the line by which a person knows it stays."""
    put(database, ONE)
    put(database, replace(ONE, text="payment of <num> <*>: <*>", sample="another"))
    (kept,) = SqlTemplates(database).get("t", "lt_1")
    assert (kept.text, kept.sample) == ("payment of <num> <*>: <*>", ONE.sample)


def test_what_a_transaction_gave_up_is_not_counted(database: Connections) -> None:
    """A batch that failed in its middle comes again, and is counted once."""

    def half() -> None:
        with database.write() as transaction:
            add_lines(transaction, "local", "t", ONE)
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        half()
    put(database, ONE)
    assert SqlTemplates(database).get("t", "lt_1")[0].count == ONE.count


def test_tenants_and_parts_are_known_apart(database: Connections) -> None:
    """What one worker mines is its own until people ask."""
    put(database, ONE, tenant="a")
    put(database, replace(ONE, id="lt_2"), tenant="b")
    put(database, replace(ONE, id="lt_3"), tenant="a", part="other")
    store = SqlTemplates(database)
    assert sorted(store.tenants("local")) == ["a", "b"]
    assert store.known("local", "a") == {"lt_1"}
    assert store.known("other", "a") == {"lt_3"}
    assert store.known("local", "c") == frozenset()
    for tenant in ("b", "c"):
        with pytest.raises(NotFoundError):
            store.get(tenant, "lt_1")


def test_a_flood_is_cut_to_those_seen_last(database: Connections) -> None:
    """One service that writes ids must not push out the templates of all others for ever."""
    put(database, *(replace(ONE, id=f"lt_{n:02}", last=T0 + n) for n in range(21)))
    put(database, *(replace(ONE, id=f"lt_{n:02}", last=T0 + n) for n in range(9)), tenant="u")
    store = SqlTemplates(database)
    assert store.shrink("t", most=11) == 0
    assert store.shrink("t", most=10) == 11
    assert store.known("local", "t") == {f"lt_{n:02}" for n in range(11, 21)}
    assert store.shrink("t", most=10) == 0
    assert len(store.known("local", "u")) == 9


def test_days_go_with_what_was_seen_on_them(database: Connections) -> None:
    """The history of a template that lives on is as long as the retention, and no longer."""
    days = {20_000 + n: 1 for n in range(6)}
    put(database, replace(ONE, last=T0 + 5 * DAY_MS, days=days, count=6))
    store = SqlTemplates(database)
    assert store.prune(T0 + 3 * DAY_MS) == 0
    (kept,) = store.get("t", "lt_1")
    assert list(kept.days) == [20_003, 20_004, 20_005]
    assert kept.count == 6


def test_stacks_are_remembered_from_their_samples(database: Connections) -> None:
    """A miner that begins anew knows which errors had a stack; the newest come last."""
    stack = "Error: declined␊  at pay.js:7"
    put(
        database,
        *(replace(ONE, id=f"lt_{n}", sample=f"{n} {stack}", last=T0 + n) for n in (3, 1, 2)),
        replace(ONE, id="lt_9", sample="no stack", last=T0 + 9),
    )
    store = SqlTemplates(database)
    assert list(store.traces("local", "t", most=9)) == ["lt_1", "lt_2", "lt_3"]
    assert store.traces("local", "t", most=1) == {"lt_3": f"3 {stack}"}
    assert store.traces("local", "u", most=9) == {}
