"""The app with its doors for logs open onto a sink in memory: what their tests share."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.receiving_logs import take_logs
from api.settings import Settings
from pipelines.testing.log_sink import MemoryLogSink
from tests.api.doors import quiet_logs
from tests.api.pushing import NOW
from tests.pipelines.flows.scripted import World

__all__ = ["LogDoorway"]


@dataclass(slots=True)
class LogDoorway:
    """An app that takes logs; its clock stands still at `NOW`."""

    settings: Settings = field(default_factory=Settings)
    sink: MemoryLogSink = field(default_factory=MemoryLogSink)
    made: FastAPI | None = None

    @property
    def app(self) -> FastAPI:
        """The app, made once."""
        if self.made is None:
            quiet_logs()
            self.made = create_app(World().gate, self.settings)
            take_logs(self.made, self.sink, lambda: NOW)
        return self.made

    @property
    def client(self) -> TestClient:
        """A client that sees what a sender sees."""
        return TestClient(self.app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)

    def post(self, path: str, body: bytes, kind: str, **headers: str) -> Response:
        """Push a body; a header's dashes are underscores here."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, content=body, headers={"Content-Type": kind, **told})

    def metrics(self) -> str:
        """What it says of itself."""
        return self.client.get("/metrics").text
