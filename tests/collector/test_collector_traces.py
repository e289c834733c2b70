"""A real collector that passes traces on: by each of its encodings they are the same traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.test_push_real import until
from tests.api.test_traces_real import EDGES, counted, edges, receiving_traces, trace_a_shop
from tests.collector.collecting import running_collector

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.e2e]

SOON = {"initial_interval": "100ms", "max_interval": "300ms", "max_elapsed_time": "60s"}


@pytest.mark.parametrize(
    "more",
    [{}, {"encoding": "json"}, {"compression": "zstd"}],
    ids=["gzip", "json", "zstd"],
)
def test_traces_come_through_a_collector(more: dict[str, Any], tmp_path: Path) -> None:
    """Most processes send to a collector, which sends on as it was told."""
    with receiving_traces() as (url, sink):
        own = {"traces_endpoint": f"{url}/v1/traces", "retry_on_failure": SOON, **more}
        with running_collector(tmp_path, {"otlp_http": own}, signal="traces") as collector:
            sink.is_full = True
            trace_a_shop(collector.url)
            until(lambda: sink.refusals > 0, "the collector is told to come again")
            sink.is_full = False
            until(lambda: sink.count() == 6, "all spans are here")
    assert edges(counted(sink)) == EDGES
