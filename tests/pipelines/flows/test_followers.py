"""Who follows and comes back hears each event once: from memory, from the store, over a restart."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.stream.anomaly import Happened, Happening
from pipelines.flows import followers as module
from pipelines.flows.followers import Followers
from pipelines.stores.connections import Connections
from pipelines.stores.events import SqlEvents, Told, add_event, numbers_of
from pipelines.stores.sqlite import Database
from tests.pipelines.stores.test_anomalies import OPEN, SERIES, T0


def keep(database: Connections, position: int, count: int = 1) -> list[tuple[int, Happened]]:
    """Events of a position, as the part keeps them: each with its number."""
    every = [
        Happened(kind=Happening.GREW, at=T0 + 1_000 * position + nth, anomaly=OPEN)
        for nth in range(count)
    ]
    with database.write() as transaction:
        for nth, one in enumerate(every):
            told = Told(position=position, nth=nth, happened=one, series=SERIES)
            add_event(transaction, "local", told, T0, is_sent=True)
        numbers = numbers_of(transaction, "local", position)
    return list(zip(numbers, every, strict=True))


def heard(followers: Followers, number: int) -> list[tuple[int, Happened]]:
    """All that somebody hears who has everything up to a number."""
    told: list[tuple[int, Happened]] = []
    while True:
        found = followers.after(number)
        if found is None:
            some, number = followers.missed(number)
            told += some
            continue
        return told + found


@given(
    lives=st.lists(st.lists(st.integers(1, 4), max_size=8), min_size=1, max_size=4),
    data=st.data(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_missed_and_nothing_comes_twice(
    tmp_path: Path, lives: list[list[int]], data: st.DataObject
) -> None:
    """Whatever number a follower has, and in whichever life of the process it comes back."""
    for old in tmp_path.glob("s.db*"):
        old.unlink()
    before = module._KEPT, module._PAGE
    module._KEPT, module._PAGE = 5, 3
    try:
        database, every, position = Database(tmp_path / "s.db"), list[tuple[int, Happened]](), 0
        for life in lives:
            followers = Followers(SqlEvents(database))
            for count in life:
                position += 1
                for number, one in keep(database, position, count):
                    followers.add(number, one)
                    every.append((number, one))
            has = data.draw(st.integers(0, len(every)))
            last = every[has - 1][0] if has else 0
            assert heard(followers, last) == every[has:]
        database.close()
    finally:
        module._KEPT, module._PAGE = before


def test_what_a_replay_tells_again_keeps_its_number(tmp_path: Path) -> None:
    """Told under another one, it would be heard twice."""
    database = Database(tmp_path / "s.db")
    first = keep(database, 7, 2)
    again = keep(database, 7, 2)
    assert again == first
    assert keep(database, 8)[0][0] > first[-1][0]


def test_numbers_go_on_where_old_events_were_deleted(tmp_path: Path) -> None:
    """A number that came twice would hide an event from who has the first."""
    database = Database(tmp_path / "s.db")
    told = [keep(database, position)[0] for position in range(5)]
    events = SqlEvents(database)
    assert events.forget(10**6) == 4
    assert events.newest() == told[-1][0]
    assert keep(database, 9)[0][0] == told[-1][0] + 1
