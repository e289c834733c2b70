"""What may take long to open, or does not open at all, is opened beside everything else."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from detector.errors import StoreError
from pipelines.flows.stream_meters import Patience

__all__ = ["Late"]

T = TypeVar("T")
_END_S = 5.0


class Late(Generic[T]):
    """Opened by a thread of its own, tried again until it opens; safe for threads.

    `get` is a `StoreError` that says why until then. `hint` says what to do where waiting alone
    will not help. Whatever is in the way is never touched.
    """

    def __init__(
        self,
        opening: Callable[[], T],
        *,
        closing: Callable[[T], None],
        hint: str = "",
        patience: Patience | None = None,
    ) -> None:
        self._opening, self._closing, self._hint = opening, closing, hint
        self._patience = patience or Patience(first_s=0.5, longest_s=15.0)
        self._changed = threading.Condition()
        self._opened: T | None = None
        self._is_closed = self._needs_help = False
        self._log = structlog.get_logger("serinus.stream")
        self.why = "it is being opened"
        self._thread = threading.Thread(target=self._run, name="opening", daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether `get` has it."""
        return self._opened is not None

    @property
    def awaited(self) -> str:
        """Why it is not open where waiting alone may help; empty otherwise."""
        return "" if self.is_open or self._needs_help else self._not_open

    @property
    def _not_open(self) -> str:
        return f"the stream is not open yet: {self.why}"

    def get(self) -> T:
        """It, once it is open."""
        opened = self._opened
        if opened is None:
            raise StoreError(self._not_open)
        return opened

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is open; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._opened is not None, timeout_s)

    def close(self) -> None:
        """Close it, or try no more; an opening that hangs is not waited for."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(_END_S)
        if self._opened is not None:
            self._closing(self._opened)

    def _run(self) -> None:
        for pause in self._patience.pauses():
            try:
                opened = self._opening()
            except Exception as error:  # noqa: BLE001 - the one at the top of the thread
                self._miss(error)
            else:
                self._publish(opened)
                return
            with self._changed:
                if self._changed.wait_for(lambda: self._is_closed, pause):
                    return

    def _publish(self, opened: T) -> None:
        with self._changed:
            is_wanted = not self._is_closed
            if is_wanted:
                self._opened = opened
                self._changed.notify_all()
        if not is_wanted:
            self._closing(opened)

    def _miss(self, error: Exception) -> None:
        """Say why; logged when that is another reason than before."""
        why = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"
        self._needs_help = not _passes(error)
        if self._hint and self._needs_help:
            why = f"{why}. {self._hint}"
        if why != self.why:
            is_known = isinstance(error, StoreError)
            self._log.error(
                "the stream cannot be opened, and is tried again",
                error=why,
                exc_info=None if is_known else error,
            )
        self.why = why


def _passes(error: BaseException | None) -> bool:
    """Whether it may be gone by itself: a lock, a full disk, a folder that is not mounted yet."""
    while error is not None:
        if isinstance(error, OSError | sqlite3.OperationalError):
            return True
        error = error.__cause__
    return False
