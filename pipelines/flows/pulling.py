"""A thread that pulls metrics, or lines, from a source, round by round, and says how that goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from detector.errors import SerinusError
from pipelines.ingest.decoded import FullError
from pipelines.ingest.tally import Taken

__all__ = ["PullMeters", "Pulling", "Steps"]

# A queue that is full has room again soon; nothing else is tried anew before its turn.
_FULL_S = 2.0
_END_S = 2.0


class Steps(Protocol):
    """What is read from a source, step by step."""

    @property
    def doubtful(self) -> int:
        """Of how much something may be missing."""
        ...

    @property
    def since(self) -> float | None:
        """How far it was read (unix seconds), None before the first step."""
        ...

    def step(self, now: float, *, timeout_s: float) -> Taken | None:
        """Read on; None where there is nothing to read yet."""
        ...


@dataclass(slots=True)
class PullMeters:
    """Running totals; `failing` is why the last reading took nothing, `read_to` in unix seconds."""

    readings: int = 0
    samples: int = 0
    failures: int = 0
    failing: str = ""
    read_to: float = 0.0
    log: Any = field(default_factory=lambda: structlog.get_logger("serinus.pull"))

    @property
    def words(self) -> str:
        """How the pulling goes, for people."""
        moment = datetime.fromtimestamp(self.read_to, UTC).isoformat(timespec="seconds")
        reached = (
            f"has read up to {moment.replace('+00:00', 'Z')}"
            if self.read_to
            else "has read nothing"
        )
        if self.failing:
            return f"{reached}, and tries again from there: {self.failing}"
        return reached

    def failed(self, error: Exception) -> None:
        """A reading took nothing: logged once, until one succeeds."""
        self.failures += 1
        is_known = isinstance(error, SerinusError)
        why = str(error) if is_known else "an error of serinus itself, see the log"
        if not self.failing:
            self.log.warning("cannot pull", error=why, exc_info=None if is_known else error)
        self.failing = why

    def took(self, samples: int, read_to: float) -> None:
        """A reading is taken."""
        self.readings += 1
        self.samples += samples
        self.read_to = read_to
        if self.failing:
            self.failing = ""
            self.log.info("pulls again", failures=self.failures)


class Pulling:
    """Reads each `every_s` all that is due, a bounded stretch at a time; `close` ends it.

    It has a thread and, by its maker's care, a source of its own: however long one answer takes,
    nobody else waits for it.
    """

    def __init__(
        self,
        pull: Steps,
        *,
        every_s: float,
        timeout_s: float,
        clock: Callable[[], float] = time.time,
        closing: Callable[[], None] = lambda: None,
    ) -> None:
        self._pull, self._every_s, self._timeout_s = pull, every_s, timeout_s
        self._clock, self._closing = clock, closing
        self._ended = threading.Event()
        self.meters = PullMeters()
        self._thread = threading.Thread(target=self._run, name="pull", daemon=True)

    @property
    def words(self) -> str:
        """How it goes, for people."""
        return self.meters.words

    @property
    def doubtful(self) -> int:
        """Answers from which series may be missing."""
        return self._pull.doubtful

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; a reading under way is given up where it takes long."""
        self._ended.set()
        self._closing()
        if self._thread.is_alive():
            self._thread.join(_END_S)

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            pause = self._round()

    def _round(self) -> float:
        """Read all that is due by now; how long to wait then."""
        now = self._clock()
        try:
            while not self._ended.is_set():
                decoded = self._pull.step(now, timeout_s=self._timeout_s)
                if decoded is None:
                    break
                self.meters.took(decoded.taken, self._pull.since or 0.0)
        except FullError as error:
            self.meters.failed(error)
            return min(_FULL_S, self._every_s)
        except Exception as error:  # noqa: BLE001 - the one at the top of the thread
            self.meters.failed(error)
        return self._every_s
