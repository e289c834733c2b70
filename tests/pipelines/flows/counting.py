"""Partitions of logs and traces, and workers on them without threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.logs.settings import LogSettings
from detector.series import Query
from pipelines.flows.logs_open import LogBounds
from pipelines.flows.logs_part import LogsPart
from pipelines.flows.stream_operators import Operators
from pipelines.flows.worker_counted import CountedJudge
from pipelines.flows.worker_feeds import Feed, LinesFeed, SpansFeed
from pipelines.flows.worker_part import WorkerPart
from pipelines.flows.worker_share import Share, ShareSettings
from pipelines.ingest.limits import Limits
from pipelines.ingest.logs.opened import decoder_of
from pipelines.ingest.protocol import LogFormat, log_form_of
from pipelines.ingest.spans.decoded import SpanDoor
from pipelines.ingest.tally import Tally
from pipelines.sources.own import OwnSource
from pipelines.stores import schema
from pipelines.stores.connections import Connections
from pipelines.stores.own import SqlOwn
from pipelines.stores.worker_parts import WorkerPartStore
from pipelines.topics.port import Headers, Message, Partition
from tests.pipelines.flows.working import OWNERS, SETTINGS, Log, kept

__all__ = [
    "ERROR",
    "INFO",
    "LOGS",
    "SPANS",
    "STEP",
    "counted_part",
    "everything",
    "lines_feed",
    "logs_of",
    "message_of",
    "readings",
    "share_of_logs",
    "spans_feed",
    "spans_of",
]

LOGS, SPANS = "otlp_logs", "otlp_spans"
STEP = 15_000
Said = tuple[int, str]
INFO, ERROR = 9, 17
# What is usual is known after a quarter of an hour.
SOON = LogSettings(
    learn_s=600.0, alarms_a_week=100.0, silences_a_week=5.0,
    listen_s=120.0, gather_s=60.0, gather_most_s=180.0, deploy_s=60.0,
)  # fmt: skip


def message_of(
    body: bytes | None,
    offset: int,
    at: int,
    *,
    topic: str = LOGS,
    number: int = 0,
    tenant: str = "",
) -> Message:
    """A message of a partition."""
    headers: Headers = (("X-Scope-OrgID", tenant.encode()),) if tenant else ()
    return Message(
        partition=Partition(topic, number),
        offset=offset,
        at=at,
        key=None,
        value=body,
        headers=headers,
    )


def logs_of(said: Sequence[Said], at: int, service: str = "checkout", pod: str = "a") -> bytes:
    """An export request with lines of a pod, as the collector's Kafka exporter writes it."""
    request = ExportLogsServiceRequest()
    logs = request.resource_logs.add()
    told = {"service.name": service, "k8s.pod.name": f"{service}-{pod}", "service.version": "v1"}
    for name, value in told.items():
        logs.resource.attributes.add(key=name).value.string_value = value
    records = logs.scope_logs.add().log_records
    for severity, text in said:
        record = records.add(time_unix_nano=at * 1_000_000, severity_number=severity)
        record.body.string_value = text
    return bytes(request.SerializeToString())


def spans_of(traces: Sequence[int], at: int) -> bytes:
    """Requests to `checkout`, each of which calls `cart`; every fifth fails there."""
    request = ExportTraceServiceRequest()
    for service in ("checkout", "cart"):
        spans = request.resource_spans.add()
        spans.resource.attributes.add(key="service.name").value.string_value = service
        held = spans.scope_spans.add().spans
        for trace in traces:
            is_cart, id = service == "cart", trace.to_bytes(16, "big")
            own = ((2, b"\0" + id[9:], 3, "GET /cart"),) if is_cart else (
                (2, b"", 1, "POST /pay"),
                (3, b"\x01" + id[9:], 2, "GET /cart"),
            )  # fmt: skip
            for kind, parent, place, name in own:
                span = held.add(trace_id=id, name=name, kind=kind)
                span.span_id = bytes([place - 1 if not is_cart else 7]) + id[9:]
                span.parent_span_id = b"\x01" + id[9:] if is_cart else parent and b"\0" + id[9:]
                span.start_time_unix_nano = at * 1_000_000
                span.end_time_unix_nano = at * 1_000_000 + 20_000_000
                if trace % 5 == 0:
                    span.status.code = 2
    return bytes(request.SerializeToString())


def lines_feed(
    written: LogFormat = LogFormat.OTLP_PROTO,
    *,
    mapping: str = "auto",
    limits: Limits | None = None,
) -> LinesFeed:
    """A topic of logs."""
    door, packing = log_form_of(written)
    return LinesFeed(
        lambda: decoder_of(door, mapping=mapping),
        packing,
        door=door.value,
        limits=limits or Limits(),
        tally=Tally(),
        bounds=LogBounds(),
    )


def spans_feed() -> SpansFeed:
    """A topic of traces."""
    return SpansFeed(SpanDoor.OTLP, limits=Limits(), tally=Tally())


def counted_part(
    database: Connections,
    partition: Partition,
    worker: str = "w1",
    feed: Feed | None = None,
    bounds: LogBounds | None = None,
) -> WorkerPart:
    """One partition of logs or traces of a worker."""
    name = f"{partition.topic}/{partition.number}"
    store = WorkerPartStore(database, name, worker, clock=lambda: 1.0)
    made = feed or (spans_feed() if partition.topic == SPANS else lines_feed())
    judge = CountedJudge(
        made,
        Operators(owners=OWNERS, settings=SETTINGS, origin=name),
        LogsPart(database, name, store.hold, settings=SOON, origin=name),
        database,
        name,
        bounds or LogBounds(),
    )
    return WorkerPart(store, judge)


def share_of_logs(database: Connections, log: Log, worker: str = "w1") -> Share:
    """The share of a worker."""
    return Share(
        open_part=lambda partition: counted_part(database, partition, worker),
        spans=log.spans,
        deliver=log.deliver,
        flush=lambda: None,
        settings=ShareSettings(letters_again_s=0.0),
    )


def readings(database: Connections, start_ms: int, end_ms: int) -> Mapping[str, Any]:
    """What is read of our own counters, by tenant and labels: times and values.

    Frames may be written otherwise after a restart, with the same in them.
    """
    found: dict[str, Any] = {}
    for tenant in ("default", "other"):
        source = OwnSource(lambda: SqlOwn(database), tenant=tenant)
        queries = [Query(metric) for metric in sorted(source.metrics())]
        for answer in source.read(queries, start_ms / 1000, end_ms / 1000):
            for one in answer.series:
                found[f"{tenant} {sorted(one.labels.items())}"] = (
                    one.times.tolist(),
                    one.values.tolist(),
                )
    return found


def everything(database: Connections, but: Collection[str] = ()) -> Mapping[str, Any]:
    """All that is kept but for frames: state, anomalies, events, counters and templates."""
    found = {name: one for name, one in kept(database).items() if name not in but}
    with database.built() as connection:
        for table in (
            schema.own_series,
            schema.log_templates,
            schema.log_days,
            schema.own_marks,
        ):
            rows = connection.execute(sa.select(table))
            found[table.name] = sorted(tuple(row) for row in rows)
    return found
