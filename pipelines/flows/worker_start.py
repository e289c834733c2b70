"""What a worker needs is waited for when it starts, and not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from detector.errors import BrokerError, StoreError
from pipelines.flows.stream_meters import Patience
from pipelines.flows.worker_meters import WorkerMeters

__all__ = ["Start"]

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How long is waited for what is away, in all, and what ends that before."""

    within_s: float
    stop: threading.Event
    meters: WorkerMeters
    patience: Patience

    def waited(self, what: str, make: Callable[[], Made]) -> Made | None:
        """What `make` gives, tried until it does; None once it is stopped.

        Its last error after `within_s`, or at once where waiting does not help.
        """
        until = time.monotonic() + self.within_s
        for pause in self.patience.pauses():
            try:
                made = make()
            except (BrokerError, StoreError) as error:
                is_final = isinstance(error, BrokerError) and not error.retryable
                if is_final or time.monotonic() + pause >= until:
                    raise
                self.meters.wait(what, error)
            else:
                self.meters.back(what)
                return made
            if self.stop.wait(pause):
                break
        return None
