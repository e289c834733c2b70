"""The real app over a real gate on memory, asked through ASGI: what tests of the doors share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from detector.errors import StoreError
from detector.ports import Stores
from pipelines.flows.services import Services
from pipelines.packs import load_packs
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.scripted import T0, World
from tests.pipelines.flows.shops import DIALECTS, Faults, fill
from tests.pipelines.flows.shops import T0 as SHOP_T0

__all__ = [
    "CANARY",
    "QUESTION",
    "Door",
    "failing_door",
    "looking_client",
    "passing_door",
    "problem_of",
    "quiet_logs",
    "waiting_door",
    "without",
]

CANARY = '{track="canary"}'
QUESTION: Mapping[str, object] = {"service": "checkout", "canary": CANARY}
ERRORS = {T0 + 100: 20.0}


def quiet_logs() -> None:
    """Only what is worse than an error is printed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


class Down:
    """A store whose every method fails as a disk does."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def down(*_: object, **__: object) -> Any:  # noqa: ANN401
            raise StoreError(f"the disk is full: cannot {name}")

        return down


def without(stores: Stores, name: str) -> Stores:
    """The stores, of which one is down."""
    return replace(stores, **{name: Down()})


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

    def post(self, **changes: object) -> Response:
        """Ask the usual question, with changes."""
        return self.client.post("/v1/verdicts", json={**QUESTION, **changes})

    def send(self, path: str, body: Mapping[str, object]) -> Response:
        """Post a body to another door."""
        return self.client.post(path, json=body)

    def raw(self, body: str | bytes, *, kind: str = "application/json") -> Response:
        """Post bytes as a question."""
        headers = {"Content-Type": kind}
        return self.client.post("/v1/verdicts", content=body, headers=headers)

    def get(self, path: str, **query: str | int) -> Response:
        """Look up."""
        return self.client.get(path, params=query)


def passing_door(door: Door | None = None) -> Door:
    """The usual shop, 400 s after the canary came: a pass."""
    door = door or Door()
    door.world.shop()
    return door.at(400)


def waiting_door(door: Door | None = None) -> Door:
    """70 s after the canary came: inconclusive, `low_traffic`."""
    return passing_door(door).at(70)


def failing_door(door: Door | None = None) -> Door:
    """A second canary pod fails twenty requests 100 s after it came: a fail."""
    door = passing_door(door)
    door.world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors=ERRORS)
    return door


def looking_client(fault: Fault = Fault.NONE) -> TestClient:
    """A door onto a source with a shop, in which services can be looked for."""
    door = passing_door()
    source = FakeSource(fill(DIALECTS[0], Faults()), fault=fault)
    found = Services(
        source=source, catalog=source, packs=load_packs(), clock=lambda: SHOP_T0 + 1790
    )
    door.app.state.context = replace(door.app.state.context, services=found)
    return door.client


def problem_of(answer: Response) -> tuple[int, str | None]:
    """Status and field of a problem+json, which it has to be."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "field", "request_id"}
    assert body["status"] == answer.status_code
    assert len(body["detail"]) > 10
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["field"]
