"""What a source costs its owner, and how far its clock is from ours: plain numbers to expose."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

__all__ = ["Cost", "Skew"]


@dataclass(slots=True, kw_only=True)
class Cost:
    """Running totals since the source was opened; read the attributes at any time.

    `seconds` is wall time spent waiting for and reading replies, summed over queries.
    """

    queries: int = 0
    retries: int = 0
    failures: int = 0
    seconds: float = 0.0
    bytes: int = 0
    series: int = 0
    samples: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def exchanged(self, *, seconds: float, size: int, failed: bool) -> None:
        """Count one request on the wire."""
        with self._lock:
            self.queries += 1
            self.seconds += seconds
            self.bytes += size
            self.failures += failed

    def retried(self) -> None:
        """Count one more try of the same request."""
        with self._lock:
            self.retries += 1

    def answered(self, *, series: int, samples: int) -> None:
        """Count what one reply held."""
        with self._lock:
            self.series += series
            self.samples += samples


@dataclass(slots=True, kw_only=True)
class Skew:
    """How far the source's clock is ahead of ours, from the `Date` header of its replies.

    `seconds` is None until a reply had the header; the truth is within `seconds ± error_s`
    (the header has whole seconds). The sharpest of the last `KEEP_S` seconds is kept.
    """

    seconds: float | None = None
    error_s: float = float("inf")
    measured_at: float = 0.0

    KEEP_S = 300.0

    def observe(self, date: str | None, *, sent: float, received: float) -> None:
        """Take one reply's `Date`, with our unix times of sending and of its first byte."""
        try:
            said = parsedate_to_datetime(date).timestamp() if date else None
        except ValueError:
            said = None
        error = 0.5 + (received - sent) / 2
        outdated = received - self.measured_at > self.KEEP_S
        if said is None or (error > self.error_s and not outdated):
            return
        self.seconds = said + 0.5 - (sent + received) / 2
        self.error_s = error
        self.measured_at = received
