"""The rounds: silence, weeks and shares, from what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from detector.backtest.shadow import Watched
from detector.errors import StoreError
from detector.explain.weekly import WeeklyAt
from detector.gate.telling import Notice, NoticeKind, Post, Route
from detector.gate.verdict import Outcome
from detector.ports import Stores
from pipelines.notify.rounds import Rounds, Week
from pipelines.stores.memory import DAY_S, memory_stores
from tests.pipelines.flows.scripted import Clock
from tests.pipelines.stores.test_stores import T0, attempt, verdict

WEEKLY = WeeklyAt(day=0, hour=9, minute=0)
MONDAY = WEEKLY.before(T0)


@dataclass(slots=True)
class Night:
    """Stores that rounds look at."""

    stores: Stores = field(default_factory=memory_stores)
    clock: Clock = field(default_factory=Clock)
    routes: tuple[Route, ...] = (Route(name="ops"),)
    weekly: WeeklyAt | None = None

    def rollout(
        self,
        id: str,
        *,
        asked: float,
        until: float,
        outcome: Outcome = Outcome.INCONCLUSIVE,
        service: str = "checkout",
    ) -> None:
        """One that was polled from `asked` to `until`."""
        of = attempt(id, at=asked)
        of = replace(of, last_asked=until, identity=replace(of.identity, service=service))
        stored = verdict(of, at=until, outcome=outcome)
        self.stores.attempts.save(of)
        self.stores.verdicts.save(stored, at=until)

    def rounds(self) -> Rounds:
        """Rounds that have seen nothing yet."""
        return Rounds(stores=self.stores, clock=self.clock, routes=self.routes, weekly=self.weekly)

    def told(self, at: float) -> list[str]:
        """Names of what is in the outbox after a look at `at`."""
        self.clock.at = at
        self.rounds().turn()
        errands = self.stores.outbox.claim("ops", now=at + 1e7, lease_s=0, most=99)
        return [errand.notice.id for errand in errands]


def test_a_rollout_that_fell_silent_undecided_is_told_once() -> None:
    """Argo's count was used up: it is paused, and nobody knows."""
    night = Night()
    night.rollout("a1", asked=T0, until=T0 + 1800)
    assert night.told(T0 + 2300) == []
    assert night.told(T0 + 2400) == ["pause:a1"]
    assert night.told(T0 + 2460) == ["pause:a1"]


def test_a_decided_or_forgotten_one_is_not() -> None:
    """A pass goes on by itself, one question is no polling, and yesterday's is no news."""
    night = Night()
    night.rollout("a1", asked=T0, until=T0 + 1800, outcome=Outcome.PASS)
    night.rollout("a2", asked=T0 + 1700, until=T0 + 1800, service="cart")
    night.rollout("a3", asked=T0 - DAY_S, until=T0 - DAY_S + 1800, service="mail")
    assert night.told(T0 + 2600) == []


def test_the_next_rollout_of_the_service_ends_the_matter() -> None:
    """Somebody has gone on since."""
    night = Night()
    night.rollout("a1", asked=T0, until=T0 + 1800)
    night.rollout("a2", asked=T0 + 2000, until=T0 + 2390, outcome=Outcome.PASS)
    assert night.told(T0 + 2500) == []


def test_the_week_is_told_once_and_late_rather_than_never() -> None:
    """A process that was down on Monday tells it on Tuesday, another replica nothing more."""
    night = Night(weekly=WEEKLY)
    for day in (1, 2, 3):
        ended = MONDAY - day * DAY_S
        night.rollout(f"a{day}", asked=ended - 1800, until=ended)
    assert night.told(MONDAY - 60) == []
    names = [f"weekly:2026-09-21:{route.name}" for route in night.routes]
    assert night.told(MONDAY + DAY_S) == names
    assert night.told(MONDAY + 2 * DAY_S) == names


def test_never_is_never() -> None:
    """Nor where nobody is to be told."""
    night = Night()
    for day in (1, 2, 3):
        night.rollout(f"a{day}", asked=MONDAY - day * DAY_S - 1800, until=MONDAY - day * DAY_S)
    assert night.told(MONDAY + 3600) == []
    night.weekly = WEEKLY
    night.routes = (Route(name="ops", kinds=frozenset({NoticeKind.FAIL})),)
    assert night.told(MONDAY + 3600) == []


def test_shares_are_those_of_the_last_week() -> None:
    """In `/metrics`, also where nobody is told."""
    night = Night(routes=())
    night.rollout("a1", asked=T0 - 9 * DAY_S, until=T0 - 9 * DAY_S + 60)
    night.rollout("a2", asked=T0 - 2 * DAY_S, until=T0 - 2 * DAY_S + 60)
    night.rollout("a3", asked=T0 - DAY_S, until=T0 - DAY_S + 60, outcome=Outcome.PASS)
    night.rollout("a4", asked=T0 - 60, until=T0)
    rounds = night.rounds()
    rounds.turn()
    assert rounds.shares.ended == 2
    assert sum(rounds.shares.inconclusive.values()) == 0.5


def test_many_rollouts_are_read_page_by_page() -> None:
    """More than one page of them are all counted."""
    night = Night(routes=())
    for n in range(1200):
        night.rollout(f"a{n}", asked=T0 - DAY_S - n, until=T0 - DAY_S - n + 1)
    rounds = night.rounds()
    rounds.turn()
    assert rounds.shares.ended == 1200


def test_what_came_of_policies_is_a_part_of_the_week() -> None:
    """Asked for four weeks, up to the moment at which it is due."""
    night, asked = Night(weekly=WEEKLY), list[tuple[float, float]]()
    seen = Watched(
        attempt="a1", service="cart", revision=None, at=MONDAY - DAY_S, outcome=Outcome.PASS,
        reason="healthy", truth=None, by="", policy="default",
    )  # fmt: skip

    def watched(since: float, until: float) -> list[Watched]:
        asked.append((since, until))
        return [seen]

    rounds = night.rounds()
    rounds.watched = watched
    night.clock.at = MONDAY + 600
    rounds.turn()
    (errand,) = night.stores.outbox.claim("ops", now=MONDAY + 1e7, lease_s=0, most=9)
    assert [score.passed for score in errand.notice.policies] == [1]
    assert asked == [(MONDAY - 28 * DAY_S, MONDAY)]


def post(id: str, at: float) -> Post:
    """A notice of a week to `ops`."""
    notice = Notice(
        id=id, kind=NoticeKind.WEEKLY, at=at, tenant="default", title="the week", text=""
    )
    return Post(notice=notice, to=("ops",))


def test_other_weeks_are_told_by_the_same_rounds_each_by_its_own_clock() -> None:
    """Once each; what cannot be made yet is made at a later look, and holds up no other."""
    night, made = Night(weekly=WEEKLY), list[float]()

    def away(at: float) -> list[Post]:
        made.append(at)
        if len(made) == 1:
            raise StoreError("not open yet")
        return [post("digest", at)]

    rounds = night.rounds()
    later = WeeklyAt(day=1, hour=9, minute=0)
    rounds.weeks += [
        Week(moment=WEEKLY, posts=away),
        Week(moment=later, posts=lambda at: [post(f"later:{at:.0f}", at)]),
    ]
    told = []
    for at in (MONDAY + 60, MONDAY + 120, MONDAY + 180, MONDAY + DAY_S + 60):
        night.clock.at = at
        rounds.turn()
        told.append(len(night.stores.outbox.claim("ops", now=at + 1e7, lease_s=0, most=99)))
    assert made == [MONDAY, MONDAY]
    assert told == [1, 2, 2, 3]
