"""A thread that looks again and again, and waits patiently where its store is away."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from detector.errors import StoreError
from pipelines.flows.stream_meters import Patience

__all__ = ["Loop"]


class Loop:
    """Calls `look` until closed: at once again after True, else `every_s` later.

    `name` is the thread's, and what the log calls it. Where `look` fails it is tried again after
    longer and longer pauses, which is logged once.
    """

    def __init__(self, name: str, look: Callable[[], object], *, every_s: float) -> None:
        self._look, self._every, self._name = look, every_s, name
        self._stop = threading.Event()
        self._log = structlog.get_logger("serinus.stream")
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, once what is under way is done."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _tell(self, error: Exception) -> None:
        if isinstance(error, StoreError):
            self._log.warning("a store is waited for", by=self._name, error=str(error))
        else:
            self._log.error("failed, and is tried again", by=self._name, exc_info=error)

    def _run(self) -> None:
        pauses, is_away = Patience().pauses(), False
        while not self._stop.is_set():
            try:
                is_more = self._look() is True
            except Exception as error:  # noqa: BLE001 - the one at the top of the thread
                if not is_away:
                    self._tell(error)
                is_away = True
                self._stop.wait(next(pauses))
                continue
            is_away, pauses = False, Patience().pauses()
            if not is_more:
                self._stop.wait(self._every)
