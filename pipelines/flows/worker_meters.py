"""What a worker says of itself, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog

from detector.errors import SerinusError
from pipelines.flows.worker_part import Unit
from pipelines.topics.port import Partition

__all__ = ["WorkerMeters"]


@dataclass(slots=True)
class WorkerMeters:
    """Running totals; `lag` in messages and `newest` in unix milliseconds by partition.

    `waits` is why it waits just now, by what it waits for: nothing, where all is well. `failed` is
    why it stopped.
    """

    messages: int = 0
    taken: Counter[Unit] = field(default_factory=Counter)
    anomalies: int = 0
    letters: int = 0
    checkpoints: int = 0
    checkpoint_s: float = 0.0
    checkpoint_at: float = 0.0
    conflicts: int = 0
    poison: int = 0
    gone: int = 0
    retries: int = 0
    sent: int = 0
    pauses: int = 0
    rebalances: int = 0
    lag: dict[Partition, int] = field(default_factory=dict)
    newest: dict[Partition, int] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    stopped: dict[Partition, str] = field(default_factory=dict)
    failed: str = ""
    log: Any = field(default_factory=lambda: structlog.get_logger("serinus.worker"))

    @property
    def is_ready(self) -> bool:
        """Whether it works, and waits for nothing."""
        return not self.waits and not self.failed

    @property
    def words(self) -> str:
        """How the worker is, for people."""
        if self.failed:
            return f"stopped: {self.failed}"
        if self.waits:
            return "; ".join(f"waits for {what}: {why}" for what, why in self.waits.items())
        told = [f"{p.topic}/{p.number} is not read: {why}" for p, why in self.stopped.items()]
        return "; ".join(told) or "judges what comes in"

    def wait(self, what: str, error: SerinusError) -> None:
        """Something is away: logged once, until it is back."""
        self.retries += 1
        if what not in self.waits:
            self.log.warning("the worker waits", for_=what, error=str(error))
        self.waits[what] = str(error)

    def back(self, what: str) -> None:
        """It is there."""
        if self.waits.pop(what, None) is not None:
            self.log.info("the worker goes on", with_=what, retries=self.retries)
