"""Objectives of `serinus serve`: looked at beside the gate, shown, and told as incidents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.compose import Opened, discovery_of
from api.settings import Settings
from api.streaming import Streaming
from detector.errors import NotFoundError, StoreError
from detector.incidents.ports import BurnStore
from detector.slo.burn import Burning
from pipelines.flows.looping import Loop
from pipelines.slo.binding import BoundCounters
from pipelines.slo.burning import Burns, Seen
from pipelines.slo.openslo import load_objectives
from pipelines.stores.burns import SqlBurns

__all__ = ["BurnWatch", "burns_of", "watch_burns"]

_LOOK_S = 15.0
# Objectives with series of their own, a dozen each.
_SHOWN_MOST = 500
_LABELS = ("service", "slo")


class BurnWatch:
    """The thread that looks at objectives; `burns` is what it knows."""

    def __init__(self, burns: Burns, *, every_s: float = _LOOK_S) -> None:
        self.burns = burns
        self._loop = Loop("objectives", burns.look, every_s=every_s)

    def start(self, registry: CollectorRegistry) -> None:
        """Begin, and show it in `/metrics`."""
        registry.register(_Shown(self.burns))
        self._loop.start()

    def close(self) -> None:
        """End, once what is under way is done."""
        self._loop.close()


def watch_burns(
    opened: Opened, settings: Settings, streaming: Streaming | None
) -> BurnWatch | None:
    """None without objectives; without a stream there are no incidents, so nobody is told."""
    objectives = load_objectives(settings.objectives)
    if not objectives:
        return None
    counters = BoundCounters(discovery_of(settings, opened.source), opened.source)
    store = None if streaming is None else _store_of(streaming)
    return BurnWatch(Burns(objectives, opened.source.source, counters, store))


def _store_of(streaming: Streaming) -> Callable[[], BurnStore]:
    def store() -> BurnStore:
        databases = streaming.databases
        if not databases:
            raise StoreError(f"burns cannot be told of yet: {streaming.ailing}")
        # That of workers is shared by all processes, so that one of them tells.
        return SqlBurns(databases[-1])

    return store


def burns_of(watch: BurnWatch | None) -> Burns:
    """Without objectives there is nothing to look at."""
    if watch is None:
        raise NotFoundError("This serinus has no objectives: name their files in `objectives`.")
    return watch.burns


class _Shown(Collector):
    """The families."""

    def __init__(self, burns: Burns) -> None:
        self._burns = burns

    def collect(self) -> Iterator[Metric]:
        """As of the last look; what is not known is left out, and counted."""
        meters, seen = self._burns.meters, self._burns.seen
        words = "Objectives that are looked at."
        yield GaugeMetricFamily("serinus_slo_objectives", words, value=len(self._burns.objectives))
        words = "Objectives of which it is not known how they stand."
        unknown = sum(one.standing.burning is Burning.UNKNOWN for one in seen)
        yield GaugeMetricFamily("serinus_slo_unknown", words, value=unknown)
        words = "When objectives were last looked at; far in the past: the look fails."
        yield GaugeMetricFamily("serinus_slo_looked_seconds", words, value=meters.looked_at)
        words = "How long that took."
        yield GaugeMetricFamily("serinus_slo_look_seconds", words, value=meters.took_s)
        words = "Questions about objectives that the source did not answer."
        yield CounterMetricFamily("serinus_slo_failures", words, value=meters.failed)
        words = "What was told of burns: that one began, became graver or ended."
        yield CounterMetricFamily("serinus_slo_told", words, value=meters.told)
        yield from _standings(seen[:_SHOWN_MOST])


def _standings(seen: tuple[Seen, ...]) -> Iterator[Metric]:
    words = "Share of the error budget that is left, below 0 when it is overspent."
    left = GaugeMetricFamily("serinus_slo_budget_left", words, labels=_LABELS)
    words = "How many times too fast the budget burns, by the window in seconds."
    rate = GaugeMetricFamily("serinus_slo_burn_rate", words, labels=(*_LABELS, "window"))
    words = "1 while an alert on a burn lasts, by its level."
    on = GaugeMetricFamily("serinus_slo_alert", words, labels=(*_LABELS, "level"))
    words = "Seconds until the budget is gone if it goes on as lately; +Inf: not in this window."
    gone = GaugeMetricFamily("serinus_slo_gone_in_seconds", words, labels=_LABELS)
    for one in seen:
        named, standing = (one.objective.service, one.objective.name), one.standing
        if standing.budget.left is not None:
            left.add_metric(named, standing.budget.left)
        for pace in standing.paces:
            for span, times in ((pace.pair.long_s, pace.long), (pace.pair.short_s, pace.short)):
                if times is not None:
                    rate.add_metric((*named, f"{span:.0f}"), times)
        for level in (Burning.TICKET, Burning.PAGE):
            lasts = one.alert is not None and one.alert.is_on and one.alert.level is level
            on.add_metric((*named, level.value), float(lasts))
        if standing.gone is not None and standing.burning is not Burning.UNKNOWN:
            gone.add_metric(named, standing.gone.middle_s)
    yield from (left, rate, on, gone)
