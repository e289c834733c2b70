"""Real senders at the door for traces: processes that trace themselves by the SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.app import create_app
from api.settings import Settings
from api.tracing import take_spans
from detector.spans.graph import graph
from detector.spans.operator import step
from detector.spans.state import SpanState, opened
from pipelines.testing.span_sink import MemorySpanSink
from tests.api.cli.served import serving
from tests.api.doors import quiet_logs
from tests.pipelines.flows.scripted import World

pytestmark = pytest.mark.real

PROCESS = Path(__file__).parent / "traced_process.py"
EDGES = {
    ("", "web"): (1, 0),
    ("web", "checkout"): (1, 0),
    ("checkout", "postgresql:shop"): (1, 1),
    ("checkout", "kafka:orders"): (1, 0),
    ("kafka:orders", "mail"): (1, 0),
}
OPERATIONS = {
    "POST /web/{id}",
    "POST",
    "POST /checkout/{id}",
    "SELECT orders",
    "send orders",
    "process orders",
}


@contextmanager
def receiving_traces() -> Iterator[tuple[str, MemorySpanSink]]:
    """The app on a port, and where traces go that are pushed to it."""
    quiet_logs()
    sink = MemorySpanSink()
    app = create_app(World().gate, Settings())
    take_spans(app, sink)
    with serving(app) as url:
        yield url, sink


def trace_a_shop(url: str) -> None:
    """Three processes, one trace; each sends its own spans when it ends."""
    own = {name: value for name, value in os.environ.items() if name != "TRACEPARENT"}
    subprocess.run([sys.executable, str(PROCESS), url, "web"], check=True, timeout=90, env=own)


def counted(sink: MemorySpanSink) -> SpanState:
    """What the operator makes of it."""
    state = opened()
    for spans in sink.batches["default"]:
        state, _ = step(state, spans)
    return state


def edges(state: SpanState) -> dict[tuple[str, str], tuple[int, int]]:
    """Calls and failures by the names of both ends."""
    return {(e.caller.name, e.callee.name): (e.calls, e.failed) for e in graph(state).edges}


def test_processes_that_trace_themselves_make_a_graph() -> None:
    """Their sides of calls meet, though each process sends by itself, the last to begin first."""
    with receiving_traces() as (url, sink):
        trace_a_shop(url)
    state = counted(sink)
    assert edges(state) == EDGES
    assert len(sink.batches["default"]) == 3
    assert {one.name for one in state.names.listed()[2]} == OPERATIONS
    assert {(one.pod, one.version) for one in state.names.listed()[0]} == {
        ("web-1", "2.3.1"), ("checkout-1", "2.3.1"), ("mail-1", "2.3.1")
    }  # fmt: skip
