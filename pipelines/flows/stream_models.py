"""Models that were fitted and promoted since, brought to the stream that judges by them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import structlog

from detector.errors import SerinusError

if TYPE_CHECKING:
    from detector.fitted.model import FittedModel
    from detector.fitted.ports import FittedStore
    from detector.gate.aa import Scope

__all__ = ["EVERY_S", "ModelWatch"]

EVERY_S = 30.0


class ModelWatch:
    """Looks into the store of models now and then, in a thread of its own.

    `use` takes a model, `known` is what the stream judges by already. A store that is away is asked
    again at the next look; without new models the stream goes on with those that it has.
    """

    def __init__(
        self,
        opening: Callable[[], AbstractContextManager[FittedStore | None]],
        use: Callable[[FittedModel], None],
        known: Mapping[Scope, int],
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._opening, self._use, self._known = opening, use, dict(known)
        self._every, self._ended = every_s, threading.Event()
        self._log, self._why = structlog.get_logger("serinus.stream"), ""
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)
        self._thread.start()

    def look(self) -> int:
        """Bring what is new; how many models that were. `SerinusError` where it cannot."""
        found = 0
        with self._opening() as store:
            for model in () if store is None else store.in_use(self._known):
                self._use(model)
                self._known[model.scope] = model.version
                found += 1
        return found

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
                self._why = ""
            except SerinusError as error:
                # Once for each reason: it may last.
                if str(error) != self._why:
                    self._log.warning("no new models are found", why=str(error))
                self._why = str(error)
            except Exception as error:  # noqa: BLE001 - the one at the top of the thread
                self._log.error("no new models are looked for any more", exc_info=error)
                return
            self._ended.wait(self._every)
