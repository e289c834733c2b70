"""A try of a source: every stage, on three days of a small company."""

from __future__ import annotations

from functools import cache

import pytest

from detector.backtest.course import Course
from detector.discovery.oddities import OddityKind
from detector.discovery.tried import Placebos, Rolled
from detector.gate.policy import Policy
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import Places, Task
from pipelines.flows.discovery import Discovery
from pipelines.flows.trying import Trying
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.testing import FakeSource, Fault
from tests.pipelines.flows.weeks import DAY_S, NOW, Life, company

GOOD, BAD = NOW - DAY_S + 1234, NOW - 8 * 3600 + 700
ENDS = ("bbbbb", "ccccc", "ddddd", "fffff")


@cache
def past() -> MemorySource:
    """A good rollout of `web`, a bad one of `cart` that was taken back, and a quiet service."""
    web = [Life(service="web", pod=f"web-5c4b8d-{e}", end=GOOD + 3000) for e in ENDS]
    web += [Life(service="web", pod=f"web-6d9f7c-{e}", begin=GOOD) for e in ENDS]
    cart = [Life(service="cart", pod=f"cart-5c4b8d-{e}", rate=30.0) for e in ENDS]
    cart += [
        Life(service="cart", pod=f"cart-7f8b9d-{e}", begin=BAD, end=BAD + 1500, errors=0.2)
        for e in ENDS
    ]
    quiet = [Life(service="quiet", pod=f"quiet-5c4b8d-{e}", rate=0.01) for e in ENDS]
    return company([*web, *cart, *quiet])


def trying(source: MemorySource | FakeSource | None = None) -> Trying:
    """A try of it."""
    held = past() if source is None else source
    return Trying(
        source=held,
        packs=load_packs(),
        policy=Policy(),
        now=NOW,
        days=3.0,
        left_s=lambda: 9.0,
    )


def opening() -> Past:
    """The same source, for those who play rollouts."""
    return Past(source=past(), catalog=past(), discover=Discovery(load_packs()))


def played(made: Trying, tasks: list[Task]) -> dict[int, Course]:
    """The answers, in this process."""
    return dict(made.play(tasks, opening, Places(jobs=1)))


def test_services_are_ranked_by_their_traffic() -> None:
    """The busiest are tried first."""
    made = trying()
    _, seen = made.services()
    rates = made.busiest(seen)
    assert [name for name, _ in rates] == ["cart", "web", "quiet"]
    assert rates[0][1] == pytest.approx(120, rel=0.1)


def test_what_would_be_judged_is_told_of_each() -> None:
    """In a line."""
    made = trying()
    _, seen = made.services()
    told = {one.service: one for one in made.plans(seen, ["web", "quiet"])}
    assert told["web"].words == "error_rate, latency, tail95 (tail99)"
    assert told["web"].can_fail
    assert {missing.name for missing in told["web"].missing} >= {"restarts"}


def test_the_names_of_metrics_are_asked_for_once() -> None:
    """Two hundred services would ask two hundred times."""

    class Counted(FakeSource):
        asked = 0

        def metrics(self, *, timeout_s: float) -> frozenset[str]:
            self.asked += 1
            return super().metrics(timeout_s=timeout_s)

    source = Counted(past())
    made = trying(source)
    _, seen = made.services()
    list(made.plans(seen, list(seen)))
    assert source.asked == 1


def test_a_bad_rollout_would_have_been_stopped_and_a_good_one_let_on() -> None:
    """Minute by minute, by the function that the interface calls."""
    made = trying()
    census, _ = made.services()
    dug = made.dig(census, most=20, tell=lambda _: None)
    courses = played(made, made.rollout_tasks(dug.read))
    rolled = {one.service: Rolled(found=one, course=courses[at]) for at, one in enumerate(dug.read)}
    assert rolled["cart"].says == "would have stopped it, as people did"
    assert rolled["cart"].course.signal == "error_rate"
    assert rolled["web"].says == "would have let it on"
    assert len(rolled["web"].course.polls) == pytest.approx(50, abs=2)


def test_placebos_are_drawn_in_turn_over_the_services_and_do_not_fail() -> None:
    """The false-alarm rate on this very data."""
    made = trying()
    tasks = made.placebo_tasks(["web", "cart"], 8)
    assert [task.rollout.request.service for task in tasks[:4]] == ["web", "cart"] * 2
    courses = played(made, tasks)
    found = Placebos.of(list(courses.values()), asked=len(tasks))
    assert (found.judged, found.failed, found.services) == (8, 0, 2)
    assert found.interval[1] < 0.4


def test_the_same_seed_draws_the_same_placebos() -> None:
    """A rate that changes when it is asked twice is none."""
    one, other = trying(), trying()
    assert one.placebo_tasks(["web"], 5) == other.placebo_tasks(["web"], 5)


def test_a_service_without_enough_pods_has_no_placebos() -> None:
    """It is left out, and nothing is an error."""
    lonely = company([Life(service="one", pod="one-5c4b8d-bbbbb")], days=1.0)
    assert trying(lonely).placebo_tasks(["one"], 5) == []


def test_the_hour_of_the_bad_rollout_is_the_strangest() -> None:
    """What a person would have seen on a dashboard."""
    made = trying()
    _, seen = made.services()
    plans = {one.service: one.plan for one in made.plans(seen, ["web", "cart", "quiet"])}
    strange = made.oddities(seen, plans)
    assert (strange[0].service, strange[0].kind) == ("cart", OddityKind.ERRORS)
    assert strange[0].begin < BAD + 1500
    assert strange[0].end > BAD


def test_a_source_that_refuses_a_stage_is_told_and_the_try_goes_on() -> None:
    """Half a report is better than none, if it says which half."""
    source = FakeSource(past())
    made = trying(source)
    _, seen = made.services()
    source.fault = Fault.REJECTED
    assert made.busiest(seen) == ()
    assert {one.what for one in made.skipped} == {"cart", "web", "quiet"}


def test_services_that_there_is_no_time_for_are_named() -> None:
    """Halving what is too large goes on for minutes; the rest of the report needs the time."""
    made = trying()
    made.may_look = lambda: False
    census, seen = made.services()
    assert (census.services, dict(seen)) == (("cart", "quiet", "web"), {})
    assert {one.what.split(" ")[0] for one in made.skipped} == {"cart", "quiet", "web"}
    assert {one.why for one in made.skipped} == {"not looked at in the time"}
