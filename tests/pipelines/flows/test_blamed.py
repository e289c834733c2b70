"""Incidents are brought home to the rollouts they come of, and to the policy that passed them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from detector.backtest.course import Truth
from detector.backtest.shadow import Said as Did
from detector.backtest.shadow import Watched, said, scores_of
from detector.changes.change import Change
from detector.changes.rollouts import SOURCE, is_rollout
from detector.gate.attempt import Attempt, Latch
from detector.gate.policy import Mode
from detector.gate.verdict import Outcome
from detector.incidents.correlator import Correlator
from detector.incidents.record import IncidentFilter, Said, SaidKind
from detector.ports import Stores
from pipelines.flows.blamed import Blamed
from pipelines.flows.shadow import look_back
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.detector.incidents.making import CALLS, MINUTE, T0, change, symptom
from tests.pipelines.stores.test_stores import REASON, attempt, verdict

DAY_S = 86_400.0
# The change of `making` begins two minutes before what it breaks.
BEGAN = T0 / 1000 - 120


def rollout(id: str = "a1", at: float = BEGAN, **changes: object) -> Attempt:
    """Of the cart."""
    made = attempt(id, at=at, started_at=at, **changes)
    return replace(made, identity=replace(made.identity, service="cart", namespace="shop"))


@pytest.fixture
def incidents(tmp_path: Path) -> Iterator[SqlIncidents]:
    """One that began two minutes after the cart was deployed."""
    database = Database(tmp_path / "stream.db")
    correlator = Correlator.fresh("default", T0 - 10_000 * MINUTE)
    correlator.calls = CALLS
    correlator.changed([change()], T0)
    correlator.feed([symptom()], T0 + MINUTE)
    store = SqlIncidents(database)
    store.keep([], correlator.incidents, [], was=None, events_heard=0)
    yield store
    database.close()


def judged(
    stores: Stores, incidents: SqlIncidents, *attempts: Attempt, outcome: Outcome = Outcome.PASS
) -> dict[str, Watched]:
    """What became of them, as it is known a day later; the policy acted."""
    for one in attempts:
        stores.attempts.save(one)
        stores.verdicts.save(verdict(one, at=one.last_asked, outcome=outcome), at=one.last_asked)
    blamed = Blamed(incidents, stores.changes, since=BEGAN - DAY_S)
    report = look_back(
        stores,
        since=BEGAN - DAY_S,
        until=BEGAN + DAY_S,
        modes=frozenset(Mode),
        incident=blamed.incident,
    )
    return {one.attempt: one for one in report.watched}


def test_a_pass_that_an_incident_comes_of_was_missed(incidents: SqlIncidents) -> None:
    """Whoever deployed it told the change log; the gate passed it."""
    found = judged(memory_stores(), incidents, rollout(), rollout("a2", at=BEGAN + 7200))
    assert (said(found["a1"]), found["a1"].truth) == (Did.MISSED, Truth.REGRESSED)
    assert found["a1"].by.startswith("incident inc_")
    assert found["a2"].truth is None
    (score,) = scores_of(found.values())
    assert (score.policy, score.acts, score.missed, score.known) == ("default", True, 1, 1)


def test_people_know_better_what_an_incident_comes_of(incidents: SqlIncidents) -> None:
    """What was likely is not, once somebody said so."""
    (id,) = _all(incidents)
    incidents.say("default", id, Said(at=T0, kind=SaidKind.NO_CHANGE, person="ada"))
    found = judged(memory_stores(), incidents, rollout())
    assert found["a1"].truth is None


def test_a_change_that_nobody_suspected_is_looked_up(incidents: SqlIncidents) -> None:
    """A person found that it was a rollout of hours before."""
    stores, earlier = memory_stores(), rollout("a0", at=BEGAN - 7200)
    event = replace(change(minute=-122).events[0], source="/ci", id="9", subject="9")
    (told,) = stores.changes.add("default", [event])
    word = Said(at=T0, kind=SaidKind.CAUSED_BY, person="ada", change=told.id)
    (id,) = _all(incidents)
    incidents.say("default", id, word)
    found = judged(stores, incidents, earlier, rollout())
    assert (found["a0"].truth, found["a1"].truth) == (Truth.REGRESSED, None)


def test_a_change_that_is_gone_blames_nobody(incidents: SqlIncidents) -> None:
    """It was deleted since."""
    (id,) = _all(incidents)
    word = Said(at=T0, kind=SaidKind.CAUSED_BY, person="ada", change="chg_gone")
    incidents.say("default", id, word)
    assert judged(memory_stores(), incidents, rollout())["a1"].truth is None


def test_what_was_stopped_is_known_to_be_bad_only_where_something_says_so(
    incidents: SqlIncidents,
) -> None:
    """That it never became stable is the gate's own doing; an incident is not."""
    latch = Latch(at=BEGAN, found_at=BEGAN, signal="latency", reason=REASON)
    stopped = rollout(latch=latch), rollout("a2", at=BEGAN + 7200, latch=latch)
    found = judged(memory_stores(), incidents, *stopped, outcome=Outcome.FAIL)
    assert said(found["a1"]) is Did.RIGHTLY_BLOCKED
    assert said(found["a2"]) is Did.BLOCKED


def test_a_rollback_is_no_release(incidents: SqlIncidents) -> None:
    """It passes by itself, which is no merit of the policy's."""
    assert judged(memory_stores(), incidents, rollout(rollback="hash:b")) == {}


# -- whether a change is a rollout


def own(id: str) -> Change:
    """As the gate tells it."""
    return replace(change(), source=SOURCE, subject=id)


def test_the_gates_own_change_is_known_by_its_name() -> None:
    """Whatever its times say."""
    assert is_rollout(own("a1"), rollout(at=BEGAN + DAY_S))
    assert not is_rollout(own("a1"), rollout("a2"))


@pytest.mark.parametrize(
    ("minutes", "is_it"), [(-16, False), (-14, True), (0, True), (1, True), (3, False)]
)
def test_another_tells_it_about_when_the_canary_is_first_seen(minutes: float, is_it: bool) -> None:
    """Later or earlier deployments of the service are others."""
    told = change(minute=-2 + minutes)
    assert is_rollout(told, rollout()) is is_it


def test_another_place_is_another_rollout() -> None:
    """Where one of them does not say its place, nothing speaks against it."""
    here = rollout()
    assert is_rollout(change(), here)
    assert not is_rollout(change("web"), here)
    eu = replace(here, identity=replace(here.identity, cluster="eu"))
    assert is_rollout(change(cluster="eu"), eu)
    assert not is_rollout(change(cluster="us"), eu)
    assert not is_rollout(change(), replace(here, started_at=None))


def _all(incidents: SqlIncidents) -> list[str]:
    page = incidents.list(IncidentFilter(tenant="default"))
    return [one.incident.id for one in page.incidents]
