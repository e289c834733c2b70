"""A capacity pack of one's own on a source: what it binds, what not, why, and what is told."""

from __future__ import annotations

import numpy as np
import pytest

from detector.capacity.packs import parse_capacity_pack
from detector.errors import ConfigError, SourceError
from detector.selector import parse_selector
from detector.series import Answer, FloatArray
from pipelines.capacity.packtest import CapacityTest, TriedResource, try_capacity
from pipelines.capacity.packtest_parts import Part
from pipelines.capacity.wanted import Wanted
from tests.pipelines.capacity.faked import Course, TableRanges, steady

AS_OF = 1_796_000_400.0
OURS = """\
name: tickets
title: Ticket system
published: https://tickets.example.org/metrics
service: [app]
drivers:
  - {needs: [requests_total], query: 'sum by (app) (rate(requests_total[${rate}]))'}
resources:
  - name: queue
    kind: other
    unit: tickets
    title: queue {queue}
    needs: [queue_length, queue_size]
    usage: queue_length
    limit: queue_size
    driven: true
"""
LOAD = "sum by (app) (rate(requests_total[300s]))"
A, B = (("app", "shop"), ("queue", "a")), (("app", "shop"), ("queue", "b"))
NAMES = frozenset({"queue_length", "queue_size", "requests_total"})


Rows = dict[tuple[tuple[str, str], ...], Course]


def table(**more: Rows) -> TableRanges:
    """Two queues of a shop, of ten and twenty tickets, at a load of five."""
    told: dict[str, Rows] = {
        "queue_length": {A: steady(4.0), B: steady(9.0)},
        "queue_size": {A: steady(10.0), B: steady(20.0)},
        LOAD: {(("app", "shop"),): steady(5.0)},
    }
    return TableRanges({**told, **more}, NAMES)


def tried(source: TableRanges, text: str = OURS, wanted: Wanted | None = None) -> CapacityTest:
    """What is found as of a moment."""
    pack = parse_capacity_pack(text, origin="tickets.yaml")
    return try_capacity(pack, source, source, wanted or Wanted(), as_of=AS_OF, bound_s=30)


def only(found: CapacityTest) -> TriedResource:
    """The one resource."""
    (one,) = found.resources
    return one


def part(found: CapacityTest, name: str) -> Part:
    """One of its queries."""
    return next(one for one in only(found).parts if one.name == name)


def test_a_good_pack_is_bound_and_told() -> None:
    """A person sees that it works before a disk is full."""
    found = tried(table())
    one = only(found)
    assert found.is_there
    assert found.is_bound
    assert one.names == ("queue a of shop", "queue b of shop")
    assert (one.hours_known, one.hours) == (14 * 24, 14 * 24)
    assert (one.told, one.untold) == (2, ())
    assert [each.name for each in one.parts] == ["usage", "limit", "driver requests"]
    assert [(each.bound, each.why) for each in one.parts] == [(2, "")] * 3
    limit = part(found, "limit")
    assert (limit.query, limit.low, limit.high) == ("queue_size", 10.0, 20.0)


def test_how_much_data_there_is_is_counted() -> None:
    """Of a new exporter there is little, and a date needs two weeks."""

    def young(times: FloatArray) -> FloatArray:
        return np.where(times > AS_OF - 5 * 3600, 4.0, np.nan)

    assert only(tried(table(queue_length={A: young}))).hours_known == 5


def test_a_metric_that_is_not_there_is_named_with_the_nearest() -> None:
    """A slip in a name."""
    source = table()
    source.known = frozenset({"queue_lengths", "queue_size", "requests_total"})
    found = tried(source)
    gone = next(one for one in found.metrics if not one.there)
    assert (gone.metric, gone.key, gone.nearest[0]) == (
        "queue_length", "resources[0].needs", "queue_lengths",
    )  # fmt: skip
    assert part(found, "usage").why == "queue_length is not there"
    assert not found.is_bound


def test_a_limit_by_other_labels_says_which() -> None:
    """The commonest mistake: usage by queue, its limit by pod as well."""
    other: Rows = {(*A, ("pod", "p-1")): steady(10.0)}
    found = tried(table(queue_size=other))
    assert part(found, "limit").why == (
        "has labels that usage has not: pod; aggregate both by the same"
    )
    assert (only(found).told, found.is_bound) == (0, False)


