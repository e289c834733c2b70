"""Anomalies in every database: told again they are kept once, and found as people ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.errors import InputError, NotFoundError
from detector.stream.anomaly import (
    Anomaly,
    AnomalyState,
    Contribution,
    Ending,
    Judged,
    Severity,
    Side,
    Subject,
)
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.feedback import Tuning
from detector.stream.record import AnomalyFilter, KeptFeedback
from pipelines.stores.anomalies import SqlAnomalies, add_anomaly, add_tuning
from pipelines.stores.connections import Connections

T0 = 1_790_000_000_000
SERIES = {
    7: SeriesInfo(labels=(("__name__", "queue"), ("pod", "ü\n")), kind=SeriesKind.GAUGE, unit="s")
}
OPEN = Anomaly(
    id="an_1",
    tenant="default",
    subject=Subject(service="checkout", namespace="", cluster="", metric="queue"),
    side=Side.ABOVE,
    severity=Severity.MEDIUM,
    state=AnomalyState.OPEN,
    ending=None,
    start=T0,
    end=None,
    members=1,
    live=4,
    contributions=(
        Contribution(
            series=7, start=T0, peak_at=T0, end=None, value=40.0, expected=10.0, low=7.0,
            high=13.0, surprise=9.5, excess=4.5,
        ),
    ),
)  # fmt: skip
CLOSED = replace(OPEN, state=AnomalyState.CLOSED, ending=Ending.CALM, end=T0 + 60_000)
EVERY = AnomalyFilter(tenant="default")


def tell(database: Connections, *every: tuple[int, Anomaly]) -> SqlAnomalies:
    """Tell anomalies as they were at some times, each in a transaction of its own."""
    for at, anomaly in every:
        with database.write() as transaction:
            add_anomaly(transaction, "local", at, anomaly, SERIES)
    return SqlAnomalies(database)


def ids(store: SqlAnomalies, **more: object) -> list[str]:
    """Those that are found, in order."""
    found = store.list(AnomalyFilter(tenant="default", **more))  # type: ignore[arg-type]
    return [one.anomaly.id for one in found.anomalies]


def test_what_is_kept_comes_back_whole(database: Connections) -> None:
    """Its labels, its numbers and its words, to the bit."""
    kept = tell(database, (T0, OPEN)).get("default", "an_1")
    assert (kept.anomaly, kept.series, kept.feedback, kept.tunings) == (OPEN, SERIES, (), {})


def test_what_a_replay_tells_again_is_kept_once_and_does_not_open_it_anew(
    database: Connections,
) -> None:
    """After a crash old events come once more: a closed anomaly would last for ever."""
    store = tell(database, (T0, OPEN), (T0 + 60_000, CLOSED), (T0, OPEN))
    assert [one.anomaly for one in store.list(EVERY).anomalies] == [CLOSED]


def test_what_was_told_at_the_same_time_later_wins(database: Connections) -> None:
    """One batch may open and close it."""
    store = tell(database, (T0, OPEN), (T0, CLOSED))
    assert store.get("default", "an_1").anomaly == CLOSED


def test_of_another_tenant_there_is_nothing(database: Connections) -> None:
    """Tenants share a table, not what is in it."""
    store = tell(database, (T0, OPEN))
    assert store.list(AnomalyFilter(tenant="other")).anomalies == ()
    with pytest.raises(NotFoundError, match="an_1"):
        store.get("other", "an_1")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"service": "checkout", "metric": "queue"}, True),
        ({"service": "cart"}, False),
        ({"metric": "errors"}, False),
        ({"severity": Severity.MEDIUM}, True),
        ({"severity": Severity.HIGH}, False),
        ({"is_open": False}, True),
        ({"is_open": True}, False),
        ({"since": T0 + 60_000}, True),
        ({"since": T0 + 60_001}, False),
        ({"until": T0 + 1}, True),
        ({"until": T0}, False),
    ],
)
def test_they_are_found_by_what_is_asked(
    database: Connections, asked: dict[str, object], found: bool
) -> None:
    """Each filter, at its edge."""
    assert bool(ids(tell(database, (T0, CLOSED)), **asked)) is found


def test_what_lasts_is_found_whenever_it_is_asked_for(database: Connections) -> None:
    """An end that is not known yet is later than any."""
    assert ids(tell(database, (T0, OPEN)), since=T0 + 10**9, is_open=True) == ["an_1"]


def test_pages_have_each_of_them_once_also_with_equal_times(database: Connections) -> None:
    """Who turns pages misses none that began in the same moment."""
    every = [replace(OPEN, id=f"an_{n}", start=T0 + n // 3) for n in range(8)]
    store = tell(database, *((T0, one) for one in every))
    seen, cursor = [], None
    while True:
        page = store.list(replace(EVERY, limit=3, after=cursor))
        seen += [one.anomaly.id for one in page.anomalies]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [f"an_{n}" for n in (7, 6, 5, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize("cursor", ["nonsense", "", "YQ==", "ü"])
def test_a_cursor_that_is_none_is_refused(database: Connections, cursor: str) -> None:
    """And does not begin from the start, or fail in the database."""
    with pytest.raises(InputError, match="cursor"):
        SqlAnomalies(database).list(replace(EVERY, after=cursor))


def test_feedback_is_kept_in_order_with_what_it_changed(database: Connections) -> None:
    """The newest tuning of a series, and every word of people."""
    store = tell(database, (T0, OPEN))
    said = [
        KeptFeedback(at=T0 + n, judged=judged, person="ada", note="the nightly \0 export"[: 12 + n])
        for n, judged in enumerate((Judged.NORMAL, Judged.REAL))
    ]
    for one in said:
        store.say("an_1", one)
    for normal in (1, 2):
        with database.write() as transaction:
            tuning = Tuning(series=7, shift=1.25 * normal, normal=normal, real=0)
            add_tuning(transaction, "local", "default", tuning)
    kept = store.get("default", "an_1")
    assert kept.feedback == tuple(said)
    assert kept.tunings == {7: Tuning(series=7, shift=2.5, normal=2, real=0)}


def test_names_that_a_database_cannot_hold_are_kept_as_near_as_can_be(
    database: Connections,
) -> None:
    """A label may have any character; one that PostgreSQL refuses would be tried for ever."""
    subject = replace(OPEN.subject, service="a\0b", metric="\0")
    store = tell(database, (T0, replace(OPEN, subject=subject)))
    assert store.get("default", "an_1").anomaly.subject == subject
    assert ids(store, service="a\0b", metric="\0") == ["an_1"]
