"""Burns of objectives are told once over restarts and processes, and silence is never fine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from detector.errors import InputError, StoreError
from detector.incidents.ports import BurnStep, BurnStore
from detector.incidents.symptom import Symptom
from detector.series import Answer, Matcher, MatchOp, Query
from detector.slo.burn import Burning
from detector.slo.counts import Flaw
from detector.slo.following import Following
from detector.slo.objective import Counted, Objective, OfSignal
from detector.slo.window import Rolling
from detector.stream.anomaly import Severity
from pipelines.slo.burning import Burns
from pipelines.stores.burns import SqlBurns
from pipelines.stores.incidents import SqlIncidents
from pipelines.stores.sqlite import Database
from pipelines.testing import FakeSource, Fault

T0, HOUR, DAY = 300.0 * 6_000_000, 3600.0, 86_400.0
LONG = 10 * DAY
Times = tuple[float, float]


def indicator(job: str) -> Counted:
    own = Matcher("job", MatchOp.EQUAL, job)
    bad = Matcher("code", MatchOp.EQUAL, "500")
    return Counted(
        total=Query("requests_total", (own,)),
        part=Query("requests_total", (own, bad)),
        part_is_good=False,
    )


def objective(name: str = "checkout", **other: object) -> Objective:
    made = Objective(
        name=name,
        service=name,
        target=0.999,
        window=Rolling(seconds=7 * DAY, text="7d"),
        indicator=indicator(name),
    )
    return replace(made, **other)  # type: ignore[arg-type]


class Asked(FakeSource):
    """A source that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def outline(
        self,
        queries: Sequence[Query],
        start: float,
        end: float,
        *,
        step_s: float,
        timeout_s: float,
    ) -> Sequence[Answer]:
        """As the fake does."""
        assert 0 < timeout_s <= 10.0
        self.asked.append(queries[0].matchers[0].value)
        return super().outline(queries, start, end, step_s=step_s, timeout_s=timeout_s)


