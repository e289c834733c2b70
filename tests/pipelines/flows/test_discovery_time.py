"""All that a discovery asks has one time together."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pytest

from detector.errors import SourceError
from detector.gate.request import VerdictRequest
from detector.series import Query
from pipelines.flows.discovery import Discovery
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from tests.detector.discovery.clusters import BY_POD, T0, shop, source


class Slow:
    """A catalogue that takes as long as it may, and remembers how long that was."""

    def __init__(self, held: MemorySource, takes_s: float) -> None:
        self.held, self.takes_s = held, takes_s
        self.given: list[float] = []

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        self._take(timeout_s)
        return self.held.metrics()

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        self._take(timeout_s)
        return self.held.series(queries, start, end)

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        self._take(timeout_s)
        return self.held.label_values(label, queries, start, end)

    def _take(self, timeout_s: float) -> None:
        self.given.append(timeout_s)
        until = time.monotonic() + self.takes_s
        while time.monotonic() < until:  # a source that works, not a test that waits
            pass


def ask(catalog: Slow, timeout_s: float) -> object:
    request = VerdictRequest(service="checkout", canary=BY_POD)
    return Discovery(load_packs())(catalog, request, start=T0, end=T0 + 600, timeout_s=timeout_s)


def test_each_call_has_what_the_ones_before_left() -> None:
    """Five slow answers in a row do not take five times the time-out."""
    slow = Slow(source(shop()), takes_s=0.05)
    ask(slow, 10.0)
    assert slow.given == sorted(slow.given, reverse=True)
    assert slow.given[-1] <= 10.0 - 0.05 * (len(slow.given) - 1)


def test_when_the_time_is_over_it_is_an_error_of_the_source() -> None:
    """The verdict is inconclusive with its reason, in time for the controller."""
    slow = Slow(source(shop()), takes_s=0.05)
    with pytest.raises(SourceError, match="did not answer within"):
        ask(slow, 0.04)
    assert len(slow.given) == 1
