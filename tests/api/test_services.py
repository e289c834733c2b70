"""`/v1/services`: what a person sees of a source before any rollout."""

from __future__ import annotations

from typing import Any

import pytest

from api.bodies.services import ServicesAnswer, SignalsAnswer
from pipelines.testing import Fault
from tests.api.doors import looking_client, passing_door, problem_of


def got(path: str, **query: str | int) -> dict[str, Any]:
    """A good answer."""
    told = looking_client().get(path, params=query)
    assert told.status_code == 200, told.text
    body: dict[str, Any] = told.json()
    return body


def test_services_are_listed_as_it_is_documented() -> None:
    """Other programs read it."""
    body = got("/v1/services")
    ServicesAnswer.model_validate(body)
    (one,) = body["services"]
    assert (one["service"], one["pods"], body["next"]) == ("checkout", 8, None)
    assert one["split"]["selectors"]["checkout-6d9f7c"] == '{pod=~"checkout-6d9f7c-.+"}'


def test_signals_are_told_as_it_is_documented() -> None:
    """With the query, the unit, the amount of data and how sure it is."""
    body = got("/v1/services/checkout/signals")
    SignalsAnswer.model_validate(body)
    error = body["signals"][0]
    assert (error["name"], error["unit"], error["confidence"]) == ("error_rate", "ratio", "sure")
    assert error["amount"]["per_second"] > 100
    assert body["pods"] == {"canary": 3, "control": 5}


def test_a_canary_can_be_told() -> None:
    """And is shown as it was told."""
    canary = '{pod=~"checkout-6d9f7c-.+"}'
    body = got("/v1/services/checkout/signals", canary=canary)
    assert (body["canary"], body["arms"]) == (canary, None)


def test_the_self_test_is_made_when_it_is_asked_for() -> None:
    """It costs seconds, so not otherwise."""
    assert got("/v1/services/checkout/signals")["test"] is None
    test = got("/v1/services/checkout/signals", test="true")["test"]
    assert test["sound"], test["text"]


def test_a_service_that_is_not_there_has_near_names() -> None:
    """200: the question was answered."""
    body = got("/v1/services/chekout/signals")
    assert body["signals"] == []
    assert "checkout" in " ".join(body["notes"])


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("/v1/services", {"limit": 0}, 422, "limit"),
        ("/v1/services/checkout/signals", {"canary": "{pod=~"}, 400, "canary"),
        ("/v1/services/checkout/signals", {"policy": "strict"}, 404, None),
    ],
)
def test_what_cannot_be_meant_is_refused(
    path: str, query: dict[str, str | int], status: int, field: str | None
) -> None:
    """By the name of the field."""
    assert problem_of(looking_client().get(path, params=query)) == (status, field)


def test_a_source_that_is_down_is_503() -> None:
    """Ask again later."""
    assert looking_client(Fault.DOWN).get("/v1/services").status_code == 503


def test_without_a_source_there_is_nothing_to_look_in() -> None:
    """A door onto records alone."""
    assert passing_door().get("/v1/services").status_code == 404
