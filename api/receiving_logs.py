"""Log lines that are pushed here: by which doors, and where they go."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi import FastAPI

from api.ingested_logs import IngestedLogs
from api.receiving import Receiver
from detector.errors import NotFoundError
from detector.logs.ports import LogSink
from pipelines.ingest.log_doors import LogDoors
from pipelines.ingest.logs.taken import TakenLines
from pipelines.ingest.protocol import LogDoor

if TYPE_CHECKING:
    from api.ingest_settings import IngestSettings

__all__ = ["LOG_PATHS", "LogReceiver", "log_receiver_of", "take_logs"]

LOG_PATHS = ("/v1/logs", "/otlp/v1/logs", "/loki/api/v1/push")
LogReceiver = Receiver[LogDoor, TakenLines]


def log_receiver_of(receiver: LogReceiver | None) -> LogReceiver:
    """Where nothing reads logs there is no door."""
    if receiver is None:
        raise NotFoundError("This serinus takes no logs: it runs without a stream.")
    return receiver


def take_logs(app: FastAPI, sink: LogSink, clock: Callable[[], float] = time.time) -> LogDoors:
    """Open the doors for logs of an app: what comes in by them goes to `sink`."""
    context = app.state.context
    settings: IngestSettings = context.settings.ingest
    doors = LogDoors(sink, settings.native(), clock)
    context.telemetry.registry.register(IngestedLogs(doors))
    app.state.context = replace(context, log_receiver=Receiver(doors, settings))
    return doors
