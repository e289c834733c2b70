"""How many log records a second one core takes through the doors, from a body to columns.

    python bench/logs/otlp.py [--quick] [--json FILE]

Bodies are batches as a collector sends them: 8,000 records of twenty pods, most with three
attributes and a trace, of a hundred kinds of messages with new parameters in each; one in a hundred
brings a stack trace as an attribute, one in two hundred the colours of a terminal, one in a hundred
an object instead of a text. The same lines come by pushes of Loki with the header that a program
writes. Times are the thread's own CPU seconds, from the unpacked body (or from the packed one, as
the name says) to what the sink is given; of several rounds the median counts. The peer decodes with
the library of protobuf and makes one object a line of it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import thread_time
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import cramjam  # noqa: E402
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: E402
    ExportLogsServiceRequest,
)

from bench.ending import concluded  # noqa: E402
from detector.logs.lines import LogLines, Origin  # noqa: E402
from pipelines.ingest.limits import Limits  # noqa: E402
from pipelines.ingest.log_doors import LogDoors  # noqa: E402
from pipelines.ingest.logs.loki_json import Entry, Stream, packed_streams  # noqa: E402
from pipelines.ingest.protocol import LogDoor, Packing  # noqa: E402
from pipelines.ingest.records.building import Written, lines_of  # noqa: E402
from pipelines.ingest.records.levels import Scale, level_of  # noqa: E402

__all__ = ["ASKED", "otlp_figures"]

ASKED = {"otlp_records_core_s": (">=", 100_000.0)}
AT_NS = 1_764_000_000_000_000_000
PODS, RECORDS = 20, 400
SEED = 20_251_124
_VERBS = ["placed", "refused", "sent", "stored", "expired", "opened", "closed", "retried"]
_THINGS = ["order", "payment", "cart", "session", "shipment", "invoice", "connection", "lease"]
_ENDS = [
    "for customer {n} after {ms:.2f} ms",
    "at 10.{a}.{b}.7:{n} by node-{a}",
    "id={hex:032x} attempt={a} of 5",
    "in /var/lib/shop/{a}/{b}.dat, {n} bytes",
]
_STACK = "java.lang.IllegalStateException: no lease\n" + "\n".join(
    f"\tat com.shop.orders.Lease{n}.take(Lease{n}.java:{40 + n})" for n in range(20)
)


class Counting:
    """A sink that takes all and keeps nothing."""

    def __init__(self) -> None:
        self.lines = 0

    def put(self, tenant: str, lines: LogLines) -> bool:
        """There is always room."""
        self.lines += len(lines)
        return True


def text_of(draw: random.Random) -> str:
    """A message with new parameters."""
    end = draw.choice(_ENDS).format(
        n=draw.randrange(10**6),
        ms=draw.random() * 900,
        a=draw.randrange(250),
        b=draw.randrange(250),
        hex=draw.getrandbits(128),
    )
    return f"{draw.choice(_THINGS)} {draw.choice(_VERBS)} {end}"


def otlp_body(seed: int = SEED) -> bytes:
    """A batch."""
    draw, request = random.Random(seed), ExportLogsServiceRequest()
    for pod in range(PODS):
        resource = request.resource_logs.add()
        _attributes(
            resource.resource,
            {
                "service.name": f"service-{pod % 5}",
                "service.version": "1.4.2",
                "k8s.namespace.name": "shop",
                "k8s.cluster.name": "eu-1",
                "k8s.pod.name": f"service-{pod % 5}-5c4b8d6f7c-{pod:05d}",
                "host.name": f"ip-10-0-0-{pod}.compute.internal",
                "telemetry.sdk.language": "python",
                "telemetry.sdk.version": "1.45.2",
            },
        )
        scope = resource.scope_logs.add()
        scope.scope.name = "opentelemetry.sdk._logs._internal"
        for nth in range(RECORDS):
            _record(scope, nth, draw)
    body: bytes = request.SerializeToString()
    return body


def _record(scope: Any, nth: int, draw: random.Random) -> None:  # noqa: ANN401
    is_error = draw.random() < 0.05
    record = scope.log_records.add(
        time_unix_nano=AT_NS + nth * 1_000_003,
        observed_time_unix_nano=AT_NS + nth * 1_000_003 + 700,
        severity_number=17 if is_error else 9,
        severity_text="ERROR" if is_error else "INFO",
        trace_id=draw.randbytes(16),
        span_id=draw.randbytes(8),
        flags=1,
    )
    text, kind = text_of(draw), draw.random()
    if kind < 0.01:
        pairs = record.body.kvlist_value.values
        pairs.add(key="message").value.string_value = text
        pairs.add(key="elapsed").value.double_value = draw.random()
    else:
        record.body.string_value = f"\x1b[31m{text}\x1b[0m" if kind < 0.015 else text
    told = {"code.file.path": "/app/shop/orders.py", "code.function.name": "place"}
    _attributes(record, told | ({"exception.stacktrace": _STACK} if kind > 0.99 else {}))
    record.attributes.add(key="code.line.number").value.int_value = draw.randrange(400)


def _attributes(owner: Any, values: Mapping[str, str]) -> None:  # noqa: ANN401
    for key, value in values.items():
        owner.attributes.add(key=key).value.string_value = value


def loki_body(seed: int = SEED) -> bytes:
    """Whole lines of programs, as Promtail reads them."""
    draw = random.Random(seed)
    return packed_streams(
        Stream(
            stream={"app": f"service-{pod % 5}", "namespace": "shop", "pod": f"pod-{pod}"},
            values=[
                Entry(
                    at=str(AT_NS + nth * 1_000_003),
                    line=f"2025-11-24T16:00:00.{nth:03d}Z INFO [main] {text_of(draw)}",
                )
                for nth in range(RECORDS)
            ],
        )
        for pod in range(PODS)
    )


def bodies(body: bytes, count: int) -> list[bytes]:
    """A message again and again, each with a field that no reader knows: one that comes again to
    the byte is not read again.
    """
    return [body + b"\x80\x7d" + bytes((nth,)) for nth in range(count)]


def rate(take: Callable[[bytes], object], every: Sequence[bytes]) -> float:
    """Records a second of CPU, by the median of all messages but the first."""
    seconds = []
    for body in every:
        began = thread_time()
        take(body)
        seconds.append(thread_time() - began)
    return PODS * RECORDS / statistics.median(seconds[1:])


def library_loop(body: bytes) -> LogLines:
    """What one writes without a walk of one's own: the library's objects, line by line."""
    written = []
    for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
        told = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        origin = Origin(service=told["service.name"], pod=told["k8s.pod.name"])
        for scope in resource.scope_logs:
            written += [
                Written(
                    at=record.time_unix_nano // 10**6,
                    level=level_of(record.severity_number, Scale.OTEL),
                    origin=origin,
                    text=record.body.string_value.encode(),
                    trace=record.trace_id,
                )
                for record in scope.log_records
            ]
    return lines_of(written)


def otlp_figures(*, rounds: int = 25) -> dict[str, float]:
    """`otlp_records_core_s`, and what the other doors take."""
    doors = LogDoors(Counting(), Limits(), clock=lambda: AT_NS / 10**9)
    sent, pushed = bodies(otlp_body(), rounds), bodies(loki_body(), rounds // 2 + 2)

    def taking(door: LogDoor, packing: Packing) -> Callable[[bytes], object]:
        return lambda body: doors.take(door, "bench", body, packing)

    figures = {
        "otlp_records_core_s": rate(taking(LogDoor.OTLP, Packing.PLAIN), sent),
        "otlp_gzip_records_core_s": rate(
            taking(LogDoor.OTLP, Packing.GZIP), [gzip.compress(body) for body in sent]
        ),
        "loki_lines_core_s": rate(
            taking(LogDoor.LOKI, Packing.SNAPPY),
            [bytes(cramjam.snappy.compress_raw(body)) for body in pushed],
        ),
    }
    assert not doors.tally.dropped["bench", "otlp", "repeated"]
    return figures


def peer_figures(*, rounds: int = 6) -> dict[str, float]:
    """The library of protobuf, in a plain loop."""
    return {"otlp_records_core_s": rate(library_loop, [otlp_body()] * rounds)}


def main() -> int:
    """Measure, tell, and say what was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rounds = 7 if asked.quick else 41
    figures, peer = otlp_figures(rounds=rounds), peer_figures()
    print(json.dumps({"figures": figures, "library loop": peer}, indent=1))
    size = len(otlp_body())
    setup = {"records": PODS * RECORDS, "bytes": size, "rounds": rounds}
    return concluded(figures, {"protobuf library, plain loop": peer}, ASKED, setup, asked.json)


if __name__ == "__main__":
    sys.exit(main())
