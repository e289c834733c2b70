"""The app over an opened gate, as `serinus serve` and the demo serve it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from fastapi import FastAPI

from api.app import create_app
from api.burning import BurnWatch, watch_burns
from api.capacity import open_capacity
from api.changing import take_changes
from api.compose import Opened, open_services, source_of
from api.correlating import take_incidents
from api.inferring import infer_changes
from api.kubernetes import KubernetesWatching, watch_kubernetes
from api.lines import LinesShown, LinesSink, take_beside
from api.probe import source_probe, store_probe
from api.pulling import open_line_pulling, open_pulling, show_line_pulling, show_pulling
from api.receiving import take_metrics
from api.receiving_logs import take_logs
from api.reporting import Reporting, open_scheduling, wall_of
from api.settings import Settings
from api.streaming import Streaming
from api.weekly import Weekly
from detector.gate.telling import Route
from pipelines.flows.curves import Curves
from pipelines.flows.looping import Loop
from pipelines.notify.watching import Watching
from pipelines.sources.open import Source

__all__ = ["serving_app"]

_WATCH_S = 15.0


def serving_app(
    opened: Opened,
    settings: Settings,
    *,
    on_stop: Callable[[], None],
    streaming: Streaming | None = None,
    pulled: Source | None = None,
) -> FastAPI:
    """Every door, with probes, charts and costs; `on_stop` runs after the last answer.

    `pulled` is read for the stream in place of a source of its own by the settings.
    """
    curves = Curves(opened.stores)
    cluster = watch_kubernetes(opened.stores.changes, settings)
    services = open_services(settings, opened.source)
    inferring = infer_changes(services, opened.stores, settings, streaming)
    routes = [notifier.route for notifier in settings.notify.native()]
    capacity = open_capacity(settings, opened.source, opened.stores, routes=routes)
    scheduling = open_scheduling(settings, opened.source, opened.stores, routes=routes)
    burns = watch_burns(opened, settings, streaming)

    def stop() -> None:
        for beside in (burns, scheduling, capacity):
            if beside is not None:
                beside.close()
        inferring.close()
        cluster.close()
        on_stop()

    app = create_app(
        opened.gate,
        settings,
        source=opened.source,
        store_probe=store_probe(opened.stores),
        source_probe=source_probe(opened.source),
        chart=curves.of,
        on_stop=stop,
    )
    app.state.context = replace(
        app.state.context,
        services=services,
        streaming=streaming,
        spoken=curves.spoken,
        capacity=capacity,
        burns=burns,
        reporting=Reporting(
            store=opened.stores.reports,
            wall=wall_of(settings),
            browser=settings.reports.browser,
        ),
    )
    take_changes(app, opened.stores.changes, settings)
    cluster.start(app.state.context.telemetry.registry)
    inferring.start(app.state.context.telemetry.registry)
    for beside in (capacity, scheduling, burns):
        if beside is not None:
            beside.start(app.state.context.telemetry.registry)
    if streaming is not None:
        take_metrics(app, streaming)
        streaming.show(app.state.context.telemetry.registry)
        take_incidents(app, streaming, opened.stores, routes, settings.alerts.native())
        _watch(app, opened, streaming, routes, cluster, burns)
        if settings.logs.enabled:
            _take_lines(app, settings, streaming)
        if settings.stream.pull.selectors:
            _pull(app, settings, streaming, pulled or source_of(settings))
    context = app.state.context
    weekly = Weekly(
        settings=settings,
        stores=opened.stores,
        clock=context.clock,
        correlating=context.correlating,
    )
    app.state.context = replace(context, weekly=weekly)
    return app


def _watch(
    app: FastAPI,
    opened: Opened,
    streaming: Streaming,
    routes: Sequence[Route],
    cluster: KubernetesWatching,
    burns: BurnWatch | None,
) -> None:
    """Tell people where what serinus sees by has not worked for a while."""
    probe = app.state.context.source
    probes = {
        "the metric source": lambda: "" if (said := probe()).is_right else said.words,
        "the stream": lambda: streaming.ailing,
        "the watch of Kubernetes": lambda: cluster.ailing,
    }
    more = dict if burns is None else burns.burns.blind
    watching = Watching(probes, opened.stores.outbox, routes, time.time, more=more)
    loop = Loop("blindness", watching.look, every_s=_WATCH_S)
    streaming.beside.append(loop.close)
    loop.start()


def _take_lines(app: FastAPI, settings: Settings, streaming: Streaming) -> None:
    """Open the doors for logs, and begin to read what a Loki has."""
    sink = LinesSink(streaming)
    doors = take_logs(app, sink)
    take_beside(app, settings, streaming, sink)
    registry = app.state.context.telemetry.registry
    registry.register(LinesShown(streaming))
    if settings.logs.loki.selectors:
        streaming.line_pulling = open_line_pulling(settings, doors)
        show_line_pulling(registry, streaming.line_pulling)
        streaming.line_pulling.start()


def _pull(app: FastAPI, settings: Settings, streaming: Streaming, source: Source) -> None:
    """Begin to read for the stream what cannot push; the stream ends it with itself."""
    context = app.state.context
    streaming.pulling = open_pulling(settings, source, context.receiver.doors)
    show_pulling(context.telemetry.registry, streaming.pulling)
    streaming.pulling.start()
