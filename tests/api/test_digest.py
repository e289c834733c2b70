"""Weeks over HTTP: what each team was told, and what came of the gate's policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.alerts_settings import AlertsSection
from api.bodies.digest import WeekAnswer
from api.bodies.numbers import time_text
from api.correlating import Correlating
from api.notify import NotifySettings
from api.settings import Settings
from api.weekly import Weekly
from detector.backtest.shadow import Said as Did
from detector.backtest.shadow import said
from detector.errors import InputError, StoreError
from detector.gate.telling import NoticeKind
from detector.gate.verdict import Outcome
from detector.incidents.record import Said, SaidKind
from detector.ports import Stores
from detector.spans.topology import Graph
from pipelines.notify.rounds import Rounds
from pipelines.stores.connections import Connections
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.api.doors import Door, problem_of
from tests.detector.incidents.making import T0, change
from tests.pipelines.flows.scripted import Clock
from tests.pipelines.flows.test_blamed import rollout
from tests.pipelines.flows.test_team_weeks import DAY_S, DUE, Base
from tests.pipelines.stores.test_stores import verdict

PATH = "/v1/alerts/digest"
SETTINGS = Settings(
    notify=NotifySettings.model_validate(
        {
            "public_url": "https://serinus.example.org",
            "to": {
                "chat": {"url": "http://x"},
                "pager": {"url": "http://x", "kinds": ["incident"]},
            },
        }
    ),
    alerts=AlertsSection.model_validate(
        {
            "route": {
                "to": "chat",
                "team": "shop",
                "routes": [{"to": "pager", "severity": "high"}],
            },
            "budgets": {"shop": 1},
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Open:
    """A stream that is open on a database."""

    databases: tuple[Connections, ...]
    ailing: str = ""

    def graph(self, tenant: str) -> Graph | None:
        """Nobody sends spans."""
        return None


@dataclass(slots=True)
class Place:
    """An app that knows a week; `now` is its clock."""

    app: FastAPI
    base: Base
    stores: Stores
    weekly: Weekly
    clock: Clock

    def ask(self, tenant: str = "default", **words: str) -> Response:
        """For a week."""
        client = TestClient(
            self.app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False
        )
        return client.get(PATH, params=words, headers={"X-Scope-OrgID": tenant})

    def week(self, **words: str) -> dict[str, Any]:
        """The answer."""
        told = self.ask(**words)
        assert told.status_code == 200, told.text
        answer: dict[str, Any] = told.json()
        WeekAnswer.model_validate(answer)
        return answer


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """Made once, for its doors."""
    return Door(settings=SETTINGS).app


@pytest.fixture
def place(tmp_path: Path, app: FastAPI) -> Iterator[Place]:
    """The cart was ill after a rollout that passed, and mail was not told."""
    stores, database = memory_stores(), Database(tmp_path / "stream.db")
    base = Base(database, stores)
    clock = Clock(at=DUE + 60)
    correlating = Correlating(Open((database,)), stores)
    weekly = Weekly(settings=SETTINGS, stores=stores, clock=clock, correlating=correlating)
    made = Place(app, base, stores, weekly, clock)
    app.state.context = replace(app.state.context, weekly=weekly, correlating=correlating)
    passed = rollout(at=T0 / 1000 + 3600 - 120)
    stores.attempts.save(passed)
    stores.verdicts.save(verdict(passed, at=passed.asked_at, outcome=Outcome.PASS), at=T0 / 1000)
    base.happen(1, "cart")
    base.happen(30, "mail")
    yield made
    database.close()


def test_a_week_by_team(place: Place) -> None:
    """As the team reads it on monday."""
    answer = place.week()
    assert (answer["since"], answer["until"]) == (
        time_text(round(1000 * (DUE - 7 * DAY_S))),
        time_text(round(1000 * DUE)),
    )
    (team,) = answer["teams"]
    assert (team["team"], team["told"], team["held_back"]) == ("shop", 1, 1)
    assert team["precision"] is None
    (held,) = team["held"]
    assert held["reason"] == "budget"
    assert held["link"] == f"https://serinus.example.org/incidents/{held['incident']}"
    assert answer["notes"] == []


def test_what_people_say_is_in_it_at_once(place: Place) -> None:
    """Who reads it on friday sees how right it was until then."""
    history = place.base.incidents.histories()["default"]
    (id,) = (one.id for one in history.cases.values() if one.told)
    word = Said(at=T0 + 4_000_000, kind=SaidKind.ACKNOWLEDGED, person="ada")
    place.base.incidents.say("default", id, word)
    place.base.tell(DUE)
    (team,) = place.week()["teams"]
    assert (team["right"], team["wrong"], team["precision"]) == (1, 0, 1.0)
    assert [(rule["to"], rule["right"]) for rule in team["rules"]] == [("chat", 1)]
    assert "of 1 that were judged 1 rightly (100%)" in team["rules"][0]["text"]


def test_a_policy_that_passed_what_broke_something_missed_it(place: Place) -> None:
    """By what a person said the incident comes of."""
    (score,) = place.week()["policies"]
    assert (score["policy"], score["acts"], score["passed"], score["known"]) == (
        "default",
        True,
        1,
        0,
    )
    (cause,) = place.stores.changes.add("default", _deployed())
    history = place.base.incidents.histories()["default"]
    (id,) = (one.id for one in history.cases.values() if one.told)
    word = Said(at=T0, kind=SaidKind.CAUSED_BY, person="ada", change=cause.id)
    place.base.incidents.say("default", id, word)
    (score,) = place.week()["policies"]
    assert (score["missed"], score["right"], score["known"]) == (1, 0, 1)
    assert "missed" in score["text"]


def test_the_running_week_is_shown_so_far(place: Place) -> None:
    """By any of its days; one of its own may be asked for by a day long gone."""
    place.clock.at = T0 / 1000 + 2 * DAY_S
    running = place.week(week="2026-09-23")
    assert running["until"] == time_text(round(1000 * place.clock.at))
    assert [team["told"] for team in running["teams"]] == [1]
    assert place.week(week="2026-09-21")["since"] == running["since"]
    place.clock.at = DUE + 30 * DAY_S
    again = place.week(week="2026-09-27")
    assert (again["since"], again["until"]) == (running["since"], time_text(round(1000 * DUE)))


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ({"week": "2026-09-29"}, 422),
        ({"week": "9999-12-31"}, 422),
        ({"week": "0001-01-01"}, 422),
        ({"week": "monday"}, 422),
        ({"weeks": "2"}, 400),
    ],
)
def test_what_is_no_week_is_refused_by_its_field(
    place: Place, words: dict[str, str], status: int
) -> None:
    """And not answered with another one."""
    got, _field = problem_of(told := place.ask(**words))
    assert got in {status, 422}
    assert next(iter(words)) in told.text


def test_a_team_or_a_tenant_sees_its_own(place: Place) -> None:
    """And a team of which nothing is known has an empty week."""
    (alone,) = place.week(team="mail")["teams"]
    assert (alone["team"], alone["told"], alone["held_back"]) == ("mail", 0, 0)
    other = place.ask(tenant="other").json()
    assert (other["teams"], other["policies"]) == ([], [])


def test_it_says_what_it_cannot_know(place: Place) -> None:
    """Without a stream, and without rules."""
    bare = Weekly(settings=Settings(), stores=place.stores, clock=place.clock)
    place.app.state.context = replace(place.app.state.context, weekly=bare)
    answer = place.week()
    assert answer["teams"] == []
    assert ["incidents" in answer["notes"][0], "alerts.route" in answer["notes"][1]] == [True, True]


def test_where_nothing_is_kept_there_are_no_weeks() -> None:
    """It says so, and does not answer with empty ones."""
    assert problem_of(Door().get(PATH))[0] == 404


def test_both_notices_are_joined_to_the_rounds(place: Place) -> None:
    """The gate's, and that of the teams; by the same look, each once."""
    routes = tuple(one.route for one in SETTINGS.notify.native())
    rounds = Rounds(
        stores=place.stores,
        clock=place.clock,
        routes=routes,
        weekly=SETTINGS.notify.moment,
    )
    place.weekly.join(rounds)
    rounds.turn()
    rounds.turn()
    found = place.stores.outbox.claim("chat", now=1e12, lease_s=0, most=99)
    weekly = [one.notice for one in found if one.notice.kind is NoticeKind.WEEKLY]
    assert len(weekly) == 2
    assert sorted((bool(one.digest), bool(one.policies)) for one in weekly) == [
        (False, True),
        (True, False),
    ]


