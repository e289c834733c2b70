"""Bytes that a real OpenTelemetry collector sent: one service's logs by each of its encodings.

The OpenTelemetry SDK of Python brought them there; `tests/collector` recorded what the collector
made of them.
"""

from __future__ import annotations

import pytest

from detector.logs.lines import Level, Origin
from pipelines.ingest.protocol import LogDoor, Packing
from tests.pipelines.ingest.logs.logways import GOLDEN, Logway

SENT = {
    "otlp.gz": (LogDoor.OTLP, Packing.GZIP),
    "otlp.zst": (LogDoor.OTLP, Packing.ZSTD),
    "json.gz": (LogDoor.OTLP_JSON, Packing.GZIP),
}
STACK = """cannot check out
Traceback (most recent call last):
  File "shop/cart.py", line 6, in check_out
KeyError: 'cart'
"""


@pytest.mark.parametrize("ending", SENT)
def test_what_the_collector_really_sent_is_read(ending: str) -> None:
    """Levels, origin, and the stack of what was thrown, whichever encoding brings them."""
    way = Logway(behind_s=10**9, ahead_s=10**9)
    door, packing = SENT[ending]
    body = (GOLDEN / f"opentelemetry-collector.logs.{ending}").read_bytes()
    taken = way.take(body, door, packing)
    assert not taken.refused.total
    assert not taken.dropped
    assert way.sink.messages() == ["order 7 placed", "slow: 2.5 s", STACK]
    assert [line.level for line in way.lines] == [Level.INFO, Level.WARN, Level.ERROR]
    assert {line.origin for line in way.lines} == {
        Origin(service="checkout", version="1.4.2", pod="checkout-1", namespace="shop")
    }
