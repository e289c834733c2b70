"""Logs that `serinus serve` reads from files and takes by syslog, and how `/metrics` shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from api.settings import Settings
    from detector.logs.ports import LogSink
    from pipelines.follow.following import Following
    from pipelines.ingest.records.flaws import Flaws
    from pipelines.syslog.receiving import Syslog

__all__ = ["open_following", "open_syslog", "show_following", "show_syslog"]

Shown = tuple[tuple[str, str, Callable[[], float]], ...]


def open_following(settings: Settings, sink: LogSink) -> Following | None:
    """What follows the files of the settings, None where there are none; `start` begins it.

    How far each was read is kept in the data directory. `ConfigError` for a mapping that is not
    there.
    """
    from pipelines.follow.following import Following
    from pipelines.follow.positions import Positions
    from pipelines.ingest.records.mapping import load_mappings

    own = settings.logs.files
    if not own.watch:
        return None
    settings.data.mkdir(parents=True, exist_ok=True)
    return Following(
        tuple(group.native() for group in own.watch),
        sink,
        Positions(settings.data / "followed-files.json"),
        pace=own.native(),
        mappings=load_mappings(settings.logs.mappings),
    )


def open_syslog(settings: Settings, sink: LogSink) -> Syslog | None:
    """What takes syslog by the settings, None where it does not; `start` listens."""
    from pipelines.ingest.records.json_lines import JsonLines
    from pipelines.ingest.records.mapping import load_mappings
    from pipelines.syslog.receiving import Syslog

    own = settings.logs.syslog
    tcp, udp = own.tcp_address(), own.udp_address()
    if tcp is None and udp is None:
        return None
    mappings = load_mappings(settings.logs.mappings)
    return Syslog(
        sink,
        tcp=tcp,
        udp=udp,
        senders=own.senders(),
        bounds=own.bounds(),
        records=partial(JsonLines, mapping=own.mapping, mappings=mappings),
    )


def show_following(registry: CollectorRegistry, following: Following) -> None:
    """Put how files are followed into `/metrics`."""
    meters = following.meters
    counts: Shown = (
        ("lines", "Lines of files that were taken.", lambda: meters.lines),
        ("truncations", "Files that began anew.", lambda: meters.truncations),
        ("fulls", "Times that lines found no room, and waited.", lambda: meters.fulls),
        ("failures", "Times that nothing could be kept.", lambda: meters.failures),
        ("unfollowed", "Times that a file was one too many.", lambda: meters.unfollowed),
    )
    now: Shown = (
        ("open", "Files that are open.", lambda: meters.files),
        ("is_failing", "1 where the last lines were not kept.", lambda: bool(meters.failing)),
    )
    registry.register(_Shown("serinus_log_files", counts, now, meters.flaws))


def show_syslog(registry: CollectorRegistry, syslog: Syslog) -> None:
    """Put how syslog is taken into `/metrics`."""
    meters = syslog.meters
    counts: Shown = (
        ("lines", "Messages of syslog that were taken.", lambda: meters.lines),
        ("turned_away", "Connections beyond the bound.", lambda: meters.turned_away),
        ("broken", "Connections that broke.", lambda: meters.broken),
        ("dropped", "Datagrams that found no room.", lambda: meters.datagrams_dropped),
        ("fulls", "Times that messages found no room, and waited.", lambda: meters.fulls),
        ("failures", "Times that nothing could be kept.", lambda: meters.failures),
    )
    now: Shown = (
        ("connections", "Connections that are open.", lambda: meters.connections),
        ("is_failing", "1 where the last lines were not kept.", lambda: bool(meters.failing)),
    )
    registry.register(_Shown("serinus_syslog", counts, now, meters.flaws))


class _Shown(Collector):
    """Totals of a reader, and its flaws by kind."""

    def __init__(self, prefix: str, counts: Shown, now: Shown, flaws: Flaws) -> None:
        self._prefix, self._counts, self._now, self._flaws = prefix, counts, now, flaws

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """What they are at the moment."""
        for name, words, value in self._counts:
            yield CounterMetricFamily(f"{self._prefix}_{name}", words, value())
        for name, words, value in self._now:
            yield GaugeMetricFamily(f"{self._prefix}_{name}", words, value())
        flawed = CounterMetricFamily(
            f"{self._prefix}_flaws",
            "Lines that were mended or left, by what was wrong.",
            None,
            ["flaw"],
        )
        for flaw, count in self._flaws.told().items():
            flawed.add_metric([flaw], count)
        yield flawed