@dataclass(slots=True)
class World:
    """Counters of jobs, a database of incidents, and a clock; `store` None: nobody is told."""

    database: Database
    objectives: list[Objective] = field(default_factory=lambda: [objective()])
    source: Asked = field(default_factory=Asked)
    now: float = T0 + 30
    ticks: float = 0.0
    is_away: bool = False

    def serve(
        self,
        job: str = "checkout",
        *,
        outage: Times = (0.0, 0.0),
        until: float = T0 + LONG,
        rate: float = 10.0,
    ) -> None:
        """Ten requests a second since four days before T0, of which some fail in an outage."""
        times = np.arange(T0 - 4 * DAY, until, 150.0)
        hurt = (times > T0 + outage[0]) & (times <= T0 + outage[1])
        bad = np.cumsum(np.where(hurt, 0.1, 0.0001)) * 150 * rate
        ok = np.cumsum(np.where(hurt, 0.9, 0.9999)) * 150 * rate
        for code, values in (("200", ok), ("500", bad)):
            labels = {"__name__": "requests_total", "job": job, "code": code}
            self.source.store.add(labels, times, values)

    def burns(self, *, is_told: bool = True) -> Burns:
        """A process that looks."""
        return Burns(
            self.objectives,
            self.source,
            lambda one, *_: indicator(one.service),
            self.store if is_told else None,
            clock=lambda: self.now,
            monotonic=lambda: self.ticks,
        )

    def store(self) -> BurnStore:
        """The database, where it is not away."""
        if self.is_away:
            raise StoreError("the stream is not open")
        return SqlBurns(self.database)

    def at(self, burns: Burns, *seconds: float) -> None:
        """Look at those times after T0."""
        for one in seconds:
            self.now = T0 + one + 30
            burns.look()

    def told(self) -> list[Symptom]:
        """What came to incidents, in order."""
        return [one.symptom for one in SqlIncidents(self.database).received(100)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty one."""
    database = Database(tmp_path / "stream.db")
    yield World(database)
    database.close()


MINUTES = [300.0 * at for at in range(24)]


def test_an_outage_is_told_when_it_begins_and_when_it_is_over(world: World) -> None:
    """Each once, however often somebody looks."""
    world.serve(outage=(0.0, 1800.0))
    burns = world.burns()
    world.at(burns, *MINUTES)
    begun, over = world.told()
    assert (begun.id, begun.severity, begun.end) == (over.id, Severity.HIGH, None)
    assert (begun.service, begun.slo, begun.start) == ("checkout", "checkout", 1000 * T0)
    assert over.end is not None
    assert 1500 <= over.end / 1000 - T0 <= 3600
    (seen,) = burns.seen
    assert seen.alert is not None
    assert not seen.alert.is_on
    assert (seen.standing.burning, seen.why) == (Burning.QUIET, "")
    assert burns.meters.told == 2
    assert burns.blind() == {}


def test_a_restart_tells_nothing_anew(world: World) -> None:
    """At any moment of the alert."""
    world.serve(outage=(0.0, 1800.0))
    for at in MINUTES:
        world.at(world.burns(), at)
    assert len(world.told()) == 2


def test_two_processes_tell_once(world: World) -> None:
    """Replicas on one database."""
    world.serve(outage=(0.0, 1800.0))
    one, other = world.burns(), world.burns()
    for at in MINUTES:
        world.at(one, at)
        world.at(other, at)
    assert len(world.told()) == 2
    assert one.seen[0].alert == other.seen[0].alert


def test_of_what_was_over_at_the_first_look_nobody_hears(world: World) -> None:
    """It was told by whoever looked then."""
    world.serve(outage=(-DAY, -DAY + 3600))
    world.at(world.burns(), 0.0, 300.0)
    assert world.told() == []


def test_within_a_bin_nothing_is_asked(world: World) -> None:
    """Five minutes have to be over, and their samples there."""
    world.serve()
    burns = world.burns()
    world.at(burns, 0.0, 60.0, 200.0, 280.0)
    assert world.source.asked == ["checkout"]
    world.at(burns, 300.0)
    assert world.source.asked == ["checkout"] * 2


def test_a_source_that_falls_silent_ends_no_alert(world: World) -> None:
    """It is blindness, and told as that; and after it the alert goes on where it was."""
    world.serve(outage=(0.0, 3 * HOUR), until=T0 + 1200)
    burns = world.burns()
    world.at(burns, *MINUTES)
    (begun,) = world.told()
    (seen,) = burns.seen
    assert begun.end is None
    assert seen.alert is not None
    assert seen.alert.is_on
    assert (seen.standing.burning, seen.standing.flaw) == (Burning.UNKNOWN, Flaw.STALE_DATA)
    assert burns.blind() == {"the error budget of checkout": "checkout: the counters fell silent"}


def test_a_source_that_is_down_is_asked_once_a_look(world: World) -> None:
    """One that hangs costs its time once, and everybody is blind at once."""
    world.objectives = [objective(name) for name in ("cart", "checkout", "pay")]
    for one in world.objectives:
        world.serve(one.service)
    burns = world.burns()
    world.at(burns, 0.0)
    world.source.fault = Fault.DOWN
    world.source.asked.clear()
    world.at(burns, 300.0)
    assert len(world.source.asked) == 1
    assert {one.standing.flaw for one in burns.seen} == {Flaw.SOURCE_FAILED}
    ((what, why),) = burns.blind().items()
    assert what == "the error budgets of cart, checkout and pay"
    assert "cart, checkout and pay: " in why
    world.source.fault = Fault.NONE
    world.at(burns, 300.0)
    assert burns.blind() == {what: ""}
    assert {one.standing.burning for one in burns.seen} == {Burning.QUIET}
    assert burns.meters.failed == 1


def test_one_that_fails_always_is_last_in_the_end(world: World) -> None:
    """It keeps nobody else from being looked at."""
    world.objectives = [objective(name) for name in ("cart", "checkout")]
    world.serve("checkout")
    burns = world.burns()
    world.source.script(Fault.DOWN)
    world.at(burns, 0.0)
    world.source.script(Fault.NONE, Fault.DOWN)
    world.at(burns, 0.0)
    states = {one.objective.name: one.standing.burning for one in burns.seen}
    assert states == {"cart": Burning.UNKNOWN, "checkout": Burning.QUIET}
    assert [*burns.blind().values()] != [""]


def test_a_look_has_an_end(world: World) -> None:
    """What is left is looked at by the next."""
    world.objectives = [objective(name) for name in ("cart", "checkout", "pay")]
    for one in world.objectives:
        world.serve(one.service)
    burns = world.burns()
    answered = world.source.outline

    class Slow(Asked):
        """Takes thirty seconds."""

        def outline(self, *asked: object, **more: object) -> Sequence[Answer]:
            """As the other."""
            world.ticks += 30.0
            return answered(*asked, **more)  # type: ignore[arg-type]

    burns._ledger.source = Slow()
    world.at(burns, 0.0)
    assert world.source.asked == ["cart", "checkout"]
    world.at(burns, 0.0)
    assert world.source.asked == ["cart", "checkout", "pay"]


def test_no_requests_are_no_blindness_and_not_fine(world: World) -> None:
    """A service that nobody asks for anything."""
    world.serve(rate=0.0)
    burns = world.burns()
    world.at(burns, 0.0)
    (seen,) = burns.seen
    assert (seen.standing.burning, seen.standing.flaw) == (Burning.UNKNOWN, Flaw.NO_EVENTS)
    assert seen.why == "there were no requests"
    assert burns.blind() == {}


def test_a_query_that_finds_nothing_is_blindness(world: World) -> None:
    """A misspelt one would be quiet for ever."""
    burns = world.burns()
    world.at(burns, 0.0)
    assert burns.blind() == {
        "the error budget of checkout": "checkout: the source has no such counters"
    }


def test_what_is_wrong_is_asked_for_once_a_bin(world: World) -> None:
    """All four weeks of a wrong query each quarter of a minute would be a load of its own."""
    burns = world.burns()
    world.at(burns, 0.0, 15.0, 30.0, 300.0, 315.0)
    assert len(world.source.asked) == 2


def test_what_cannot_be_told_yet_is_told_later(world: World) -> None:
    """The stream opens beside the gate; how objectives stand is known before."""
    world.serve(outage=(0.0, 1800.0))
    burns = world.burns()
    world.is_away = True
    for at in MINUTES[:5]:
        with pytest.raises(StoreError):
            world.at(burns, at)
    assert burns.seen[0].standing.burning is Burning.PAGE
    world.is_away = False
    world.at(burns, MINUTES[5])
    assert [one.end for one in world.told()] == [None]


def test_without_incidents_objectives_are_looked_at_all_the_same(world: World) -> None:
    """Nobody is told, and pages show it."""
    world.serve(outage=(0.0, 1800.0))
    burns = world.burns(is_told=False)
    world.at(burns, *MINUTES[:5])
    (seen,) = burns.seen
    assert seen.alert is not None
    assert seen.alert.is_on
    assert world.told() == []


def test_an_objective_that_is_configured_no_more_ends_its_alert(world: World) -> None:
    """Its incident would last for ever."""
    world.serve(outage=(0.0, DAY))
    world.serve("cart")
    world.at(world.burns(), *MINUTES[:5])
    world.objectives = [objective("cart")]
    burns = world.burns()
    world.at(burns, MINUTES[6], MINUTES[7])
    begun, over = world.told()
    assert begun.id == over.id
    assert over.end is not None
    assert "there is no such objective" in over.text
    assert [one.objective.name for one in burns.seen] == ["cart"]


def test_objectives_of_one_service_share_what_is_counted(world: World) -> None:
    """Two targets on the same counters are one question."""
    world.objectives = [objective(), objective(name="strict", service="checkout", target=0.9999)]
    world.serve(outage=(0.0, 1800.0))
    burns = world.burns()
    world.at(burns, *MINUTES[:5])
    assert world.source.asked == ["checkout"] * 5
    assert {one.slo for one in world.told()} == {"checkout", "strict"}
    assert len({one.id for one in world.told()}) == 2


def test_counters_of_a_signal_are_looked_up_once_an_hour(world: World) -> None:
    """Discovery costs many questions."""
    world.serve()
    found: list[float] = []

    def counters(one: Objective, as_of: float, timeout_s: float) -> Counted:
        found.append(as_of - T0)
        return indicator(one.service)

    bound = objective(indicator=OfSignal(signal="error_rate", namespace="shop"))
    burns = Burns([bound], world.source, counters, world.store, clock=lambda: world.now)
    world.at(burns, *MINUTES)
    assert found == [0.0, 3900.0]


def test_a_signal_that_is_not_there_is_said(world: World) -> None:
    """In the words of discovery; others are looked at."""
    world.objectives = [objective("cart"), objective()]
    world.serve()

    def counters(one: Objective, *_: float) -> Counted:
        if one.service == "cart":
            raise InputError("cart has no signal error_rate", field="signal")
        return indicator(one.service)

    burns = Burns(world.objectives, world.source, counters, world.store, clock=lambda: world.now)
    world.at(burns, 0.0)
    assert [(one.standing.burning, one.why) for one in burns.seen] == [
        (Burning.UNKNOWN, "cart has no signal error_rate"),
        (Burning.QUIET, ""),
    ]


def test_what_another_has_followed_further_is_not_undone(world: World) -> None:
    """A process that hung for an hour comes back."""
    store = SqlBurns(world.database)
    ahead = BurnStep(service="checkout", name="checkout", following=Following(at=T0 + HOUR))
    store.keep("default", [ahead])
    world.serve(outage=(0.0, 1800.0))
    world.at(world.burns(), *MINUTES[:5])
    assert store.of("default") == {("checkout", "checkout"): Following(at=T0 + HOUR)}
    assert world.told() == []
