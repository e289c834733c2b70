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


def source_probe(source: MetricSource, *, fresh_s: float = FRESH_S) -> Callable[[], Probe]:
    """What the source said last; it is asked for nothing in the background, every ten seconds.

    It never waits: a probe of readiness that took as long as a source that hangs would take the
    gate away from its callers, who would read an error where they should read `inconclusive`.
    """
    return _LastSaid(source, fresh_s).probe


class _LastSaid:
    """The newest answer of a source, and at most one question under way."""

    def __init__(self, source: MetricSource, fresh_s: float) -> None:
        self.source, self.fresh_s = source, fresh_s
        self.said = Probe(is_right=True, words="asked just now, no answer yet")
        self.asked_at = -float("inf")
        self.asking = threading.Lock()

    def probe(self) -> Probe:
        """What was said last; asks again where that is old."""
        is_old = time.monotonic() - self.asked_at >= self.fresh_s
        if is_old and self.asking.acquire(blocking=False):
            threading.Thread(target=self._ask, daemon=True).start()
        return self.said

    def _ask(self) -> None:
        try:
            self.said = _asked(self.source)
            self.asked_at = time.monotonic()
        finally:
            self.asking.release()


def _asked(source: MetricSource) -> Probe:
    now = time.time()
    try:
        source.read([NOTHING], now - 1.0, now, timeout_s=TIMEOUT_S)
    except SourceError as error:
        words = f"known to be down, so verdicts are inconclusive: {error}"
        return Probe(is_right=False, words=words)
    return Probe(is_right=True, words="answers")
