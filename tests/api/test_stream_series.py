"""What `/metrics` tells of series: how many live, were forgotten, were refused."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from api.ingested import Ingested
from api.stream_series import StreamSeries
from pipelines.ingest.protocol import Door, Packing
from pipelines.testing.remote_write import request
from tests.pipelines.ingest.doorways import NOW_MS, Doorway


def told(*collectors: StreamSeries | Ingested) -> str:
    """What a scrape sees."""
    registry = CollectorRegistry()
    for one in collectors:
        registry.register(one)
    return generate_latest(registry).decode()


def test_live_and_forgotten_series_are_told_by_tenant() -> None:
    """Whether the limit is full of pods that are gone could only be guessed."""
    text = told(StreamSeries(lambda: {"team-a": (1200, 34), "team-b": (0, 0)}))
    assert 'serinus_stream_live_series{tenant="team-a"} 1200.0' in text
    assert 'serinus_stream_forgotten_series_total{tenant="team-a"} 34.0' in text
    assert 'serinus_stream_live_series{tenant="team-b"} 0.0' in text


def test_new_series_beyond_the_limit_are_told_by_tenant() -> None:
    """Who loses series would not know of it before a chart is missing."""
    doorway = Doorway(series=2)
    body = request(({"__name__": "up", "pod": f"p{n}"}, [(1.0, NOW_MS)]) for n in range(5))
    doorway.doors.take(Door.REMOTE_WRITE, "team-a", body, Packing.PLAIN)
    text = told(Ingested(doorway.doors))
    assert 'serinus_ingest_refused_series_total{tenant="team-a"} 3.0' in text
    assert 'serinus_ingest_series{tenant="team-a"} 2.0' in text
