"""What the stream says of itself, and how long it waits for a database that is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog

from detector.errors import StoreError

__all__ = ["Patience", "StreamMeters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds between tries to write, doubled up to the longest; at an orderly end, in all."""

    first_s: float = 0.1
    longest_s: float = 10.0
    at_end_s: float = 5.0

    def pauses(self) -> Iterator[float]:
        """The pause after each try that failed, without end."""
        pause = self.first_s
        while True:
            yield pause
            pause = min(2 * pause, self.longest_s)


@dataclass(slots=True)
class StreamMeters:
    """Running totals, and times in unix seconds.

    `retrying` is why the stream waits for its database just now, `failed` why it stopped.
    """

    samples: int = 0
    refused: int = 0
    anomalies: int = 0
    checkpoints: int = 0
    checkpoint_s: float = 0.0
    checkpoint_at: float = 0.0
    newest_ms: int = 0
    retries: int = 0
    retrying: str = ""
    failed: str = ""
    log: Any = field(default_factory=lambda: structlog.get_logger("serinus.stream"))

    @property
    def words(self) -> str:
        """How the stream is, for people."""
        if self.failed:
            return f"stopped, and takes nothing until a restart: {self.failed}"
        if self.retrying:
            return f"waits for its database, and tries again: {self.retrying}"
        return "judges what comes in"

    def missed(self, error: StoreError) -> None:
        """A write failed and is tried again: logged once, until writes go through."""
        self.retries += 1
        if not self.retrying:
            self.log.warning("the stream waits for its database", error=str(error))
        self.retrying = str(error)

    def wrote(self) -> None:
        """A write went through."""
        if self.retrying:
            self.retrying = ""
            self.log.info("the stream goes on", retries=self.retries)

    def stopped(self, error: Exception, *, is_expected: bool) -> None:
        """Nothing is written any more."""
        self.failed = str(error) if is_expected else "an error of serinus itself, see the log"
        self.retrying = ""
        self.log.error(
            "the stream stopped", error=str(error), exc_info=None if is_expected else error
        )
