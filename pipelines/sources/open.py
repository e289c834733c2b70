"""Open the source that the settings name: ours, or a third party's by entry point."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from detector.errors import ConfigError
from detector.ports import MetricCatalog, MetricSource
from detector.signals.packs import Pack
from pipelines.plugins import named, plugged
from pipelines.sources.settings import SourceSettings

__all__ = ["GROUP", "Source", "open_source"]

GROUP = "serinus.sources"


class Source(MetricSource, MetricCatalog, Protocol):
    """What a source is: raw samples and what exists, by one object."""


def open_source(settings: SourceSettings, packs: Sequence[Pack] | None = None) -> Source:
    """The source of `settings.kind`; `ConfigError` when there is none or it is no source.

    Histograms that the `packs` know (None: the shipped ones) may be native in a Prometheus.

    An entry point in the group `serinus.sources` names a callable that takes `SourceSettings` and
    gives an object with the methods of `MetricSource` and `MetricCatalog`.
    """
    match settings.kind:
        case "prometheus":
            from pipelines.sources.prometheus import PrometheusSource

            return PrometheusSource(settings, packs)
        case "memory":
            from pipelines.sources.memory import MemorySource

            return MemorySource()
    return _plugin(settings)


def _plugin(settings: SourceSettings) -> Source:
    point = plugged(GROUP, settings.kind, ("prometheus", "memory"), "source kind:")
    told, factory = named(point, "source")
    source: Source = factory(settings)
    wrong = tuple(_wrong(source))
    if wrong:
        raise ConfigError(f"{told} is no metric source: {'; '.join(wrong)}")
    return source


def _wrong(source: object) -> Iterator[str]:
    """Each method of the two ports that the object lacks, or has with other parameters."""
    for port in (MetricSource, MetricCatalog):
        for name, wanted in vars(port).items():
            if name.startswith("_"):
                continue
            method = getattr(source, name, None)
            if not callable(method):
                yield f"{port.__name__}.{name} is missing"
            elif not _takes(method, wanted):
                yield f"{port.__name__}.{name} must take {inspect.signature(wanted)}"


def _takes(method: Callable[..., object], wanted: Callable[..., object]) -> bool:
    """Whether it can be called as the port is."""
    parameters = list(inspect.signature(wanted).parameters.values())[1:]
    positional = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    keywords = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    try:
        inspect.signature(method).bind(*positional, **{p.name: p for p in keywords})
    except (TypeError, ValueError):
        return False
    return True