@pytest.mark.parametrize("value", [0.0, np.inf, np.nan])
def test_a_limit_that_is_no_amount_is_none(value: float) -> None:
    """A pool without a bound exports 0 or infinity."""
    found = tried(table(queue_size={A: steady(value), B: steady(value)}))
    assert part(found, "limit").bound == 0
    assert part(found, "limit").why
    assert not found.is_bound


def test_that_some_have_no_limit_is_said_and_no_fault() -> None:
    """Containers without limits run beside others that have one."""
    found = tried(table(queue_size={A: steady(10.0)}))
    assert part(found, "limit").why == "the others have none that is above 0"
    assert (only(found).told, found.is_bound) == (1, True)


def test_a_query_that_is_refused_hides_no_usage() -> None:
    """The text of the source stands beside the query that it is of."""
    source = Refusing(table(), {"queue_size"})
    found = tried(source)
    assert part(found, "usage").bound == 2
    assert part(found, "limit").why == "queue_size: parse error"
    assert not found.is_bound


def test_a_usage_that_is_refused_is_not_bound() -> None:
    """Nothing else is asked of it then."""
    found = tried(Refusing(table(), {"queue_length"}))
    assert [(one.name, one.why) for one in only(found).parts] == [
        ("usage", "queue_length: parse error")
    ]


def test_a_source_that_is_away_is_an_error() -> None:
    """No fault of the pack's."""
    source = table()
    source.broken = {"*"}
    with pytest.raises(SourceError, match="broken"):
        tried(source)


def test_units_that_are_mixed_are_seen() -> None:
    """A queue in millions against a size in pieces would be full for ever, or never."""
    found = tried(table(queue_size={A: steady(1e-3), B: steady(1e-3)}))
    assert only(found).told == 0
    assert all("are units mixed?" in why for why in only(found).untold)


def test_a_limit_that_follows_usage_is_seen() -> None:
    """It would never be reached."""

    def wave(times: FloatArray) -> FloatArray:
        return 10 + 3 * np.sin(times / 20_000)

    source = table(queue_length={A: wave}, queue_size={A: lambda times: 1.2 * wave(times)})
    assert only(tried(source)).untold == (
        "its limit moves as its usage does: it can never be reached",
    )


def test_a_load_that_is_not_there_is_named() -> None:
    """`driven`, and no driver has its metrics."""
    source = table()
    source.known = NAMES - {"requests_total"}
    found = tried(source)
    assert part(found, "driver requests").why == "requests_total is not there"
    assert not found.is_bound


def test_a_pack_that_can_never_tell_is_refused_before_anything_is_asked() -> None:
    """Without a limit it would look endless."""
    source = table()
    with pytest.raises(ConfigError, match=r"tickets: resources: none has a limit"):
        tried(source, OURS.replace("    limit: queue_size\n", ""))
    assert source.asked == []


def test_a_limit_of_the_configuration_is_tried() -> None:
    """The same number that an assessment would take."""
    found = tried(
        table(),
        OURS.replace("    limit: queue_size\n", ""),
        Wanted(limits={"tickets.queue": 50.0}),
    )
    assert part(found, "limit") == Part(name="limit", query=50.0, bound=2, low=50.0, high=50.0)
    assert found.is_bound


def test_only_what_the_configuration_is_about_is_tried() -> None:
    """A namespace of somebody else's is not looked at."""
    where = parse_selector('{queue="b"}', field="where")
    assert only(tried(table(), wanted=Wanted(where=where))).names == ("queue b of shop",)


def test_the_fullest_are_tried_where_there_are_many() -> None:
    """A cluster of thousands costs no more than a small one."""
    many: Rows = {(("app", "shop"), ("queue", f"q{n:02}")): steady(float(n)) for n in range(30)}
    sizes: Rows = {labels: steady(40.0) for labels in many}
    one = only(tried(table(queue_length=many, queue_size=sizes)))
    assert one.count == 20
    assert "queue q29 of shop" in one.names
    assert "queue q09 of shop" not in one.names


class Refusing(TableRanges):
    """A source that does not understand some queries."""

    def __init__(self, table: TableRanges, refused: set[str]) -> None:
        super().__init__(table.told, table.known)
        self.refused = refused

    def ranged(
        self, query: str, start: float, end: float, *, step_s: float, timeout_s: float
    ) -> Answer:
        """As the table, or as who refuses."""
        for one in self.refused:
            if one in query:
                raise SourceError(f"{one}: parse error", code="query_rejected", retryable=False)
        return super().ranged(query, start, end, step_s=step_s, timeout_s=timeout_s)
