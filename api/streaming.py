"""The embedded stream of `serinus serve`: opened with its settings, and shown in `/metrics`."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge

if TYPE_CHECKING:
    from api.settings import Settings
    from detector.stream.anomaly import Happened
    from detector.stream.ports import AnomalyStore
    from pipelines.flows.stream import Stream

__all__ = ["Followers", "Streaming", "open_streaming"]

DATABASE = "stream.db"
_KEPT = 1000


class Followers:
    """Events for those who follow them; the newest are kept for who comes back. Safe for threads.

    Numbers begin anew with the process.
    """

    def __init__(self) -> None:
        self._events: deque[tuple[int, Happened]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self.newest = 0

    def add(self, happened: Happened) -> None:
        """One more event."""
        with self._lock:
            self.newest += 1
            self._events.append((self.newest, happened))

    def after(self, number: int) -> list[tuple[int, Happened]]:
        """Those above a number that are still kept."""
        with self._lock:
            return [event for event in self._events if event[0] > number]


class Streaming:
    """The stream of one process, its anomalies and those who follow them."""

    def __init__(self, stream: Stream, anomalies: AnomalyStore) -> None:
        self.stream, self.anomalies = stream, anomalies
        self.followers = Followers()
        stream.watch = self.followers.add

    @property
    def words(self) -> str:
        """How the stream is, for people."""
        return self.stream.meters.words

    def show(self, registry: CollectorRegistry) -> None:
        """Put what the stream says of itself into `/metrics`."""
        stream, meters = self.stream, self.stream.meters
        for name, words, value in (
            ("waiting_samples", "Samples taken and not judged yet.", lambda: stream.waiting),
            ("lag_seconds", "How long the oldest of them waits.", lambda: stream.lag_s),
            ("samples", "Samples judged since the start.", lambda: meters.samples),
            ("put_off_samples", "Samples refused for want of room.", lambda: meters.refused),
            ("anomalies", "Anomalies opened since the start.", lambda: meters.anomalies),
            ("newest_seconds", "Time of the newest sample.", lambda: meters.newest_ms / 1000),
            ("checkpoints", "Checkpoints written.", lambda: meters.checkpoints),
            ("checkpoint_took_seconds", "The last one's duration.", lambda: meters.checkpoint_s),
            ("checkpoint_at_seconds", "When it was written.", lambda: meters.checkpoint_at),
            ("retries", "Writes that failed and were tried again.", lambda: meters.retries),
            ("is_retrying", "1 while its database is away.", lambda: float(bool(meters.retrying))),
            ("is_stopped", "1 where an error stopped it.", lambda: float(bool(meters.failed))),
        ):
            Gauge(f"serinus_stream_{name}", words, registry=registry).set_function(value)


def open_streaming(settings: Settings) -> Streaming:
    """The stream of the data directory; what the last process left is replayed first.

    It has a database of its own, so that its large checkpoints hold up no verdict.
    """
    from detector.stream.settings import StreamSettings
    from detector.stream.subject import Owners
    from pipelines.flows.stream import Stream
    from pipelines.flows.stream_part import StreamPart
    from pipelines.packs import load_packs
    from pipelines.stores.anomalies import SqlAnomalies
    from pipelines.stores.spool import Spool
    from pipelines.stores.sqlite import Database

    own = settings.stream
    database = Database(settings.data / DATABASE)
    part = StreamPart(
        database,
        "local",
        owners=Owners(load_packs(settings.packs)),
        settings=StreamSettings(alarms_a_week=own.alarms_a_week),
        windows=[window.native() for window in own.windows],
    )
    spool = Spool(settings.data / "spool", durable=own.survive_power_cuts)
    stream = Stream(part, spool, room=own.room, checkpoint_s=own.checkpoint_s)
    return Streaming(stream, SqlAnomalies(database))
