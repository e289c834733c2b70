"""What a worker shows over HTTP: `/metrics`, `/healthz` and `/readyz`, and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from api.meters import Count, Level, Meters
from pipelines.flows.worker_part import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.working import Working
    from pipelines.flows.worker_meters import WorkerMeters
    from pipelines.topics.port import Partition

__all__ = ["registry_of", "shown"]

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_BY_PARTITION = ("topic", "partition")


@contextmanager
def shown(working: Working, door: socket) -> Iterator[None]:
    """Answer at a door that listens already, meanwhile."""
    registry = registry_of(working)

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        timeout = 10.0
        server_version = "serinus"
        sys_version = ""

        def do_GET(self) -> None:
            """By its path."""
            code, kind, body = _answer(working, registry, self.path.partition("?")[0])
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Who looks is not logged."""

    server = ThreadingHTTPServer(door.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = door
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _answer(working: Working, registry: CollectorRegistry, path: str) -> tuple[int, str, bytes]:
    meters = working.meters
    match path:
        case "/metrics":
            return 200, _TEXT, generate_latest(registry)
        case "/healthz":
            return _told(200 if not meters.failed else 503, meters.words)
        case "/readyz":
            return _told(200 if meters.is_ready else 503, meters.words)
    return _told(404, "there are /metrics, /healthz and /readyz")


def _told(code: int, words: str) -> tuple[int, str, bytes]:
    status = "ok" if code == 200 else "failed"
    body = json.dumps({"status": status, "detail": words}).encode()
    return code, "application/json", body


def registry_of(working: Working) -> CollectorRegistry:
    """All that a worker says of itself in numbers."""
    registry, meters = CollectorRegistry(), working.meters
    shown: tuple[Count | Level, ...] = (
        Count("messages", "Messages judged since the start.", lambda: meters.messages),
        *(_taken(unit, meters) for unit in Unit),
        Count("anomalies", "Anomalies opened since the start.", lambda: meters.anomalies),
        Count("sent_events", "Events sent to the topic of anomalies.", lambda: meters.sent),
        Count("dead_letters", "Messages put aside since the start.", lambda: meters.letters),
        Count("broke_judging", "Messages that broke the judging.", lambda: meters.poison),
        Count("gone_messages", "Messages deleted before they were read.", lambda: meters.gone),
        Level("partitions", "Partitions that are this worker's.", lambda: working.partitions),
        Level("waiting_bytes", "Bytes read and not judged yet.", lambda: working.waiting_bytes),
        Count("pauses", "How often reading paused, for want of room.", lambda: meters.pauses),
        Count("rebalances", "Partitions given or taken away, times.", lambda: meters.rebalances),
        Count("conflicts", "Writes refused, for another took the part.", lambda: meters.conflicts),
        Count("checkpoints", "Checkpoints written.", lambda: meters.checkpoints),
        Level("checkpoint_took_seconds", "The last one's duration.", lambda: meters.checkpoint_s),
        Level("checkpoint_at_seconds", "When it was written.", lambda: meters.checkpoint_at),
        Count("retries", "What failed and was tried again, times.", lambda: meters.retries),
        Level("is_ready", "0 while something is away.", lambda: float(meters.is_ready)),
    )
    registry.register(Meters("worker", shown))
    registry.register(_ByPartition(working))
    return registry


def _taken(unit: Unit, meters: WorkerMeters) -> Count:
    words = f"{unit.value.capitalize()} judged since the start."
    return Count(unit.value, words, lambda: meters.taken[unit])


class _ByPartition:
    """What differs from partition to partition, and from door to door."""

    def __init__(self, working: Working) -> None:
        self._working = working

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """As it is now."""
        meters, tally = self._working.meters, self._working.tally
        yield _family("lag_messages", "Messages in the log, not judged yet.", meters.lag)
        newest = {one: at / 1000 for one, at in dict(meters.newest).items()}
        yield _family("newest_seconds", "Time of the newest sample.", newest)
        stopped = dict.fromkeys(dict(meters.stopped), 1.0)
        yield _family("is_stopped", "1 for a partition that is not read.", stopped)
        refused = CounterMetricFamily(
            "serinus_worker_refused_samples",
            "Samples of messages that were not taken.",
            labels=("tenant", "door", "reason"),
        )
        for labels, count in dict(tally.refused).items():
            refused.add_metric(labels, count)
        yield refused


def _family(name: str, words: str, values: Mapping[Partition, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"serinus_worker_{name}", words, labels=_BY_PARTITION)
    for partition, value in dict(values).items():
        family.add_metric((partition.topic, str(partition.number)), value)
    return family
