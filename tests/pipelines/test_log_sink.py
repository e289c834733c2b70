"""The sink of lines that tests of doors put into."""

from __future__ import annotations

import numpy as np
import pytest

from detector.errors import StoreError
from detector.logs.lines import Level, LogLines, Origin
from detector.logs.ports import LogSink
from pipelines.testing.log_sink import Line, MemoryLogSink

SHOP = Origin(service="shop", pod="shop-1")


def two_lines() -> LogLines:
    trace = np.zeros((2, 16), dtype=np.uint8)
    trace[1] = range(16)
    return LogLines(
        at=np.array([1_000, 2_000]),
        level=np.array([Level.INFO, Level.ERROR], dtype=np.uint8),
        origin=np.zeros(2, dtype=np.int32),
        trace=trace,
        text=np.frombuffer(b"startedboom", dtype=np.uint8),
        ends=np.array([7, 11]),
        origins=(SHOP,),
    )


def test_what_was_put_is_told_line_by_line() -> None:
    """A fake that mixed up the columns would let a door pass that does."""
    sink = MemoryLogSink()
    port: LogSink = sink
    assert port.put("team-a", two_lines())
    assert sink.lines("team-a") == [
        Line(at=1_000, level=Level.INFO, origin=SHOP, message=b"started"),
        Line(
            at=2_000, level=Level.ERROR, origin=SHOP, message=b"boom", trace=bytes(range(16)).hex()
        ),
    ]
    assert sink.messages("team-a") == ["started", "boom"]
    assert sink.messages() == []


def test_a_full_sink_takes_nothing_and_counts_it() -> None:
    """A door that forgets a refused batch would seem right with a fake that keeps it."""
    sink = MemoryLogSink()
    sink.is_full = True
    assert not sink.put("default", two_lines())
    assert (sink.refusals, sink.lines()) == (1, [])


def test_a_broken_sink_fails_by_the_error_of_stores() -> None:
    """Doors answer a full disk otherwise than a full queue."""
    sink = MemoryLogSink()
    sink.is_down = True
    with pytest.raises(StoreError):
        sink.put("default", two_lines())
