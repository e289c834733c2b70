"""A canary that once was the control is a rollback: known again by hash, digest or version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from detector.gate.attempt import Attempt, Identity, Revision
from detector.gate.policy import Policy
from detector.gate.presence import Presence
from detector.ports import RevisionStore
from detector.series import Answer, Query, Series
from detector.signals.plan import ArmName, Family, Plan, Reading
from detector.signals.signal import Shape
from pipelines.flows.revisions import Revisions
from pipelines.stores.memory import memory_stores

DAY = 86_400.0
T0 = 100 * DAY
REQUESTS = Family(metric="requests_total", shape=Shape.COUNTER)
PLAN = Plan(service="web", canary=(), control=((),), requests=REQUESTS, signals=())
ATTEMPT = Attempt(
    id="a1",
    identity=Identity(
        tenant="default", cluster=None, namespace="shop", service="web", rollout=None, canary=""
    ),
    label=None,
    revision=None,
    policy=Policy(),
    engine="test",
    asked_at=T0,
    last_asked=T0,
    started_at=T0,
)


def seen(*pods: tuple[ArmName, str, float, float]) -> Presence:
    """Pods of both arms, by name and span."""
    presence = Presence(plan=PLAN, interval=15.0)
    for arm, name, first, last in pods:
        times = np.array([first, last])
        series = Series(labels={"pod": name}, times=times, values=np.array([1.0, 2.0]))
        reading = Reading(query=Query("requests_total"), family=REQUESTS, arm=arm)
        presence.take([reading], [Answer(series=(series,))])
    return presence


OLD, NEW, THIRD = "web-5c4b8d9f7-x2x7k", "web-6d9f7c5b4-k8w2d", "web-7f8g9h2j4-m4n5p"
CANARY, CONTROL = ArmName.CANARY, ArmName.CONTROL


def judged(
    revisions: Revisions, canary: str, control: str, at: float, **more: object
) -> str | None:
    """What the attempt that begins at `at` is a rollback to."""
    attempt = replace(ATTEMPT, id=f"{canary}@{at}", started_at=at, **more)  # type: ignore[arg-type]
    pods = seen((CONTROL, control, at - 2 * DAY, at), (CANARY, canary, at, at + 60))
    return revisions.look(attempt, pods, at + 60).rollback


def served(name: str, *, since: float, until: float) -> Revisions:
    """What is known after a revision was the control of a rollout of a third one."""
    revisions = Revisions(memory_stores().revisions)
    attempt = replace(ATTEMPT, id="before", started_at=until)
    pods = seen((CONTROL, name, since, until), (CANARY, THIRD, until - 30, until))
    assert revisions.look(attempt, pods, until).rollback is None
    return revisions


def test_going_back_to_what_served_is_known() -> None:
    """Yesterday's release, put back, is told to be a rollback."""
    revisions = served(OLD, since=T0 - 3 * DAY, until=T0 - DAY)
    assert judged(revisions, OLD, NEW, T0) == "hash:5c4b8d9f7"


def test_a_new_release_is_none() -> None:
    """What never served is judged as new."""
    revisions = served(OLD, since=T0 - 3 * DAY, until=T0 - DAY)
    assert judged(revisions, "web-8888w9999-k8w2d", NEW, T0) is None


def test_a_revision_that_hardly_served_is_no_way_back() -> None:
    """Ten minutes as control prove nothing; an hour does."""
    assert judged(served(OLD, since=T0 - DAY - 600, until=T0 - DAY), OLD, NEW, T0) is None
    assert judged(served(OLD, since=T0 - DAY - 3601, until=T0 - DAY), OLD, NEW, T0) is not None


def test_two_weeks_are_remembered() -> None:
    """What served a month ago is not what the world was tested with."""
    old = served(OLD, since=T0 - 20 * DAY, until=T0 - 15 * DAY)
    young = served(OLD, since=T0 - 20 * DAY, until=T0 - 13 * DAY)
    assert judged(old, OLD, NEW, T0) is None
    assert judged(young, OLD, NEW, T0) is not None


def test_the_control_itself_is_no_rollback() -> None:
    """A canary of the same revision as its control, as with a changed flag, is no way back."""
    revisions = served(OLD, since=T0 - 3 * DAY, until=T0 - DAY)
    assert judged(revisions, OLD, OLD.replace("x2x7k", "b2b7b"), T0) is None


def test_another_services_history_is_not_ours() -> None:
    """Hashes are short: the same one elsewhere is chance."""
    revisions = served(OLD, since=T0 - 3 * DAY, until=T0 - DAY)
    other = replace(ATTEMPT.identity, service="cart")
    assert judged(revisions, OLD, NEW, T0, identity=other) is None
    assert judged(revisions, OLD, NEW, T0, identity=ATTEMPT.identity) is not None


def test_pods_of_two_revisions_are_no_rollback() -> None:
    """One old pod beside a new one: the new one has to be judged."""
    revisions = served(OLD, since=T0 - 3 * DAY, until=T0 - DAY)
    mixed = seen((CANARY, OLD, T0, T0 + 60), (CANARY, NEW, T0, T0 + 60))
    assert revisions.look(ATTEMPT, mixed, T0 + 60).rollback is None


@pytest.mark.parametrize("changes", [{"started_at": None}, {"rollback": "hash:told"}])
def test_what_is_known_is_not_looked_for(changes: dict[str, object]) -> None:
    """Nothing is guessed before the start, and what was found stays found."""
    revisions = served(OLD, since=T0 - 3 * DAY, until=T0 - DAY)
    attempt = replace(ATTEMPT, **changes)  # type: ignore[arg-type]
    assert revisions.look(attempt, seen((CANARY, OLD, T0, T0 + 60)), T0 + 60) == attempt


def test_control_is_noted_every_ten_minutes() -> None:
    """A poll every few seconds must not be a write every few seconds."""
    stores = memory_stores()
    revisions = Revisions(stores.revisions)
    spans = []
    for now in (T0 + 60, T0 + 300, T0 + 660):
        revisions.look(ATTEMPT, seen((CONTROL, NEW, T0 - DAY, now), (CANARY, OLD, T0, now)), now)
        like = next(iter(_known(stores.revisions, now)))
        spans.append((like.since, like.until))
    assert spans == [(T0 - DAY, T0 + 60), (T0 - DAY, T0 + 60), (T0 - DAY, T0 + 660)]


def _known(store: RevisionStore, now: float) -> Sequence[Revision]:
    like = Revision(
        tenant="default", cluster=None, namespace="shop", service="web",
        key="hash:6d9f7c5b4", since=now, until=now,
    )  # fmt: skip
    return store.known(like, since=0.0)
