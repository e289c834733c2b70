"""The real app over a real gate on memory, asked through ASGI: what the tests of the doors share."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.pipelines.flows.scripted import T0, World

__all__ = ["CANARY", "Door", "failing_door", "passing_door", "quiet_logs", "waiting_door"]

CANARY = '{track="canary"}'
QUESTION: Mapping[str, Any] = {"service": "checkout", "canary": CANARY}
ERRORS = {T0 + 100: 20.0}


def quiet_logs() -> None:
    """Only what is worse than an error is printed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@dataclass(slots=True)
class Door:
    """An app with its world; `at` seconds after T0. Errors of the app are 500, not exceptions."""

    world: World = field(default_factory=World)
    settings: Settings = field(default_factory=Settings)
    more: Mapping[str, Any] = field(default_factory=dict)
    host: str = "127.0.0.1:8080"
    made: FastAPI | None = None

    @property
    def app(self) -> FastAPI:
        """The app, made once."""
        if self.made is None:
            quiet_logs()
            self.made = create_app(self.world.gate, self.settings, **self.more)
        return self.made

    @property
    def client(self) -> TestClient:
        """A client that sees what a controller sees."""
        return TestClient(
            self.app,
            base_url=f"http://{self.host}",
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def at(self, seconds: float) -> Door:
        """Set the clock."""
        self.world.clock.at = T0 + seconds
        return self

    def post(self, path: str = "/v1/verdicts", **changes: Any) -> Response:
        """Ask the usual question, with changes."""
        return self.client.post(path, json={**QUESTION, **changes})

    def raw(self, body: str | bytes, *, kind: str = "application/json") -> Response:
        """Post bytes as a question."""
        headers = {"Content-Type": kind}
        return self.client.post("/v1/verdicts", content=body, headers=headers)

    def get(self, path: str, **query: Any) -> Response:
        """Look up."""
        return self.client.get(path, params=query)


def passing_door(**changes: Any) -> Door:
    """The usual shop, 400 s after the canary came: a pass."""
    door = Door(**changes).at(400)
    door.world.shop()
    return door


def waiting_door(**changes: Any) -> Door:
    """70 s after the canary came: inconclusive, `low_traffic`."""
    return passing_door(**changes).at(70)


def failing_door(**changes: Any) -> Door:
    """A second canary pod fails twenty requests 100 s after it came: a fail."""
    door = passing_door(**changes)
    door.world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors=ERRORS)
    return door


def problem_of(answer: Response) -> tuple[int, str | None]:
    """Status and field of a problem+json, which it has to be."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "field", "request_id"}
    assert body["status"] == answer.status_code
    assert len(body["detail"]) > 10
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["field"]
