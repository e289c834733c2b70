"""The four measures over HTTP, with what is behind each number."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from api.bodies.delivery import DeliveryAnswer
from api.bodies.numbers import time_text
from api.changing import take_changes
from api.settings import Settings
from detector.changes.change import Change, ChangeKind, ChangePhase
from pipelines.stores.memory_changes import MemoryChanges
from tests.api.doors import Door, problem_of
from tests.detector.delivery.test_deployments import HOUR, made
from tests.detector.incidents.making import T0

ASKED = {"from": time_text(T0), "to": time_text(T0 + 14 * 24 * HOUR)}
CHANGES = (
    made(-5, ChangeKind.MERGE, version="abcdefg"),
    made(1, version="abcdefg"),
    made(30, phase=ChangePhase.FAILED),
    made(32),
    made(200, service="web"),
)


def door(*changes: Change) -> Door:
    """A server that knows some changes."""
    made_ = Door()
    log = MemoryChanges()
    for change in changes:
        log.add("default", change.events)
    take_changes(made_.app, log, Settings())
    return made_


def answered(*changes: Change, **asked: str) -> Any:  # noqa: ANN401
    """The answer."""
    told = door(*changes).client.get("/v1/delivery", params={**ASKED, **asked})
    assert told.status_code == 200, told.text
    return told.json()


def test_each_measure_says_what_it_is_and_what_it_was_counted_of() -> None:
    """With its band, and the deployments behind it."""
    found = answered(*CHANGES)
    assert DeliveryAnswer.model_validate(found).weeks
    assert (found["frequency"]["count"], found["frequency"]["band"]) == (4, "high")
    assert (found["lead_time"]["value"], found["lead_time"]["unit"]) == (6 * 3600.0, "seconds")
    assert (found["failure_rate"]["value"], found["failure_rate"]["band"]) == (0.25, "medium")
    assert found["restore_time"]["value"] == 2 * 3600.0
    assert "Median time from the first merge" in found["lead_time"]["definition"]
    assert [one["failures"] for one in found["deployments"]] == [[], ["failed"], [], []]
    assert found["deployments"][1]["mended"][0]["end"] == time_text(T0 + 32 * HOUR)
    assert "no incidents" in found["notes"][0]


def test_weeks_are_told_apart() -> None:
    """A trend, to the week."""
    found = answered(*CHANGES)
    assert [week["frequency"]["count"] for week in found["weeks"]] == [3, 1]
    assert found["weeks"][1]["lead_time"]["value"] is None


def test_it_is_a_table_where_a_table_is_asked_for() -> None:
    """For a sheet; what is not known is empty."""
    told = door(*CHANGES).client.get("/v1/delivery", params={**ASKED, "format": "csv"})
    assert told.headers["content-type"].startswith("text/csv")
    head, first, second = csv.reader(io.StringIO(told.text))
    assert head[2:] == [
        "deployments", "deployments_a_day", "lead_time_s", "failure_rate", "restore_time_s",
    ]  # fmt: skip
    assert (first[2], second[2], second[4]) == ("3", "1", "")


def test_one_service_is_asked_for_alone() -> None:
    """And what nobody knows is no number."""
    assert answered(*CHANGES, service="web")["frequency"]["count"] == 1
    nothing = answered(*CHANGES, service="bank")
    assert (nothing["frequency"]["value"], nothing["frequency"]["band"]) == (None, None)


@pytest.mark.parametrize(
    "asked",
    [{"from": ASKED["to"], "to": ASKED["from"]}, {"from": "2020-01-01T00:00:00Z"}],
    ids=["backwards", "years"],
)
def test_a_time_that_is_none_is_refused(asked: dict[str, str]) -> None:
    """By the field that has to be mended."""
    told = door().client.get("/v1/delivery", params={**ASKED, **asked})
    assert problem_of(told)[0] == 400
