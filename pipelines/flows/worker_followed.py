"""Events of workers as they appear in their database, for those who follow them here."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from detector.errors import StoreError
from detector.stream.anomaly import Happened
from pipelines.flows.stream_meters import Patience
from pipelines.stores.events import SqlEvents

__all__ = ["Following"]

_MOST = 500
# A transaction that began earlier may end later, and its events have lower numbers then: so many
# numbers are looked at again.
_BEHIND = 1_000


class Following:
    """Looks for new events, and tells each once; from now on, not those of before."""

    def __init__(
        self, events: SqlEvents, tell: Callable[[Happened], None], *, every_s: float = 0.5
    ) -> None:
        self._events, self._tell, self._every = events, tell, every_s
        self._stop = threading.Event()
        self._newest, self._seen = -1, set[int]()
        self._log = structlog.get_logger("serinus.stream")
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def look(self) -> int:
        """Tell what is new; how many that were. `StoreError`."""
        if self._newest < 0:
            self._begin()
            return 0
        told, after = 0, self._newest - _BEHIND
        while some := self._events.after(after, _MOST):
            after = some[-1].number
            for event in some:
                if event.number not in self._seen:
                    self._seen.add(event.number)
                    self._tell(event.told.happened)
                    told += 1
        self._newest = max(self._newest, after)
        self._seen = {one for one in self._seen if one > self._newest - _BEHIND}
        return told

    def _begin(self) -> None:
        """What is there already was told to others."""
        newest = self._events.newest()
        some = self._events.after(newest - _BEHIND, _BEHIND)
        self._seen = {event.number for event in some}
        self._newest = newest

    def _run(self) -> None:
        pauses = Patience().pauses()
        is_away = False
        while not self._stop.is_set():
            try:
                self.look()
            except StoreError as error:
                if not is_away:
                    self._log.warning("events of workers are waited for", error=str(error))
                is_away = True
                self._stop.wait(next(pauses))
                continue
            is_away, pauses = False, Patience().pauses()
            self._stop.wait(self._every)
