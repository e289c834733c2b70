"""The app as `serinus serve` puts it together, over a shop in memory: selectors that go wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.compose import open_gate
from api.settings import Settings
from tests.api.doors import quiet_logs
from tests.api.ui.scenes import T0, Shop

CANARY = '{pod=~"checkout-6d9f7c-.+"}'
STABLE = '{pod=~"checkout-5c4b8d-.+"}'


@lru_cache
def client() -> TestClient:
    """A healthy canary, a quarter of an hour old."""
    quiet_logs()
    shop = Shop()
    made = open_gate(Settings(), source=shop.source, in_memory=True, clock=lambda: T0 + 900)
    return TestClient(create_app(made.gate), base_url="http://127.0.0.1")


def ask(canary: str, control: str | None = None) -> dict[str, Any]:
    """The verdict on one pair of selectors, as an attempt of its own."""
    question = {"service": "checkout", "canary": canary, "control": control, "attempt": control}
    told = client().post("/v1/verdicts", json=question)
    assert told.status_code == 200, told.text
    answer: dict[str, Any] = told.json()
    return answer


@pytest.mark.parametrize("control", [None, STABLE, '{pod!=""}'])
def test_a_healthy_canary_passes_beside_its_stable_pods(control: str | None) -> None:
    """Without a control, with one, and with one that has the canary in it."""
    assert ask(CANARY, control)["answer"] == "pass"


@pytest.mark.parametrize("control", [CANARY, '{pod=~"checkout-6d9f7c-.*"}', f" {CANARY} "])
def test_a_canary_beside_itself_is_no_pass(control: str) -> None:
    """Argo gives one hash twice on a first release; what is like itself proves nothing."""
    told = ask(CANARY, control)
    assert (told["answer"], told["reason"]["code"]) == ("inconclusive", "no_control_data")


@pytest.mark.parametrize("canary", ["{}", '{pod!=""}', '{service="checkout"}'])
def test_a_canary_that_is_everything_is_no_pass(canary: str) -> None:
    """There is nothing left to compare with."""
    told = ask(canary)
    assert (told["answer"], told["reason"]["code"]) == ("inconclusive", "no_control_data")


def test_a_canary_that_is_nothing_is_told_what_there_is() -> None:
    """With the names of pods that exist."""
    told = ask('{pod="checkout-nope"}')
    assert (told["answer"], told["reason"]["code"]) == ("inconclusive", "no_canary_data")
    assert "checkout-5c4b8d-st0" in told["reason"]["text"]
