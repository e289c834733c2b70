"""How many series the stream hears of, and how many it has forgotten, in `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["StreamSeries"]


class StreamSeries(Collector):
    """Of each tenant, as `counts` tells it: live series, and those forgotten since the start."""

    def __init__(self, counts: Callable[[], Mapping[str, tuple[int, int]]]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """The families."""
        words = "Series that had samples in the last whole hour."
        live = GaugeMetricFamily("serinus_stream_live_series", words, labels=("tenant",))
        words = "Series forgotten since the start, since they were silent for stream.forget_s."
        gone = CounterMetricFamily("serinus_stream_forgotten_series", words, labels=("tenant",))
        for tenant, (heard, forgotten) in self._counts().items():
            live.add_metric((tenant,), heard)
            gone.add_metric((tenant,), forgotten)
        yield live
        yield gone
