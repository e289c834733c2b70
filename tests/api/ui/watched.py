"""A site beside a real stream with lines, spans and metrics: what pages of services show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from api.compose import open_gate
from api.ingest_settings import IngestSettings
from api.serving import serving_app
from api.settings import Settings
from api.stream_settings import StreamSection
from api.streaming import Streaming, open_streaming
from detector.logs.lines import Level, Origin
from pipelines.sources.memory import MemorySource
from tests.api.streaming import ALWAYS, message, values_of
from tests.api.ui.scenes import Shop
from tests.api.ui.site import Site
from tests.pipelines.flows.logging import Clock, lines
from tests.pipelines.flows.test_spans import CART, spans

__all__ = ["EVIL", "PAYING", "watched"]

EVIL = "<script>alert(1)</script> \x1b[2J\x1b]0;owned\x07\u202egnp.exe\u202c " + "W" * 900
EVIL_NAME = "<img src=x onerror=alert(1)>\u202ecart"
PAYING = Origin(service="checkout", namespace="shop", pod="checkout-1", version="v1")
_MANY = 30


@contextmanager
def watched(folder: Path) -> Iterator[Site]:
    """Errors and chatter of checkout, calls of the shop to the cart, and one odd queue."""
    settings = Settings(
        data=folder,
        ingest=IngestSettings(ahead_s=ALWAYS, behind_s=ALWAYS),
        stream=StreamSection(alarms_a_week=0.01),
    )
    streaming = open_streaming(settings)
    assert streaming.wait(120), streaming.words
    try:
        _fill(streaming, settings)
        yield Site(Shop(minutes=5), settings=settings, streaming=streaming)
    finally:
        streaming.close()


def _fill(streaming: Streaming, settings: Settings) -> None:
    streaming.logs.taking._clock = Clock()
    said = [(Level.INFO, f"order {n} placed") for n in range(20)]
    said += [(Level.ERROR, f"payment of order {n} declined") for n in range(7)]
    said += [(Level.ERROR, EVIL), (Level.FATAL, "out of memory")]
    # Templates of as many shapes: alike ones would become one.
    said += [(Level.DEBUG, "tick " * n + "tock") for n in range(1, _MANY)]
    assert streaming.logs.lines.put("default", lines(said, origins=(PAYING,)))
    assert streaming.logs.spans.put("default", spans(0, 40))
    assert streaming.logs.spans.put("default", spans(100, 10, failed=True))
    evil = spans(500, 3)
    odd = replace(evil, origins=(Origin(service=EVIL_NAME, pod="x", version="v\u202e1"), CART))
    assert streaming.logs.spans.put("default", odd)
    opened = open_gate(settings, source=MemorySource())
    app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
    told = TestClient(app, base_url="http://127.0.0.1").post(
        "/v1/columns",
        content=message(0, values_of(300)),
        headers={"Content-Type": "application/msgpack"},
    )
    assert told.status_code == 204, told.text
    opened.close()
    assert streaming.stream.drain(120)
    streaming.stream.part.logs.settle(now=True)
