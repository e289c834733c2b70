"""Events in every database: once under their key, and visible in the order of their numbers."""

from __future__ import annotations

import threading

from detector.stream.anomaly import Happened, Happening
from pipelines.stores.connections import Connections
from pipelines.stores.events import SqlEvents, Told, add_event, numbers_of
from tests.pipelines.stores.test_anomalies import OPEN, SERIES, T0


def told(position: int) -> Told:
    """An event of a message."""
    happened = Happened(kind=Happening.OPENED, at=T0, anomaly=OPEN)
    return Told(position=position, nth=0, happened=happened, series=SERIES)


def test_what_is_told_again_keeps_its_number(database: Connections) -> None:
    """A replay must not tell who follows a second time."""
    numbers = []
    for position in (3, 4, 3):
        with database.write() as transaction:
            add_event(transaction, "local", told(position), T0)
            numbers.append(numbers_of(transaction, "local", position))
    assert numbers[0] == numbers[2] != numbers[1]
    assert [one.told.position for one in SqlEvents(database).after(0, 9)] == [3, 4]
    assert SqlEvents(database).position("local") == 4
    assert SqlEvents(database).position("other") == -1


def test_a_number_is_not_seen_before_a_lower_one(database: Connections) -> None:
    """Of two workers that write at once, who follows would pass over the slower one's event."""
    is_written = threading.Event()

    def other() -> None:
        with database.write() as transaction:
            add_event(transaction, "other", told(2), T0)
        is_written.set()

    with database.write() as transaction:
        add_event(transaction, "local", told(1), T0)
        thread = threading.Thread(target=other)
        thread.start()
        # Were it through, its number would be seen while the lower one is not.
        assert not is_written.wait(0.3)
        assert SqlEvents(database).after(0, 9) == []
    thread.join(30)
    assert [one.part for one in SqlEvents(database).after(0, 9)] == ["local", "other"]
