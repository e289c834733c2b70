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


class Following:
    """Looks for new events, and tells each once with its number: those after one, in order."""

    def __init__(
        self,
        events: SqlEvents,
        tell: Callable[[int, Happened], None],
        *,
        after: int,
        every_s: float = 0.5,
    ) -> None:
        self._events, self._tell, self._every = events, tell, every_s
        self._stop = threading.Event()
        self._newest = after
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
        told = 0
        while some := self._events.after(self._newest, _MOST):
            for event in some:
                self._tell(event.number, event.told.happened)
            self._newest = some[-1].number
            told += len(some)
        return told

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
