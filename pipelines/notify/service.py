"""All that tells people, as threads of one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.notify.dispatch import Dispatcher
from pipelines.notify.rounds import Rounds

__all__ = ["Telling"]


@dataclass(slots=True, kw_only=True)
class Telling:
    """One thread for each notifier, so that a slow one holds up no other, and one for the rounds.

    None of them is waited for at the end longer than `grace_s`: what was not acknowledged by then
    is sent by the next process.
    """

    dispatchers: Sequence[Dispatcher]
    rounds: Rounds
    grace_s: float = 6.0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin."""
        for work in (self.rounds.run, *(one.run for one in self.dispatchers)):
            thread = threading.Thread(target=work, args=(self._stopped,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End: what is under way may be acknowledged yet."""
        self._stopped.set()
        ends = time.monotonic() + self.grace_s
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
