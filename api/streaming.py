"""The embedded stream of `serinus serve`: opened beside the gate, and shown in `/metrics`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry

from api.meters import Count, Level, Meters
from api.stream_series import StreamSeries
from detector.errors import StoreError
from pipelines.flows.late import Late

if TYPE_CHECKING:
    from api.settings import Settings
    from api.worker_view import WorkerView
    from detector.ports import Baselines
    from detector.spans.topology import Graph
    from detector.stream.columns import Columns
    from detector.stream.counting import Counting
    from detector.stream.feedback import Feedback
    from detector.stream.ports import AnomalyStore, SeriesNames
    from detector.stream.record import KeptAnomaly, KeptFeedback
    from pipelines.flows.followers import Followers
    from pipelines.flows.logs_open import OpenLogs
    from pipelines.flows.logs_pace import Pace
    from pipelines.flows.pulling import Pulling
    from pipelines.flows.stream import Stream
    from pipelines.stores.connections import Connections
    from pipelines.stores.retention import Retention

__all__ = ["OpenStream", "Streaming", "open_streaming"]

DATABASE = "stream.db"
_PART = "local"
# Anomalies that are deleted in one round, so that an hour's round has an end.
_MOST_OLD = 20_000
# Behind by more than that, counters of logs are said to be.
_LATE_S = 30.0


class Applied(Protocol):
    """Feedback that was taken."""

    def result(self, timeout: float) -> object:
        """Wait until it is applied; `TimeoutError` of futures where it is not by then."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStream:
    """A stream with what it keeps; `close` ends both. `workers` are those of the same `store`.

    `logs` takes lines and spans, unless they are not wanted.
    """

    stream: Stream
    database: Connections
    anomalies: AnomalyStore
    followers: Followers
    retention: Retention
    close: Callable[[], None]
    workers: WorkerView | None = None
    logs: OpenLogs | None = None


