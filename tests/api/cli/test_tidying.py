"""What a serving process does about its memory while it serves."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from api.cli.serving import _tidy


class Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture
def thawed() -> Iterator[None]:
    """As the collector was before."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("thawed")
def test_what_is_held_is_not_looked_through_again() -> None:
    """A thousand rollouts are millions of objects: each look would hold up all answers."""
    held = [Knot() for _ in range(1000)]
    stopped = threading.Event()
    stopped.set()
    _tidy(stopped)
    assert gc.get_freeze_count() > len(held)
    assert gc.collect() == 0


@pytest.mark.usefixtures("thawed")
def test_what_nobody_holds_is_freed_first() -> None:
    """What is frozen while it is garbage would stay for an hour."""
    knot = Knot()
    gone = weakref.ref(knot)
    del knot
    stopped = threading.Event()
    stopped.set()
    _tidy(stopped)
    assert gone() is None
