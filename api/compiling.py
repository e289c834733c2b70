"""Loops that are compiled before anybody pushes: one message of each kind, through a stream.

Compiled in the request that needs them first they keep it waiting for longer than senders wait,
and the SDKs of OpenTelemetry drop what they sent then. `serinus serve` has this done by a process
beside it: what is compiled is kept on disk, and the compiler's memory goes with that process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.settings import Settings
    from api.streaming import Streaming

__all__ = ["KINDS", "compile_all", "compiling", "is_compiled", "messages_of", "note_compiled"]

# Of messages, each of which needs loops of its own.
KINDS = ("metrics", "logs", "spans")

_ROOT = Path(__file__).parents[1]
# Where loops are.
_ROOMS = ("models", "detector", "pipelines")
_LONGEST_S = 300
_NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")


@contextmanager
def compiling(settings: Settings) -> Iterator[None]:
    """Compile beside this process what is not compiled yet, where something is taken."""
    if not settings.stream.enabled or is_compiled():
        yield
        return
    folder = settings.data / "compiling"
    beside = _begun(folder)
    try:
        yield
    finally:
        beside.kill()
        beside.wait()
        rmtree(folder, ignore_errors=True)


def is_compiled() -> bool:
    """Whether all is compiled."""
    return _mark().exists()


def _begun(folder: Path) -> subprocess.Popen[bytes]:
    """This module as a process, with data of its own and no settings but the defaults."""
    rmtree(folder, ignore_errors=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith("SERINUS_")}
    command = [sys.executable, *(["-P"] if sys.flags.safe_path else []), "-m", __name__]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603 - ourselves
        [*command, str(folder)], env=own, stdin=quiet, stdout=quiet, stderr=quiet
    )


def _mark() -> Path:
    """A file that is there once all is compiled, of the code as it is by the compiler as it is."""
    files = sorted(path for room in _ROOMS for path in (_ROOT / room).rglob("*.py"))
    told = [f"{path} {path.stat().st_mtime_ns}" for path in files]
    name = sha256("\n".join([*told, version("numba"), sys.version]).encode()).hexdigest()[:16]
    place = os.environ.get("NUMBA_CACHE_DIR") or _ROOT / "models" / "__pycache__"
    return Path(place) / f"compiled-{name}"


def compile_all(folder: Path, kinds: Sequence[str] = KINDS) -> None:
    """Compile whatever a message needs on its way, or load what was compiled before.

    `folder` is for what comes of the messages, and is made. Where not all `kinds` of messages are
    asked for, somebody else notes when all are done.
    """
    from api.settings import Settings
    from api.streaming import open_streaming

    streaming = open_streaming(Settings(data=folder))
    try:
        if streaming.wait(_LONGEST_S):
            _push(streaming, kinds)
            streaming.stream.drain(_LONGEST_S)
    finally:
        streaming.close()
    if set(kinds) == set(KINDS):
        note_compiled()


def note_compiled() -> None:
    """Note that all is compiled, for who asks next."""
    # Where nothing can be written nothing is kept either.
    with suppress(OSError):
        _mark().parent.mkdir(parents=True, exist_ok=True)
        _mark().touch()


def _push(streaming: Streaming, kinds: Sequence[str]) -> None:
    from api.lines import LinesSink, SpansSink
    from pipelines.ingest.doors import Doors
    from pipelines.ingest.log_doors import LogDoors
    from pipelines.ingest.protocol import Door, LogDoor, Packing
    from pipelines.ingest.spans.decoded import SpanDoor
    from pipelines.ingest.spans.doors import SpanDoors

    metrics, logs, spans = messages_of(time.time_ns())
    if "metrics" in kinds:
        Doors(streaming).take(Door.OTLP, "default", metrics, Packing.PLAIN)
    if "logs" in kinds:
        LogDoors(LinesSink(streaming)).take(LogDoor.OTLP, "default", logs, Packing.PLAIN)
    if "spans" in kinds:
        SpanDoors(SpansSink(streaming)).take(SpanDoor.OTLP, "default", spans, Packing.PLAIN)


def messages_of(now: int) -> tuple[bytes, bytes, bytes]:
    """A sample, some lines that differ in one word, and both sides of a call, at unix `now` ns."""
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    metrics, logs, traces = MetricsData(), LogsData(), TracesData()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="queue_length")
    metric.gauge.data_points.add(time_unix_nano=now, as_double=1.0)
    lines = logs.resource_logs.add().scope_logs.add()
    for name in _NAMES:
        line = lines.log_records.add(time_unix_nano=now, severity_number=9)
        line.body.string_value = f"session of user {name} opened from host {name}"
    for kind, span, parent in ((3, b"\1" * 8, b""), (2, b"\2" * 8, b"\1" * 8)):
        side = traces.resource_spans.add()
        side.resource.attributes.add(key="service.name").value.string_value = str(kind)
        side.scope_spans.add().spans.add(
            trace_id=b"\3" * 16,
            span_id=span,
            parent_span_id=parent,
            name="GET /",
            kind=kind,
            start_time_unix_nano=now - 1_000_000,
            end_time_unix_nano=now,
        )
    return metrics.SerializeToString(), logs.SerializeToString(), traces.SerializeToString()


if __name__ == "__main__":
    os.nice(10)
    signal.alarm(_LONGEST_S)
    compile_all(Path(sys.argv[1]), sys.argv[2:] or KINDS)
