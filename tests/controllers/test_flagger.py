"""Flagger's own canary controller and webhook caller on the shipped Canary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from detector.discovery.steering import GAUGE
from tests.controllers.controllers import TOKEN, Flagger, Tick, call, flagger
from tests.controllers.wire import Wire, running

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

YES, NO = "200", "403"
HEALTHY = {
    "rollback": [NO],
    "confirm-traffic-increase": [YES],
    "confirm-promotion": [YES],
    "event": [YES],
}


@contextmanager
def rollout(**scripts: Sequence[str]) -> Iterator[tuple[Flagger, Wire]]:
    """A new revision of the shipped Canary, with answers by hook; the rest is a healthy one's."""
    given = {name.replace("_", "-"): words for name, words in scripts.items()}
    with running(HEALTHY | given) as wire, flagger(url=wire.url, timeout="300ms") as canary:
        yield canary, wire


def test_passing_canary_is_promoted() -> None:
    """Step by step to the largest weight, then it becomes the primary."""
    with rollout() as (canary, _):
        ticks = canary.tick(20)
    assert sorted({tick.weight for tick in ticks}) == [0, 10, 20, 30, 40, 50]
    assert ticks[-1] == Tick(phase="Succeeded", weight=0, failed_checks=0)


def test_flagger_shows_the_weight_in_the_gauge_that_is_read() -> None:
    """By its name and labels: under any others serinus would see no step of a rollout."""
    with rollout() as (canary, _):
        ticks = canary.tick(20)
    gauge = f'{GAUGE}{{namespace="shop",workload="checkout%s"}}'
    shown = [(tick.shown[gauge % ""], tick.shown[gauge % "-primary"]) for tick in ticks]
    under_way = [at for at, tick in enumerate(ticks) if tick.phase == "Progressing"]
    assert {len(tick.shown) for tick in ticks} == {2}
    assert [shown[at] for at in under_way] == [
        (ticks[at].weight, 100 - ticks[at].weight) for at in under_way
    ]
    assert list(dict.fromkeys(ours for ours, _ in shown)) == [0, 10, 20, 30, 40, 50]
    assert shown[-1] == (0, 100)


def test_undecided_canary_is_held_where_it_is() -> None:
    """Past weight 0 by the first step; then no tick moves it or counts against it."""
    with rollout(confirm_traffic_increase=[YES, NO]) as (canary, _):
        ticks = canary.tick(30)
    assert {(tick.phase, tick.weight, tick.failed_checks) for tick in ticks[5:]} == {
        ("Progressing", 10, 0)
    }


def test_held_canary_goes_on_when_it_passes() -> None:
    """A hold is no dead end."""
    with rollout(confirm_traffic_increase=[YES, *[NO] * 12, YES]) as (canary, _):
        assert canary.tick(40)[-1].phase == "Succeeded"


def test_promotion_waits_for_the_final_pass() -> None:
    """It stands where it is, is promoted at the pass, and counts nothing."""
    with rollout(confirm_promotion=[*[NO] * 12, YES]) as (canary, wire):
        ticks = canary.tick(40)
    assert [tick.phase for tick in ticks].count("WaitingPromotion") == 12
    assert (max(tick.failed_checks for tick in ticks), ticks[-1].phase) == (0, "Succeeded")
    assert wire.asked["confirm-promotion"] == 13


@pytest.mark.parametrize("before", [1, 4], ids=["early", "late"])
def test_failing_canary_is_rolled_back_at_once(before: int) -> None:
    """The tick after the verdict, not the tenth."""
    with rollout(rollback=[*[NO] * before, YES]) as (canary, wire):
        ticks = canary.tick(20)
    assert ticks[-1] == Tick(phase="Failed", weight=0, failed_checks=0)
    assert wire.asked["rollback"] == before + 1


def test_failing_canary_is_rolled_back_while_it_waits_for_promotion() -> None:
    """A pass that was, is not the last word."""
    with rollout(rollback=[*[NO] * 9, YES], confirm_promotion=[NO]) as (canary, _):
        ticks = canary.tick(20)
    assert [tick.phase for tick in ticks[-2:]] == ["WaitingPromotion", "Failed"]


@pytest.mark.parametrize("fault", ["503", "500", "401", "404", "cut", "silence"])
def test_no_answer_holds_and_never_rolls_back(fault: str) -> None:
    """An outage of thirty ticks, three times the threshold: weight kept, nothing counted."""
    scripts = {
        "rollback": [*[NO] * 2, fault],
        "confirm_traffic_increase": [*[YES] * 2, fault],
        "confirm_promotion": [fault],
    }
    with rollout(**scripts) as (canary, _):
        ticks = canary.tick(8 if fault == "silence" else 30)
    assert {(tick.phase, tick.weight, tick.failed_checks) for tick in ticks[5:]} == {
        ("Progressing", 20, 0)
    }


def test_outage_at_the_promotion_holds_it() -> None:
    """Neither promoted nor rolled back until serinus is there again."""
    with rollout(rollback=[*[NO] * 6, "503"], confirm_promotion=[*["503"] * 12, YES]) as (
        canary,
        _,
    ):
        ticks = canary.tick(40)
    assert max(tick.failed_checks for tick in ticks) == 0
    assert ticks[-1].phase == "Succeeded"


@pytest.mark.parametrize(
    ("answer", "is_yes"),
    [
        ("200", True),
        ("202", True),
        ("203", False),
        ("204", False),
        ("403", False),
        ("503", False),
        ("cut", False),
        ("silence", False),
        ("html", True),  # whatever it says: keep login pages away from these hooks
        ("moved", True),
    ],
)
def test_what_flagger_takes_for_a_yes(answer: str, is_yes: bool) -> None:
    """Why serinus answers exactly 200 or 403, and nothing may stand between it and Flagger."""
    with running({"rollback": [answer]}) as wire:
        told = call(("rollback", "Progressing"), url=wire.url, timeout="300ms")
    assert [yes for yes, _ in told] == [is_yes]


def test_the_reason_of_a_no_reaches_the_event() -> None:
    """What people see in `kubectl describe canary`."""
    with running({"confirm-promotion": ["403"]}) as wire:
        [(_, words)] = call(("confirm-promotion", "Progressing"), url=wire.url)
    assert "overloaded" in words


def test_hooks_carry_the_token_and_a_checksum_of_the_revision() -> None:
    """Flagger sends no header; the checksum makes one attempt of one revision."""
    with rollout() as (canary, wire):
        canary.tick(20)
    asked = [body for path, _, body in wire.bodies if not path.endswith("/event")]
    assert {body["metadata"]["token"] for body in asked} == {TOKEN}
    assert {(body["name"], body["namespace"]) for body in asked} == {("checkout", "shop")}
    assert len({body["checksum"] for body in asked}) == 1
