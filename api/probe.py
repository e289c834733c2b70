"""Whether the parts that we stand on work: our own store, and the metric source."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from detector.errors import SourceError, StoreError
from detector.ports import MetricSource, Stores
from detector.series import Query

__all__ = ["Probe", "source_probe", "store_probe"]

FRESH_S = 10.0
TIMEOUT_S = 2.0
# A metric that nobody has: the answer is empty and costs the source nothing.
NOTHING = Query(metric="serinus_probe_of_nothing", matchers=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Whether a part works, and in words what is wrong."""

    is_right: bool
    words: str


def store_probe(stores: Stores) -> Callable[[], Probe]:
    """Reads the store each time; it was migrated when it was opened."""

    def probe() -> Probe:
        try:
            stores.policies.all()
        except StoreError as error:
            return Probe(is_right=False, words=str(error))
        return Probe(is_right=True, words="open and migrated")

    return probe


def source_probe(source: MetricSource) -> Callable[[], Probe]:
    """Asks the source for nothing, at most every ten seconds."""
    lock = threading.Lock()
    known: list[tuple[float, Probe]] = []

    def probe() -> Probe:
        with lock:
            if known and time.monotonic() - known[-1][0] < FRESH_S:
                return known[-1][1]
            found = _asked(source)
            known[:] = [(time.monotonic(), found)]
            return found

    return probe


def _asked(source: MetricSource) -> Probe:
    now = time.time()
    try:
        source.read([NOTHING], now - 1.0, now, timeout_s=TIMEOUT_S)
    except SourceError as error:
        words = f"known to be down, so verdicts are inconclusive: {error}"
        return Probe(is_right=False, words=words)
    return Probe(is_right=True, words="answers")
