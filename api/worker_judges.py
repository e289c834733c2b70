"""What each topic of a worker is judged by: metrics, logs, traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detector.errors import ConfigError
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from pipelines.flows.worker_part import Unit
from pipelines.ingest.protocol import LogDoor, LogFormat, Packing, TraceFormat, log_form_of
from pipelines.ingest.spans.decoded import SpanDoor

if TYPE_CHECKING:
    from api.settings import Settings
    from detector.signals.packs import Pack
    from pipelines.flows.stream_operators import Operators
    from pipelines.flows.worker_feeds import Feed, LineDecoder
    from pipelines.flows.worker_part import Judge
    from pipelines.ingest.records.mapping import Mapping as FieldMapping
    from pipelines.ingest.tally import Tally
    from pipelines.stores.connections import Connections
    from pipelines.stores.worker_parts import WorkerPartStore
    from pipelines.topics.port import Partition

__all__ = ["Judges", "LogForm", "log_forms", "topics_read"]

_AUTO = "auto"
# Sums over the pods of services that each partition keeps, however many share them.
_LEAST_CELLS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogForm:
    """How the messages of a topic of logs are read."""

    door: LogDoor
    packing: Packing
    mapping: str = _AUTO
    mappings: Sequence[FieldMapping] = ()

    def opened(self) -> LineDecoder:
        """A door for one tenant."""
        from pipelines.ingest.logs.opened import decoder_of

        return decoder_of(self.door, mapping=self.mapping, mappings=self.mappings or None)


def log_forms(settings: Settings) -> dict[str, LogForm]:
    """By topic of logs; `ConfigError` for a format that is neither a protocol's nor a mapping's."""
    return {name: _form(settings, name, one.format) for name, one in settings.kafka.logs.items()}


def topics_read(settings: Settings) -> list[str]:
    """The topics that a worker reads."""
    return settings.kafka.read if settings.logs.enabled else list(settings.kafka.metrics)


def _form(settings: Settings, topic: str, written: str) -> LogForm:
    if written in {one.value for one in LogFormat}:
        door, packing = log_form_of(LogFormat(written))
        return LogForm(door=door, packing=packing)
    from pipelines.ingest.records.mapping import load_mappings

    mappings = load_mappings(settings.logs.mappings)
    names = [one.name for one in mappings]
    found = next((name for name in (written, written.replace("_", "-")) if name in names), None)
    if found is None:
        there = ", ".join([*(one.value for one in LogFormat), *names])
        raise ConfigError(f"kafka.logs.{topic}.format: {written!r} is none; there are {there}")
    return LogForm(door=LogDoor.JSON_LINES, packing=Packing.PLAIN, mapping=found, mappings=mappings)


class Judges:
    """Makes the judge of each partition that a worker takes."""

    def __init__(self, settings: Settings, packs: Sequence[Pack], tally: Tally) -> None:
        self._settings, self._packs, self._tally = settings, packs, tally
        self._owners = Owners(packs)
        self._forms = log_forms(settings)

    def of(
        self,
        partition: Partition,
        store: WorkerPartStore,
        database: Connections,
        partitions: Mapping[str, int],
    ) -> Judge:
        """By the topic; `partitions` is how many each topic has."""
        kafka, count = self._settings.kafka, partitions[partition.topic]
        is_of_metrics = partition.topic in kafka.metrics
        operators = self._operators(store.part, count, counts=is_of_metrics)
        if not is_of_metrics:
            return self._counted(self._feed(partition.topic), operators, store, database, count)
        from pipelines.flows.worker_door import PartDoor
        from pipelines.flows.worker_metrics import MetricsJudge

        written, limits = kafka.formats[partition.topic], self._settings.ingest.native()
        return MetricsJudge(operators, PartDoor(written, limits, self._tally))

    def plain(self, unit: Unit, store: WorkerPartStore, database: Connections) -> Judge:
        """One of a topic of OTLP that nobody has named."""
        operators = self._operators(store.part, 1)
        if unit is Unit.SPANS:
            return self._counted(self._spans(SpanDoor.OTLP), operators, store, database, 1)
        door, packing = log_form_of(LogFormat.OTLP_PROTO)
        form = LogForm(door=door, packing=packing)
        return self._counted(self._lines(form), operators, store, database, 1)

    def _operators(self, part: str, partitions: int, *, counts: bool = False) -> Operators:
        """With `counts` it adds up what services did, for the history that a gate asks for."""
        from detector.stream.counting import Counting
        from pipelines.flows.stream_operators import CELLS, Operators

        stream = self._settings.stream
        return Operators(
            owners=self._owners,
            # Each partition has its part of the alarms that are accepted over all of a topic.
            settings=StreamSettings(
                alarms_a_week=stream.alarms_a_week / partitions,
                calendar=stream.calendar(),
                forget_s=stream.forget_s,
            ),
            windows=[window.native() for window in stream.windows],
            counting=Counting(self._packs, self._owners) if counts else None,
            cells=max(CELLS // partitions, _LEAST_CELLS),
            origin=part,
        )

    def _feed(self, topic: str) -> Feed:
        form = self._forms.get(topic)
        if form is not None:
            return self._lines(form)
        is_json = self._settings.kafka.traces[topic].written is TraceFormat.OTLP_JSON
        return self._spans(SpanDoor.OTLP_JSON if is_json else SpanDoor.OTLP)

    def _spans(self, door: SpanDoor) -> Feed:
        from pipelines.flows.worker_feeds import SpansFeed

        return SpansFeed(door, limits=self._settings.ingest.native(), tally=self._tally)

    def _lines(self, form: LogForm) -> Feed:
        from pipelines.flows.worker_feeds import LinesFeed

        return LinesFeed(
            form.opened,
            form.packing,
            door=form.door.value,
            limits=self._settings.ingest.native(),
            tally=self._tally,
            bounds=self._settings.logs.native(),
        )

    def _counted(
        self,
        feed: Feed,
        operators: Operators,
        store: WorkerPartStore,
        database: Connections,
        partitions: int,
    ) -> Judge:
        from detector.logs.settings import LogSettings
        from pipelines.flows.logs_part import LogsPart
        from pipelines.flows.worker_counted import CountedJudge

        told = LogSettings()
        logs = LogsPart(
            database,
            store.part,
            store.hold,
            # Of new lines each service has its own; silences are counted over all of a topic.
            settings=LogSettings(
                alarms_a_week=self._settings.stream.alarms_a_week,
                silences_a_week=told.silences_a_week / partitions,
            ),
            windows=[window.native() for window in self._settings.stream.windows],
            origin=store.part,
        )
        bounds = self._settings.logs.native()
        return CountedJudge(feed, operators, logs, database, store.part, bounds)
