"""A loop looks until it is closed, and waits where its store is away."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from detector.errors import StoreError
from pipelines.flows.looping import Loop

pytestmark = pytest.mark.usefixtures("plain_logs")
NEVER_S = 3600.0


def test_it_looks_again_at_once_while_there_is_more() -> None:
    """A backlog is not read at a page a second."""
    looked, done = iter([True, True, False]), threading.Event()

    def look() -> bool:
        more = next(looked)
        if not more:
            done.set()
        return more

    loop = Loop("test", look, every_s=NEVER_S)
    loop.start()
    assert done.wait(30)
    loop.close()


def test_a_store_that_is_away_is_waited_for_and_told_once() -> None:
    """The log of a night without a database is one line, not a million."""
    tries, done = iter(range(4)), threading.Event()

    def look() -> None:
        if next(tries) < 3:
            raise StoreError("the disk is full")
        done.set()

    with capture_logs() as logs:
        loop = Loop("incidents", look, every_s=NEVER_S)
        loop.start()
        assert done.wait(30)
        loop.close()
    assert [(line["by"], line["error"]) for line in logs] == [("incidents", "the disk is full")]


def test_one_that_never_began_ends_at_once() -> None:
    """A process that stops while it starts does not hang."""
    Loop("test", lambda: None, every_s=NEVER_S).close()


def test_an_end_is_not_held_up_by_its_pause() -> None:
    """An orderly end of the process takes no second of it."""
    looked = threading.Event()
    loop = Loop("test", looked.set, every_s=NEVER_S)
    loop.start()
    assert looked.wait(30)
    loop.close()
    assert not [one for one in threading.enumerate() if one.name == "test"]


def test_an_error_of_our_own_is_told_with_where_it_was_and_ends_nothing() -> None:
    """A thread that is gone makes no incidents, and nobody would hear of it."""
    tries, done = iter(range(2)), threading.Event()

    def look() -> None:
        if next(tries) == 0:
            raise KeyError("live")
        done.set()

    with capture_logs() as logs:
        loop = Loop("incidents", look, every_s=NEVER_S)
        loop.start()
        assert done.wait(30)
        loop.close()
    assert [line["log_level"] for line in logs] == ["error"]
    assert isinstance(logs[0]["exc_info"], KeyError)
