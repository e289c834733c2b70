"""What may not open is tried again beside everything else, and says why until it does."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from detector.errors import StoreError
from pipelines.flows.late import Late
from pipelines.flows.stream_meters import Patience

pytestmark = pytest.mark.usefixtures("plain_logs")

SOON = Patience(first_s=0.001, longest_s=0.004)
HINT = "Move it away"


class Door:
    """Opens after so many failures."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.closed = threading.Event()

    def open(self) -> Door:
        """Fail, or be open."""
        if self.failures:
            raise self.failures.pop(0)
        return self

    def late(self, opening: Callable[[], Door] | None = None) -> Late[Door]:
        """It, opened late."""
        return Late(
            opening or self.open,
            closing=lambda door: door.closed.set(),
            hint=HINT,
            patience=SOON,
        )


def locked() -> StoreError:
    """As a store says that somebody else holds it."""
    error = StoreError("the store failed: database is locked")
    error.__cause__ = sqlite3.OperationalError("database is locked")
    return error


def test_it_opens_once_what_was_in_the_way_is_gone() -> None:
    """Nobody has to start the process anew; it is logged once for each reason."""
    door = Door(locked(), locked(), StoreError("the store failed: file is not a database"))
    with capture_logs() as logs:
        late = door.late()
        assert late.wait(30)
    assert late.get() is door
    assert [line["error"] for line in logs] == [
        "the store failed: database is locked",
        f"the store failed: file is not a database. {HINT}",
    ]


def test_until_then_it_says_why_and_what_to_do() -> None:
    """A hint is for what does not pass by itself."""
    tries = threading.Semaphore(0)

    def opening() -> Door:
        tries.release()
        raise StoreError("file is not a database")

    late = Door().late(opening)
    assert all(tries.acquire(timeout=30) for _ in range(2))
    with pytest.raises(StoreError, match=rf"not open yet: file is not a database\. {HINT}"):
        late.get()
    assert not late.is_open
    late.close()


def test_an_error_of_our_own_is_tried_again_too() -> None:
    """A state that cannot be read is as much in the way as a file."""
    door = Door(KeyError("track.subject"))
    late = door.late()
    assert late.wait(30)
    late.close()
    assert door.closed.is_set()


def test_what_opens_after_the_end_is_closed_at_once() -> None:
    """Its files must not stay open in a process that believes to have closed them."""
    door, begun, go = Door(), threading.Event(), threading.Event()

    def opening() -> Door:
        begun.set()
        go.wait(30)
        return door

    late = door.late(opening)
    assert begun.wait(30)
    ending = threading.Thread(target=late.close)
    ending.start()
    go.set()
    ending.join(30)
    assert door.closed.is_set()


def test_an_end_does_not_wait_for_the_next_try() -> None:
    """An orderly end of the process is not held up by a file that is locked."""
    tried = threading.Event()

    def opening() -> Door:
        tried.set()
        raise locked()

    late = Late(opening, closing=lambda _: None, patience=Patience(first_s=60.0, longest_s=60.0))
    assert tried.wait(30)
    late.close()
    assert not late.is_open


def test_it_is_awaited_while_what_is_in_the_way_may_pass_by_itself() -> None:
    """Who waits for it must not wait for a file that only a person can mend."""
    failures = [locked(), StoreError("file is not a database")]
    tried, on = threading.Semaphore(0), threading.Semaphore(0)

    def opening() -> Door:
        tried.release()
        assert on.acquire(timeout=30)
        if failures:
            raise failures.pop(0)
        return Door()

    late = Door().late(opening)
    said = []
    for _ in range(3):
        assert tried.acquire(timeout=30)
        said.append(late.awaited)
        on.release()
    assert late.wait(30)
    late.close()
    assert said == [
        "the stream is not open yet: it is being opened",
        "the stream is not open yet: the store failed: database is locked",
        "",
    ]
    assert not late.awaited
