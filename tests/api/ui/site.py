"""The app over a shop, as a browser meets it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from api.streaming import Streaming
from pipelines.flows.curves import Curves
from tests.api.doors import quiet_logs
from tests.api.ui.parsed import Node, parse
from tests.api.ui.scenes import Shop

__all__ = ["Site"]


@dataclass(slots=True)
class Site:
    """A shop's gate behind HTTP; `more` goes to the app, `beside` are parts of its context."""

    shop: Shop = field(default_factory=Shop)
    settings: Settings = field(default_factory=Settings)
    more: dict[str, Any] = field(default_factory=dict)
    streaming: Streaming | None = None
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def app(self) -> FastAPI:
        """The app, with charts from the store."""
        quiet_logs()
        curves = Curves(self.shop.stores)
        made = create_app(
            self.shop.gate,
            self.settings,
            **{"chart": curves.of, "clock": self.shop.clock, **self.more},
        )
        made.state.context = replace(
            made.state.context,
            spoken=curves.spoken,
            streaming=self.streaming,
            **self.beside,
        )
        return made

    def get(self, path: str, **headers: str) -> Response:
        """An answer."""
        client = TestClient(
            self.app,
            base_url="http://127.0.0.1:8080",
            raise_server_exceptions=False,
            follow_redirects=False,
        )
        return client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def page(self, path: str, status: int = 200) -> Node:
        """A page's tree."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text[:500]
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return parse(answer.text)

    def rollout(self, attempt: str) -> Node:
        """A rollout's page."""
        return self.page(f"/rollouts/{attempt}")
