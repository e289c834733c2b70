"""From the outbox to a notifier: claimed, tried a few times, settled; later again if need be."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import stamina
import structlog

from detector.errors import ConfigError, DeliveryError, StoreError
from detector.gate.telling import DeliveryState, Errand, Settled
from detector.ports import Clock, Correspondent, Notifier, Outbox

__all__ = ["Dispatcher"]

# Longer than all tries of one turn together: who holds a claim may still be sending. Who was killed
# holds it so long, too.
LEASE_S = 75.0
TURN_S = 30.0
# From the second turn on; the last is used again until it is given up.
LATER_S = (30.0, 120.0, 600.0, 1800.0, 3600.0)
GIVE_UP_S = 86_400.0
# A receiver that asks for more patience is asked in a later turn.
_PATIENCE_S = 5.0
_IDLE_S, _BROKEN_S = 1.0, 10.0


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Takes the notices of one notifier to it, one by one; several processes may do so at once.

    What was acknowledged is written down before anything else is done. A process that dies between
    the two sends it once more, under the same id: that is the price of losing nothing.
    """

    name: str
    notifier: Notifier
    outbox: Outbox
    clock: Clock
    tries: int = 3
    wait_s: float = 0.5

    def run(self, stopped: threading.Event) -> None:
        """Until it is stopped; a store that fails is waited for."""
        log = structlog.get_logger("serinus.notify").bind(notifier=self.name)
        idle = _IDLE_S
        while not stopped.wait(idle):
            try:
                idle = 0.0 if self.turn() else _IDLE_S
            except StoreError as error:
                log.warning("the outbox cannot be read", error=str(error))
                idle = _BROKEN_S

    def turn(self) -> int:
        """Try the next one that is due; how many there were."""
        errands = self.outbox.claim(self.name, now=self.clock(), lease_s=LEASE_S, most=1)
        for errand in errands:
            self.outbox.settle(errand, self._settled(errand))
        return len(errands)

    def _settled(self, errand: Errand) -> Settled:
        """Send, and say how it ended."""
        ends = errand.notice.at + GIVE_UP_S
        late = DeliveryError("too old to be news", retryable=False)
        told = late if self.clock() > ends else self._told(errand)
        now, log = self.clock(), structlog.get_logger("serinus.notify")
        facts = {"notifier": self.name, "notice": errand.notice.id, "turn": errand.tries}
        if isinstance(told, str):
            log.info("told", **facts)
            return Settled(state=DeliveryState.SENT, at=now, receipt=told)
        wait = LATER_S[min(errand.tries, len(LATER_S)) - 1]
        due = now + max(wait, told.after_s or 0.0)
        if told.retryable and due < ends:
            log.warning("not told yet", **facts, error=str(told))
            return Settled(state=DeliveryState.DUE, at=now, due_at=due, words=str(told))
        log.error("gave up telling", **facts, error=str(told))
        return Settled(state=DeliveryState.DROPPED, at=now, words=str(told))

    def _told(self, errand: Errand) -> str | DeliveryError:
        """The receiver's receipt, which may be empty, or why it was not told."""
        receipt = ""
        try:
            for attempt in stamina.retry_context(
                on=_again, attempts=self.tries, timeout=TURN_S, wait_initial=self.wait_s
            ):
                with attempt:
                    receipt = self._sent(errand)
        except DeliveryError as error:
            return error
        except ConfigError as error:
            # A file with the URL may be written again; until then it is tried.
            return DeliveryError(str(error))
        except Exception as error:  # noqa: BLE001 - a plug-in's; one notifier must not stop the rest
            return DeliveryError(f"{type(error).__name__}: {error}")
        return receipt

    def _sent(self, errand: Errand) -> str:
        if isinstance(self.notifier, Correspondent):
            return self.notifier.follow(errand)
        self.notifier.send(errand.notice)
        return ""


def _again(error: Exception) -> bool | float:
    """Whether, or after how many seconds, another try in this turn is worth it."""
    if not isinstance(error, DeliveryError) or not error.retryable:
        return False
    if error.after_s is None:
        return True
    return error.after_s if error.after_s <= _PATIENCE_S else False