class Streaming:
    """The stream of one process, its anomalies and those who follow them: a `SampleSink`.

    It is opened beside the gate, since verdicts need none. Until it is open, `stream`, `anomalies`
    and every push are a `StoreError` that says why. `has_past`: an earlier process, or a worker,
    may have counted lines and spans.
    """

    def __init__(
        self, opening: Callable[[], OpenStream], *, hint: str = "", has_past: bool = False
    ) -> None:
        self._has_past = has_past
        # What brings lines by itself, and is ended before the stream.
        self.beside: list[Callable[[], object]] = []
        self.pulling: Pulling | None = None
        self.line_pulling: Pulling | None = None
        self._late = Late(opening, closing=lambda opened: opened.close(), hint=hint)

    @property
    def stream(self) -> Stream:
        """The stream itself."""
        return self._late.get().stream

    @property
    def anomalies(self) -> AnomalyStore:
        """What it found, and what workers did."""
        opened = self._late.get()
        if opened.workers is None:
            return opened.anomalies
        from pipelines.stores.joined import JoinedAnomalies

        return JoinedAnomalies(opened.anomalies, opened.workers.anomalies)

    @property
    def databases(self) -> tuple[Connections, ...]:
        """Where events are: of this process, and of workers; none until it is open."""
        if not self._late.is_open:
            return ()
        opened = self._late.get()
        return (opened.database, *([] if opened.workers is None else [opened.workers.database]))

    @property
    def tenants(self) -> tuple[str, ...]:
        """Who sends lines or spans to this process; `StoreError` until it is open."""
        logs = self._late.get().logs
        return () if logs is None else tuple(logs.taking.tenants)

    def graph(self, tenant: str) -> Graph | None:
        """Who calls whom; None where nobody sends spans. `StoreError` until it is open."""
        logs = self._late.get().logs
        return None if logs is None else logs.graph(tenant, None)

    def say(self, kept: KeptAnomaly, feedback: Feedback, noted: KeptFeedback) -> Applied:
        """Bring what a person said to where the anomaly was found, and note it there."""
        opened, anomaly = self._late.get(), kept.anomaly
        is_of_lines = bool(anomaly.lines)
        if opened.workers is None or kept.part == _PART:
            applied: Applied = opened.stream.say(anomaly.tenant, feedback, is_of_lines=is_of_lines)
            opened.anomalies.say(anomaly.id, noted)
            return applied
        on_its_way = opened.workers.say(
            kept.part, anomaly.tenant, feedback, is_of_lines=is_of_lines
        )
        opened.workers.anomalies.say(anomaly.id, noted)
        return on_its_way

    @property
    def followed(self) -> tuple[Followers, ...]:
        """What happens, for those who follow it, by the store that numbers it."""
        opened = self._late.get()
        return (opened.followers, *([] if opened.workers is None else [opened.workers.followers]))

    @property
    def baselines(self) -> Baselines:
        """What the gate may ask it of the past of services."""
        from pipelines.flows.stream_baselines import JoinedBaselines, StreamBaselines

        return JoinedBaselines(StreamBaselines(lambda: self.stream), self._counted_by_workers)

    def _counted_by_workers(self) -> Baselines | None:
        opened = self._late.get() if self._late.is_open else None
        return None if opened is None or opened.workers is None else opened.workers.baselines

    @property
    def words(self) -> str:
        """How the stream is, for people."""
        if not self._late.is_open:
            return f"not open, and takes nothing yet: {self._late.why}"
        return self.stream.meters.words

    @property
    def loki_words(self) -> str | None:
        """How the reading of lines goes, for people; None where none are read."""
        return None if self.line_pulling is None else self.line_pulling.words

    def put(
        self, tenant: str, columns: Columns, names: SeriesNames, *, read_to: int | None = None
    ) -> bool:
        """As the stream does."""
        return self.stream.put(tenant, columns, names, read_to=read_to)

    def known(self, tenant: str) -> SeriesNames | None:
        """As the stream does."""
        return self.stream.known(tenant)

    @property
    def logs(self) -> OpenLogs:
        """What takes lines and spans; `StoreError` until it is open, or where none are wanted."""
        found = self._late.get().logs
        if found is None:
            raise StoreError("logs and traces are not taken: set logs.enabled")
        return found

    @property
    def takes_lines(self) -> bool:
        """Whether it takes lines and spans now."""
        return self._late.is_open and self._late.get().logs is not None

    @property
    def awaited(self) -> str:
        """Why counters that are there cannot be read yet, where waiting alone may help."""
        return self._late.awaited if self._has_past else ""

    @property
    def ailing(self) -> str:
        """Why counters of logs and traces may be missing; empty where they are all there."""
        if not self._late.is_open:
            return f"the stream is not open: {self._late.why}"
        meters = self.stream.meters
        if meters.failed or meters.retrying:
            return f"the stream {meters.words}"
        lag = self.stream.lag_s
        return f"the stream is {lag:.0f} s behind" if lag > _LATE_S else ""

    def read_to(self, tenant: str) -> int | None:
        """As the stream does."""
        return self.stream.read_to(tenant)

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is open; whether it is."""
        return self._late.wait(timeout_s)

    def forget(self, now: float) -> int:
        """Delete what is old, a bounded part at a time; how many anomalies. `StoreError`."""
        opened = self._late.get()
        gone = opened.retention.forget(now, most=_MOST_OLD)
        if opened.logs is not None:
            opened.logs.forget(now)
        if opened.workers is not None:
            gone += opened.workers.retention.forget(now, most=_MOST_OLD)
        return gone

    def close(self) -> None:
        """Judge what was taken, write a checkpoint, and stop."""
        for end in self.beside:
            end()
        for pulling in (self.pulling, self.line_pulling):
            if pulling is not None:
                pulling.close()
        self._late.close()

    def show(self, registry: CollectorRegistry) -> None:
        """Put what the stream says of itself into `/metrics`."""
        meters = [
            kind(name, words, partial(self._shown, value)) for kind, name, words, value in _SHOWN
        ]
        words = "1 once it takes samples, 0 while it cannot be opened."
        meters.append(Level("is_open", words, lambda: float(self._late.is_open)))
        registry.register(Meters("stream", tuple(meters)))
        registry.register(StreamSeries(lambda: self.stream.counts() if self._late.is_open else {}))

    def _shown(self, value: Callable[[Stream], float]) -> float:
        return float(value(self.stream)) if self._late.is_open else 0.0


_SHOWN: tuple[tuple[type[Count | Level], str, str, Callable[[Stream], float]], ...] = (
    (Level, "waiting_samples", "Samples taken and not judged yet.", lambda s: s.waiting),
    (Level, "lag_seconds", "How long the oldest of them waits.", lambda s: s.lag_s),
    (Count, "samples", "Samples judged since the start.", lambda s: s.meters.samples),
    (Count, "put_off_samples", "Samples refused for want of room.", lambda s: s.meters.refused),
    (Count, "anomalies", "Anomalies opened since the start.", lambda s: s.meters.anomalies),
    (Level, "modelled_services", "Services judged by models, too.", lambda s: len(s.models())),
    (Level, "newest_seconds", "Time of the newest sample.", lambda s: s.meters.newest_ms / 1000),
    (Count, "checkpoints", "Checkpoints written.", lambda s: s.meters.checkpoints),
    (Level, "checkpoint_took_seconds", "The last one's duration.", lambda s: s.meters.checkpoint_s),
    (Level, "checkpoint_at_seconds", "When it was written.", lambda s: s.meters.checkpoint_at),
    (Count, "retries", "Writes that failed and were tried again.", lambda s: s.meters.retries),
    (Level, "is_retrying", "1 while its database is away.", lambda s: bool(s.meters.retrying)),
    (Level, "is_stopped", "1 where an error stopped it.", lambda s: bool(s.meters.failed)),
)


def open_streaming(
    settings: Settings, *, pace: Pace | None = None, before: Callable[[], object] = lambda: None
) -> Streaming:
    """The stream of the data directory; what the last process left is replayed first.

    `pace` is how fast time goes for lines and spans; `before` is done before it opens.

    It has a database of its own, so that its large checkpoints hold up no verdict.
    """
    hint = (
        f"Verdicts need no stream. If a file is damaged, put back a copy of {DATABASE} and spool,"
        f" or move {DATABASE}* and spool away from {settings.data}: what was learned begins anew"
        " then, without a restart"
    )

    def opening() -> OpenStream:
        before()
        return _opened(settings, pace)

    return Streaming(opening, hint=hint, has_past=_has_past(settings))


def _has_past(settings: Settings) -> bool:
    """Whether lines may have been counted before; who shares a database cannot know."""
    is_kept = settings.store is not None or (settings.data / DATABASE).exists()
    return settings.logs.enabled and is_kept


def _opened(settings: Settings, pace: Pace | None) -> OpenStream:
    from api.fitted_models import fitted_store
    from detector.logs.settings import LogSettings
    from detector.stream.counting import Counting
    from detector.stream.settings import StreamSettings
    from detector.stream.subject import Owners
    from pipelines.flows.followers import Followers
    from pipelines.flows.logs_pace import LIFE
    from pipelines.flows.stream import Stream
    from pipelines.flows.stream_models import ModelWatch
    from pipelines.flows.stream_part import StreamPart
    from pipelines.packs import load_packs
    from pipelines.stores.anomalies import SqlAnomalies
    from pipelines.stores.events import SqlEvents
    from pipelines.stores.retention import Retention
    from pipelines.stores.spool import Spool
    from pipelines.stores.sqlite import Database

    own, packs, pace = settings.stream, load_packs(settings.packs), pace or LIFE
    owners = Owners(packs)
    counting = Counting(packs, owners)
    workers = _workers(settings, counting)
    database = Database(settings.data / DATABASE)
    try:
        part = StreamPart(
            database,
            _PART,
            owners=owners,
            counting=counting,
            settings=StreamSettings(
                alarms_a_week=own.alarms_a_week,
                calendar=own.calendar(),
                forget_s=own.forget_s,
            ),
            logs=LogSettings(alarms_a_week=own.alarms_a_week),
            windows=[window.native() for window in own.windows],
            pace=pace,
        )
        spool = Spool(settings.data / "spool", durable=own.survive_power_cuts)
        stream = Stream(part, spool, room=own.room, checkpoint_s=own.checkpoint_s)
    except BaseException:
        database.close()
        if workers is not None:
            workers.close()
        raise

    logs = _logs(settings, stream, database, pace)
    if logs is not None and workers is not None:
        logs = workers.beside(logs)

    followers = Followers(SqlEvents(database))
    stream.watch = followers.add
    models = ModelWatch(lambda: fitted_store(settings, make=False), stream.use, stream.models())

    def close() -> None:
        models.close()
        if logs is not None:
            logs.close()
        if workers is not None:
            workers.close()
        stream.close()
        database.close()

    return OpenStream(
        stream=stream,
        database=database,
        anomalies=SqlAnomalies(database),
        followers=followers,
        retention=Retention(database, keep_s=86_400 * own.keep_days),
        close=close,
        workers=workers,
        logs=logs,
    )


def _logs(settings: Settings, stream: Stream, database: Connections, pace: Pace) -> OpenLogs | None:
    if not settings.logs.enabled:
        return None
    from pipelines.flows.logs_open import open_logs

    return open_logs(stream, database, _PART, settings.logs.native(), pace=pace)


def _workers(settings: Settings, counting: Counting) -> WorkerView | None:
    """Workers keep what they find in the same PostgreSQL, where there is one."""
    if settings.store is None:
        return None
    from api.worker_view import WorkerView

    keep_s = 86_400 * settings.stream.keep_days
    return WorkerView(settings.store.get_secret_value(), keep_s=keep_s, counting=counting)