def test_never_is_never(place: Place) -> None:
    """Who reads it by the command line wants no message."""
    alerts = SETTINGS.alerts.model_copy(
        update={"digest": SETTINGS.alerts.digest.model_copy(update={"at": "never"})}
    )
    quiet = replace(place.weekly, settings=SETTINGS.model_copy(update={"alerts": alerts}))
    rounds = Rounds(stores=place.stores, clock=place.clock)
    quiet.join(rounds)
    assert rounds.weeks == []
    assert quiet.span().until == DUE


def test_a_stream_that_does_not_open_is_waited_for_an_hour(place: Place) -> None:
    """After a restart it opens in seconds; one that is broken must not silence the gate."""
    closed = replace(place.weekly, correlating=Correlating(Open(()), place.stores))
    with pytest.raises(StoreError):
        closed.watched(DUE - 14 * DAY_S, DUE)
    place.clock.at = DUE + 3601
    assert len(closed.watched(DUE - 14 * DAY_S, DUE)) == 1


def test_a_pass_is_looked_at_in_every_mode(place: Place) -> None:
    """The policy acted; `serinus shadow report` has only those that did not."""
    (one,) = place.weekly.watched(DUE - 14 * DAY_S, DUE)
    assert said(one) is Did.PASSED
    with pytest.raises(InputError, match="is not yet"):
        place.weekly.span(date(2030, 1, 1))
    assert datetime.fromtimestamp(place.weekly.span().until, UTC).weekday() == 0


def _deployed() -> tuple[Any, ...]:
    """By who deployed the cart, two minutes before it was ill."""
    return change(minute=58).events
