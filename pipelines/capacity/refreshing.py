"""Assesses capacity again and again in the background, so that nobody who asks waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detector.capacity.prices import Prices
from detector.capacity.report import LeftOut, Report
from detector.capacity.summary import composed
from detector.capacity.whatif import WhatIf
from detector.errors import SourceError
from detector.ports import Clock
from pipelines.capacity.assessing import Terms, assessed
from pipelines.capacity.keeping import KeptCapacity
from pipelines.capacity.reading import Read
from pipelines.flows.spread import Places

__all__ = ["Reads", "Refreshing"]

# A source that did not answer is asked again after so long, or sooner where it is due sooner.
_AGAIN_S = 900.0

Supposed = Callable[[int], Sequence[WhatIf]]
"""What is supposed, as of unix ms."""


class Reads(Protocol):
    """What reads resources."""

    def read(self, as_of: float, *, timeout_s: float) -> Read:
        """All of a moment; `SourceError`."""
        ...


@dataclass(slots=True)
class Refreshing:
    """Makes a report when one is due, keeps it, and tells `heard`; of one thread.

    `seconds` took the last one, `failures` could not be made; `problem` says why the last could
    not, "" where it could.
    """

    reads: Reads
    kept: KeptCapacity
    horizon_s: int
    every_s: float
    read_s: float
    clock: Clock = time.time
    prices: Prices = field(default_factory=Prices)
    supposed: Supposed = lambda _: ()
    heard: Callable[[Report, Report | None], None] = lambda *_: None
    places: Places = field(default_factory=Places)
    scope: str = "everything"
    seconds: float = 0.0
    failures: int = 0
    problem: str = ""
    _not_before: float = float("-inf")

    def look(self) -> bool:
        """Make the next report if it is due; `StoreError`. There is never more at once."""
        now = self.clock()
        if now < self._not_before or not self._is_due(now):
            return False
        began = time.monotonic()
        try:
            report = self.made(now)
        except SourceError as error:
            self.failures += 1
            self.problem = str(error)
            self._not_before = now + min(_AGAIN_S, self.every_s)
            return False
        before = self.kept.last()
        self.kept.keep(report)
        self.seconds, self.problem = time.monotonic() - began, ""
        self.heard(report, before)
        return False

    def made(self, as_of: float) -> Report:
        """The report of a moment (unix seconds), which is not kept; `SourceError`, `StoreError`."""
        read = self.reads.read(as_of, timeout_s=self.read_s)
        at = round(1000 * as_of)
        what_if = tuple(self.supposed(at))
        terms = Terms(horizon_s=self.horizon_s, prices=self.prices, what_if=what_if)
        found, left = assessed(
            read.resources, terms, as_of=at, past=self.kept.past(at), places=self.places
        )
        return composed(
            found,
            made_at=at,
            horizon_s=self.horizon_s,
            scope=self.scope,
            left_out=_bounded((*read.left_out, *left)),
            what_if=tuple(one.text for one in what_if),
        )

    def _is_due(self, now: float) -> bool:
        """Whether the newest one of all replicas is old."""
        last = self.kept.renewed()
        return last is None or now - last.made_at / 1000 >= self.every_s


_LEFT_MOST = 200


def _bounded(left: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    """The first of them, and how many more there are."""
    if len(left) <= _LEFT_MOST:
        return tuple(left)
    more = len(left) - _LEFT_MOST
    return (*left[:_LEFT_MOST], LeftOut(name=f"{more:,} more", why="too many to name each"))
