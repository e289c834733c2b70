"""The app over an opened gate, as `serinus serve` and the demo serve it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fastapi import FastAPI

from api.app import create_app
from api.compose import Opened, open_services
from api.probe import source_probe, store_probe
from api.receiving import take_metrics
from api.settings import Settings
from api.streaming import Streaming
from pipelines.flows.curves import Curves

__all__ = ["serving_app"]


def serving_app(
    opened: Opened,
    settings: Settings,
    *,
    on_stop: Callable[[], None],
    streaming: Streaming | None = None,
) -> FastAPI:
    """Every door, with probes, charts and costs; `on_stop` runs after the last answer."""
    app = create_app(
        opened.gate,
        settings,
        source=opened.source,
        store_probe=store_probe(opened.stores),
        source_probe=source_probe(opened.source),
        chart=Curves(opened.stores).of,
        on_stop=on_stop,
    )
    services = open_services(settings, opened.source)
    app.state.context = replace(app.state.context, services=services, streaming=streaming)
    if streaming is not None:
        take_metrics(app, streaming.stream)
        streaming.show(app.state.context.telemetry.registry)
    return app
