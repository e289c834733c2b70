"""A database that goes away: before it wrote, or after, with its answer lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa

from detector.errors import StoreError
from pipelines.stores.connections import Connections, Transaction

__all__ = ["AwayDatabase"]


class AwayDatabase:
    """`Connections` that refuses writes: all while `is_away`, and by plans, write by write.

    `plan` is of durable writes, `light` of the others. Of their words `before` fails with nothing
    written, `after` with all of it written, and any other lets a write through; where a plan is
    over, all go through.
    """

    def __init__(
        self, within: Connections, plan: Iterable[str] = (), light: Iterable[str] = ()
    ) -> None:
        self.within, self._plans = within, {True: iter(plan), False: iter(light)}
        self.is_away, self.missed = False, threading.Semaphore(0)

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Transaction]:
        """As the database within, unless it is away."""
        word = "before" if self.is_away else next(self._plans[durable], "")
        if word == "before":
            self._miss()
        with self.within.write(durable=durable) as transaction:
            yield transaction
        if word == "after":
            self._miss()

    def _miss(self) -> None:
        self.missed.release()
        raise StoreError("the store failed: database is locked")

    def read(self) -> AbstractContextManager[Transaction]:
        """As the database within."""
        return self.within.read()

    def built(self) -> AbstractContextManager[sa.Connection]:
        """As the database within."""
        return self.within.built()

    def close(self) -> None:
        """As the database within."""
        self.within.close()
