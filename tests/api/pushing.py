"""The app with its doors for metrics open onto a sink in memory: what their tests share."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.receiving import take_metrics
from api.settings import Settings
from pipelines.testing.remote_write import Series, request, snapped
from pipelines.testing.sink import MemorySink
from tests.api.doors import quiet_logs
from tests.pipelines.flows.scripted import World

__all__ = ["NOW", "NOW_MS", "WRITE", "PushDoor", "one_series"]

NOW = 1_764_000_000.0
NOW_MS = 1_764_000_000_000
WRITE = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def one_series(value: float = 1.0, at: int = NOW_MS, **labels: str) -> Series:
    """A series with one sample."""
    return {"__name__": "up", "job": "shop", **labels}, [(value, at)]


@dataclass(slots=True)
class PushDoor:
    """An app that takes metrics; its clock stands still at `NOW`."""

    settings: Settings = field(default_factory=Settings)
    sink: MemorySink = field(default_factory=MemorySink)
    made: FastAPI | None = None

    @property
    def app(self) -> FastAPI:
        """The app, made once."""
        if self.made is None:
            quiet_logs()
            self.made = create_app(World().gate, self.settings)
            take_metrics(self.made, self.sink, lambda: NOW)
        return self.made

    @property
    def client(self) -> TestClient:
        """A client that sees what a sender sees."""
        return TestClient(self.app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)

    def write(self, *series: Series, **headers: str) -> Response:
        """Push series by remote write."""
        return self.write_bytes(snapped(request(series)), **headers)

    def write_bytes(self, body: bytes, **headers: str) -> Response:
        """Push bytes; a header's dashes are underscores here, and an empty one is left out."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in {**WRITE, **named}.items() if value}
        return self.client.post("/api/v1/write", content=body, headers=kept)

    def metrics(self) -> str:
        """What it says of itself."""
        return self.client.get("/metrics").text
