"""Anomalies of two stores as one list: whole, in order, and none of them twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.errors import NotFoundError
from detector.stream.anomaly import (
    Anomaly,
    AnomalyState,
    Contribution,
    Severity,
    Side,
    Subject,
)
from detector.stream.record import AnomalyFilter
from pipelines.stores.anomalies import SqlAnomalies, add_anomaly
from pipelines.stores.joined import JoinedAnomalies
from pipelines.stores.sqlite import Database


def anomaly(name: str, start: int) -> Anomaly:
    """One that lasts."""
    one = Contribution(
        series=0, start=start, peak_at=start, end=None, value=9.0, expected=1.0, low=0.0,
        high=2.0, surprise=5.0, excess=3.0,
    )  # fmt: skip
    return Anomaly(
        id=name,
        tenant="default",
        subject=Subject(service="shop", namespace="", cluster="", metric="queue"),
        side=Side.ABOVE,
        severity=Severity.LOW,
        state=AnomalyState.OPEN,
        ending=None,
        start=start,
        end=None,
        members=1,
        live=1,
        contributions=(one,),
    )


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """Two, empty."""
    pair = Database(tmp_path / "own.db"), Database(tmp_path / "shared.db")
    yield pair
    for one in pair:
        one.close()


def add(database: Database, part: str, *found: Anomaly) -> None:
    """Keep some."""
    with database.write() as transaction:
        for one in found:
            add_anomaly(transaction, part, one.start, one, {})


def joined(databases: tuple[Database, Database]) -> JoinedAnomalies:
    """Both as one."""
    return JoinedAnomalies(*(SqlAnomalies(one) for one in databases))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_have_each_once_and_the_newest_first(
    databases: tuple[Database, Database], limit: int
) -> None:
    """A page would leave some out between those of two machines, or show them again."""
    own, shared = databases
    add(own, "local", *(anomaly(f"an_own{n}", 1000 * n) for n in range(7)))
    add(shared, "metrics/3", *(anomaly(f"an_shared{n}", 700 * n) for n in range(9)))
    store, names, after = joined(databases), list[str](), None
    while True:
        page = store.list(AnomalyFilter(tenant="default", limit=limit, after=after))
        names += [one.anomaly.id for one in page.anomalies]
        after = page.next
        if after is None:
            break

    every = [anomaly(f"an_own{n}", 1000 * n) for n in range(7)]
    every += [anomaly(f"an_shared{n}", 700 * n) for n in range(9)]
    wanted = [one.id for one in sorted(every, key=lambda one: (one.start, one.id), reverse=True)]
    assert names == wanted


def test_one_is_found_wherever_it_is_and_says_who_found_it(
    databases: tuple[Database, Database],
) -> None:
    """A link in an event of a worker would lead nowhere."""
    add(databases[0], "local", anomaly("an_a", 1))
    add(databases[1], "metrics/3", anomaly("an_b", 2))
    store = joined(databases)

    assert store.get("default", "an_a").part == "local"
    assert store.get("default", "an_b").part == "metrics/3"
    with pytest.raises(NotFoundError):
        store.get("default", "an_c")
    with pytest.raises(NotFoundError):
        store.get("another", "an_b")
