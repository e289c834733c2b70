"""Puts together what tells people, and shows in `/metrics` how far it got."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from api.settings import Settings
from detector.errors import StoreError
from detector.gate.telling import Notice
from detector.ports import Outbox, Stores
from pipelines.notify.dispatch import Dispatcher
from pipelines.notify.open import open_notifier
from pipelines.notify.rounds import Rounds
from pipelines.notify.service import Telling

__all__ = ["open_telling", "watch_telling"]


def open_telling(
    settings: Settings,
    stores: Stores,
    *,
    clock: Callable[[], float] = time.time,
    charts: Callable[[Notice], bytes] | None = None,
) -> Telling:
    """Dispatchers and rounds of the settings; `ConfigError` for a notifier that cannot be.

    `charts` gives the picture of a notice to those that can show one.
    """
    known = settings.notify.native()
    dispatchers = [
        Dispatcher(
            name=one.name,
            notifier=open_notifier(one, clock, charts),
            outbox=stores.outbox,
            clock=clock,
            tries=one.tries,
        )
        for one in known
    ]
    routes = tuple(one.route for one in known)
    rounds = Rounds(stores=stores, clock=clock, routes=routes, weekly=settings.notify.moment)
    return Telling(dispatchers=dispatchers, rounds=rounds)


def watch_telling(registry: CollectorRegistry, telling: Telling, outbox: Outbox) -> None:
    """Show the deliveries, and which share of rollouts ended inconclusive."""
    registry.register(_Outcomes(telling.rounds))
    registry.register(_Deliveries(outbox))


@dataclass(slots=True, eq=False)
class _Outcomes(Collector):
    """Of the rollouts that ended in the last seven days; counted every five minutes."""

    rounds: Rounds

    def collect(self) -> Iterable[Metric]:
        """The families."""
        shares = self.rounds.shares
        words = "Rollouts that ended in the last 7 days."
        yield GaugeMetricFamily("serinus_rollouts_ended", words, value=shares.ended)
        words = "Share of the rollouts of the last 7 days that ended inconclusive, by reason."
        family = GaugeMetricFamily("serinus_inconclusive_share", words, labels=("reason",))
        for reason, share in shares.inconclusive.items():
            family.add_metric((reason,), share)
        yield family


@dataclass(slots=True, eq=False)
class _Deliveries(Collector):
    """What is in the outbox."""

    outbox: Outbox

    def collect(self) -> Iterable[Metric]:
        """The family; empty while the store does not answer."""
        words = "Notices of the last 30 days, by notifier and state: due, sent or dropped."
        family = GaugeMetricFamily("serinus_notices", words, labels=("notifier", "state"))
        try:
            counted = self.outbox.tally()
        except StoreError:
            counted = {}
        for (notifier, state), count in sorted(counted.items()):
            family.add_metric((notifier, state.value), count)
        yield family
