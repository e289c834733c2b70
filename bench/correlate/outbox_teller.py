"""The process that is killed: it takes notices from the outbox to both receivers.

    python bench/correlate/outbox_teller.py FILE URL BEGAN SPEED BATCH

One thread each, as `serinus serve` has; its clock began at BEGAN and runs SPEED times as fast, so
that a lease and the waits before a later try are over soon. BATCH 1 is the product's dispatcher;
more is the peer, which claims so many at once and settles them when all were tried.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import stamina

from detector.ports import Clock, Outbox
from pipelines.notify.dispatch import LEASE_S, Dispatcher
from pipelines.notify.open import open_notifier
from pipelines.notify.settings import NotifierSettings
from pipelines.stores.sqlite import Database
from tests.pipelines.notify.slack_server import CHANNEL, TOKEN

__all__ = ["clock_of", "main"]

_IDLE_S = 0.005


@dataclass(slots=True, kw_only=True)
class Batches(Dispatcher):
    """The peer: as many as a batch has are claimed, told, and then all settled."""

    most: int

    def turn(self) -> int:
        """One batch."""
        errands = self.outbox.claim(self.name, now=self.clock(), lease_s=LEASE_S, most=self.most)
        for errand, settled in [(errand, self._settled(errand)) for errand in errands]:
            self.outbox.settle(errand, settled)
        return len(errands)


def clock_of(began: float, speed: float) -> Callable[[], float]:
    """Seconds that pass so many times as fast, in every process the same."""
    return lambda: began + speed * (time.time() - began)


def _settings(url: str) -> tuple[NotifierSettings, ...]:
    """Both receivers."""
    return (
        NotifierSettings(name="hook", url=f"{url}/hook", allow_private=True),
        NotifierSettings(
            name="chat",
            kind="slack-app",
            url=f"{url}/api",
            token=TOKEN,
            channel=CHANNEL,
            secret="unused",  # noqa: S106 - for the buttons
            allow_private=True,
        ),
    )


def main() -> None:
    """Until it is killed."""
    file, url, began, speed, batch = sys.argv[1:]
    clock = clock_of(float(began), float(speed))
    outbox = Database(Path(file)).stores().outbox
    # Tries of one turn follow each other at once, or it would take hours.
    with stamina.set_testing(True, attempts=3, cap=True):
        threads = [
            threading.Thread(target=_run, args=(_made(one, outbox, clock, int(batch)).turn,))
            for one in _settings(url)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _made(settings: NotifierSettings, outbox: Outbox, clock: Clock, batch: int) -> Dispatcher:
    notifier, name = open_notifier(settings, clock), settings.name
    if batch == 1:
        return Dispatcher(name=name, notifier=notifier, outbox=outbox, clock=clock)
    return Batches(name=name, notifier=notifier, outbox=outbox, clock=clock, most=batch)


def _run(turn: Callable[[], int]) -> None:
    pause = threading.Event()
    while True:
        if not turn():
            pause.wait(_IDLE_S)


if __name__ == "__main__":
    main()
