"""What is pushed here, metrics or logs: how much is taken at once, and by which doors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from fastapi import FastAPI
from starlette.requests import Request

from api.ingest_settings import IngestSettings
from api.ingested import Ingested
from api.pool import Pool
from api.problems import Overloaded
from detector.errors import InputError, NotFoundError
from detector.stream.ports import SampleSink
from pipelines.ingest.decoded import Decoded
from pipelines.ingest.protocol import Door, Packing, is_tenant

if TYPE_CHECKING:
    from pipelines.ingest.doors import Doors

__all__ = [
    "PACKINGS",
    "PATHS",
    "RETRY_AFTER_S",
    "MetricReceiver",
    "Receiver",
    "Takes",
    "receiver_of",
    "take_metrics",
    "tenant_of",
]

PATHS = ("/api/v1/write", "/v1/metrics", "/v1/columns", "/v1/traces")
RETRY_AFTER_S = 2
TENANT = "X-Scope-OrgID"
# What most senders may choose from, by its name in Content-Encoding.
PACKINGS = {
    "identity": Packing.PLAIN,
    "gzip": Packing.GZIP,
    "deflate": Packing.DEFLATE,
    "zstd": Packing.ZSTD,
}
DoorT = TypeVar("DoorT", bound=Enum)
DoorT_contra = TypeVar("DoorT_contra", bound=Enum, contravariant=True)
Took = TypeVar("Took")
TookT_co = TypeVar("TookT_co", covariant=True)


class Takes(Protocol[DoorT_contra, TookT_co]):
    """The doors for one kind of thing."""

    def take(self, door: DoorT_contra, tenant: str, body: bytes, packing: Packing) -> TookT_co:
        """Take all of a message that can be taken; errors as `pipelines.ingest.doors.Doors`."""
        ...


class Receiver(Generic[DoorT, Took]):
    """The doors, and the room in which bodies are held and read."""

    def __init__(self, doors: Takes[DoorT, Took], settings: IngestSettings) -> None:
        self.doors = doors
        self.pool = Pool(
            concurrent=settings.concurrent, queued=settings.queued, bound_s=settings.request_s
        )
        self._longest = settings.body_mb * 2**20
        self._most_held = settings.held_mb * 2**20
        self.held = 0

    async def take(self, request: Request, door: DoorT, packing: Packing) -> Took:
        """Read the body, and take what is in it; errors as `Doors.take`, and those of the pool."""
        tenant = tenant_of(request)
        with self.holding(request):
            body = await request.body()
            return await self.pool.run(self.doors.take, door, tenant, body, packing)

    @contextmanager
    def holding(self, request: Request) -> Iterator[None]:
        """Room for a body; `Overloaded` where too much is held already."""
        size = min(_announced(request, self._longest), self._longest)
        if self.held and self.held + size > self._most_held:
            raise Overloaded("Too many bodies are under way here: send it again in a moment.")
        self.held += size
        try:
            yield
        finally:
            self.held -= size


class MetricReceiver(Receiver[Door, Decoded]):
    """The doors for metrics."""

    def __init__(self, doors: Doors, settings: IngestSettings) -> None:
        super().__init__(doors, settings)
        self.doors: Doors = doors


def receiver_of(receiver: MetricReceiver | None) -> MetricReceiver:
    """Where there is no stream there is no door."""
    if receiver is None:
        raise NotFoundError("This serinus takes no metrics: it runs without a stream.")
    return receiver


def take_metrics(app: FastAPI, sink: SampleSink, clock: Callable[[], float] = time.time) -> None:
    """Open the doors for metrics of an app: what comes in by them goes to `sink`."""
    from pipelines.ingest.doors import Doors

    context = app.state.context
    settings: IngestSettings = context.settings.ingest
    doors = Doors(sink, settings.native(), clock)
    context.telemetry.registry.register(Ingested(doors))
    app.state.context = replace(context, receiver=MetricReceiver(doors, settings))


def tenant_of(request: Request) -> str:
    """Whose this is; `InputError` for a name that is none."""
    name = request.headers.get(TENANT, "default")
    if not is_tenant(name):
        raise InputError(
            f"{TENANT} must be 1 to 64 letters, digits, dots, dashes or underscores", field=TENANT
        )
    return name


def _announced(request: Request, otherwise: int) -> int:
    length = request.headers.get("content-length", "")
    return int(length[:20]) if length.isascii() and length.isdigit() else otherwise
