"""Events of workers as they appear in their database, for those who follow them here."""

from __future__ import annotations

from collections.abc import Callable

from detector.stream.anomaly import Happened
from pipelines.flows.looping import Loop
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
        self._events, self._tell = events, tell
        self._newest = after
        self._loop = Loop("following", self.look, every_s=every_s)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def close(self) -> None:
        """End."""
        self._loop.close()

    def look(self) -> int:
        """Tell what is new; how many that were. `StoreError`."""
        told = 0
        while some := self._events.after(self._newest, _MOST):
            for event in some:
                self._tell(event.number, event.told.happened)
            self._newest = some[-1].number
            told += len(some)
        return told
