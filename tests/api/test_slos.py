"""`/v1/slos` and its figures: how objectives stand, what burns, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.bodies.slo import SlosAnswer
from api.burning import BurnWatch, watch_burns
from api.compose import open_gate
from api.routes.slos import incidents_by_alert
from api.settings import Settings
from detector.errors import ConfigError, StoreError
from detector.incidents.burns import burn_id, burn_symptom
from detector.incidents.correlator import Correlator
from detector.incidents.record import IncidentFilter, IncidentPage, KeptIncident
from pipelines.slo.burning import Burns
from pipelines.sources.memory import MemorySource
from pipelines.stores.sqlite import Database
from tests.api.doors import Door, problem_of
from tests.pipelines.slo.test_burning import MINUTES, T0, World, objective

SLO = """
service: checkout
availability: 99.9
window: 28d
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Checkout burns since T0, cart is calm, and nobody counts pay."""
    database = Database(tmp_path / "stream.db")
    made = World(database, [objective(name) for name in ("checkout", "cart", "pay")])
    made.serve("checkout", outage=(0.0, 1800.0))
    made.serve("cart")
    yield made
    database.close()


def looked(world: World) -> Burns:
    """Objectives as they were looked at for twenty minutes."""
    burns = world.burns(is_told=False)
    world.at(burns, *MINUTES[:5])
    return burns


def door(burns: Burns | None) -> Door:
    """An app that looks at these."""
    made = Door()
    watch = None if burns is None else BurnWatch(burns)
    made.app.state.context = replace(made.app.state.context, burns=watch)
    return made


def slos(door: Door, **asked: str) -> dict[str, dict[str, Any]]:
    """By name."""
    answer = door.client.get("/v1/slos", params=asked)
    assert answer.status_code == 200, answer.text
    SlosAnswer.model_validate(answer.json())
    return {one["name"]: one for one in answer.json()["slos"]}


def test_how_they_stand(world: World) -> None:
    """Each with its window, its budget, its pace and its alert."""
    found = slos(door(looked(world)))
    assert [one["state"] for one in found.values()] == ["page", "quiet", "unknown"]
    page = found["checkout"]
    assert (page["target"], page["window"], page["counted_to"]) == (
        0.999,
        "7d",
        "2027-01-15T08:20:00.000Z",
    )
    assert [one["threshold"] for one in page["burn"]] == [14.4, 6.0, 1.0]
    assert page["burn"][0]["short"] == pytest.approx(100, rel=0.01)
    assert page["gone_in"]["low_s"] <= page["gone_in"]["middle_s"]
    alert = page["alert"]
    assert (alert["level"], alert["onset"], alert["ended"]) == (
        "page",
        "2027-01-15T08:00:00.000Z",
        None,
    )
    assert alert["text"].startswith("checkout burns its error budget")
    assert alert["incident"] is None
    assert page["budget_text"] in alert["text"]


def test_what_is_unknown_says_why(world: World) -> None:
    """And has no number that looks like a fine one."""
    pay = slos(door(looked(world)))["pay"]
    assert (pay["flaw"], pay["why"]) == ("no_data", "the source has no such counters")
    assert (pay["budget"]["left"], pay["gone_in"], pay["alert"], pay["counted_to"]) == (None,) * 4
    assert {(one["long"], one["short"]) for one in pay["burn"]} == {(None, None)}


def test_of_one_service(world: World) -> None:
    """As its page asks."""
    assert list(slos(door(looked(world)), service="cart")) == ["cart"]
    assert slos(door(looked(world)), service="nobody") == {}


def test_without_objectives_it_is_said() -> None:
    """With what to do."""
    answer = door(None).client.get("/v1/slos")
    assert problem_of(answer)[0] == 404
    assert "name their files in `objectives`" in answer.json()["detail"]


def test_before_the_first_look_nothing_is_known(world: World) -> None:
    """Nobody is called fine before."""
    assert slos(door(world.burns())) == {}


class Incidents:
    """A store of one incident, or one that is away."""

    def __init__(self, *kept: KeptIncident, is_away: bool = False) -> None:
        self.kept, self.is_away = kept, is_away

    def list(self, wanted: IncidentFilter) -> IncidentPage:
        """All."""
        if self.is_away:
            raise StoreError("it is away")
        assert (wanted.service, wanted.is_open) == ("checkout", True)
        return IncidentPage(incidents=self.kept, next=None)


def test_an_alert_has_its_incident(world: World) -> None:
    """Where it joined what was odd before, that one."""
    burns = looked(world)
    seen = burns.seen[0]
    assert seen.alert is not None
    correlator = Correlator.fresh("default", round(1000 * T0))
    correlator.feed([burn_symptom(seen.standing, seen.alert)], round(1000 * T0))
    (incident,) = correlator.incidents
    id = burn_id(seen.objective, seen.alert)
    found = Incidents(KeptIncident(incident=incident))
    every = list(burns.seen)
    assert incidents_by_alert(found, "default", every) == {id: incident.id}  # type: ignore[arg-type]
    assert incidents_by_alert(None, "default", every) == {}
    away = Incidents(is_away=True)
    assert incidents_by_alert(away, "default", every) == {}  # type: ignore[arg-type]


def test_figures(world: World) -> None:
    """For a dashboard, and for an alert on serinus itself."""
    burns, registry = looked(world), CollectorRegistry()
    watch = BurnWatch(burns, every_s=60.0)
    watch.start(registry)
    watch.close()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"serinus_slo_{name}", labels)

    named = {"service": "checkout", "slo": "checkout"}
    assert (value("objectives"), value("unknown"), value("told_total")) == (3, 1, 1)
    assert value("alert", **named, level="page") == 1
    assert value("alert", **named, level="ticket") == 0
    assert value("burn_rate", **named, window="300") == pytest.approx(100, rel=0.01)
    assert value("budget_left", service="cart", slo="cart") == pytest.approx(0.9, abs=0.01)
    assert value("budget_left", service="pay", slo="pay") is None
    assert value("looked_seconds") == world.now


@pytest.mark.parametrize("is_there", [True, False])
def test_objectives_of_the_configuration(tmp_path: Path, *, is_there: bool) -> None:
    """Without any nothing is looked at."""
    (tmp_path / "slo.yaml").write_text(SLO, "utf-8")
    files = (tmp_path / "slo.yaml",) if is_there else ()
    settings = Settings(objectives=files, data=tmp_path / "data")
    opened = open_gate(settings, source=MemorySource(), in_memory=True)
    watch = watch_burns(opened, settings, None)
    assert (watch is not None) is is_there
    if watch is not None:
        assert [one.service for one in watch.burns.objectives] == ["checkout"]


def test_a_file_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """Not the first look."""
    (tmp_path / "slo.yaml").write_text("service: checkout\navailability: 0.99\n", "utf-8")
    settings = Settings(objectives=(tmp_path / "slo.yaml",), data=tmp_path / "data")
    with pytest.raises(ConfigError, match=r"slo\.yaml"):
        open_gate(settings, source=MemorySource(), in_memory=True)
