"""The watch of a cluster: a thread for each of its resources, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from detector.changes.change import ChangeEvent
from detector.changes.ports import ChangeLog
from pipelines.changes.kubernetes.client import Api
from pipelines.changes.kubernetes.feed import Feed
from pipelines.changes.kubernetes.resources import resources_of
from pipelines.changes.kubernetes.settings import KubernetesSettings
from pipelines.changes.kubernetes.telling import Telling
from pipelines.changes.kubernetes.watched import Watched
from pipelines.changes.reading import fitted_event
from pipelines.flows.looping import Loop

__all__ = ["KubernetesWatch"]

_AGAIN_S = 2.0


class KubernetesWatch:
    """Tells the change log of a cluster; `ConfigError` where it or the client is not there.

    `services` gives the name in metrics of what labels call otherwise.
    """

    def __init__(
        self,
        settings: KubernetesSettings,
        log: ChangeLog,
        *,
        redact: Callable[[str], str],
        services: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        again_s: float = _AGAIN_S,
    ) -> None:
        known = services or {}
        self._api = Api(settings)

        def placed(event: ChangeEvent) -> ChangeEvent:
            named = known.get(event.place.service, event.place.service)
            return fitted_event(replace(event, place=replace(event.place, service=named)), redact)

        # Times of Kubernetes are whole seconds.
        since = 1000 * int(clock() - settings.lookback_s)
        telling = Telling(cluster=settings.cluster, since=since)
        self.watched = Watched(telling, log, settings.tenant, clock=clock, placed=placed)
        self.feeds = [
            Feed(self._api, resource, namespace, self.watched, settings=settings, clock=clock)
            for resource, namespace in resources_of(settings)
        ]
        self._loops = [
            Loop(f"kubernetes {feed.resource.name}", feed.look, every_s=again_s)
            for feed in self.feeds
        ]

    def start(self) -> None:
        """Begin."""
        for loop in self._loops:
            loop.start()

    def close(self) -> None:
        """End, at once."""
        for feed in self.feeds:
            feed.stop()
        for loop in self._loops:
            loop.close()
        self._api.close()

    @property
    def ailing(self) -> str:
        """Why it does not see all that it should, or nothing."""
        words = [feed.meters.ailing for feed in self.feeds if feed.meters.ailing]
        more = f" (and {len(words) - 1} more)" if len(words) > 1 else ""
        return f"{words[0]}{more}" if words else ""
