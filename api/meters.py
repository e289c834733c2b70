"""Numbers of a part of the process in `/metrics`: what only grows is a counter, the rest gauges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

__all__ = ["Count", "Level", "Meters"]


@dataclass(frozen=True, slots=True)
class Count:
    """A number that never falls while a process lives: its name, what it is, how to ask for it."""

    name: str
    words: str
    value: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Level:
    """A number that may fall."""

    name: str
    words: str
    value: Callable[[], float]


class Meters(Collector):
    """Meters by `serinus_<part>_<name>`, counts with `_total`, as they are when asked."""

    def __init__(self, part: str, meters: tuple[Count | Level, ...]) -> None:
        self._part, self._meters = part, meters

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """All of them."""
        for meter in self._meters:
            family = CounterMetricFamily if isinstance(meter, Count) else GaugeMetricFamily
            name = f"serinus_{self._part}_{meter.name}"
            yield family(name, meter.words, value=float(meter.value()))
