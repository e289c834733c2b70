"""Cohorts: groups of users, and whether the split is the one that was told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.cohorts import group_label
from detector.gate.cohort import Users, group_of, is_unfair
from detector.signals.plan import ArmName

COUNTS = st.integers(100, 100_000)


def notes(ours: int, theirs: int) -> dict[str, int]:
    """How many users a frame tells of."""
    return {"users_canary": ours, "users_control": theirs}


@given(st.text(min_size=1))
def test_a_user_has_one_group_a_side(user: str) -> None:
    """Who comes back is counted with himself, in every process."""
    ours, theirs = (group_of(arm, user) for arm in ArmName)
    assert ours == group_of(ArmName.CANARY, user)
    assert ours.split()[-1] == theirs.split()[-1]
    assert ours != theirs


def test_there_are_twenty_groups_a_side() -> None:
    """As many as pods that are judged by themselves."""
    assert len({group_of(ArmName.CANARY, f"user-{k}") for k in range(2000)}) == 20


@given(COUNTS)
def test_the_told_split_is_fair(count: int) -> None:
    """An exact tenth is never suspected."""
    assert not is_unfair(notes(count, 9 * count), 10.0)


@pytest.mark.parametrize(
    ("ours", "theirs", "unfair"), [(1000, 9000, False), (850, 9150, True), (1060, 8940, False)]
)
def test_a_seventh_too_few_is_no_draw(ours: int, theirs: int, unfair: bool) -> None:
    """150 of a thousand users missing is no chance; sixty too many may be."""
    assert is_unfair(notes(ours, theirs), 10.0) is unfair


@pytest.mark.parametrize("weight", [None, 0.0, 100.0])
def test_without_a_split_nothing_is_suspected(weight: float | None) -> None:
    """Nobody told what to expect."""
    assert not is_unfair(notes(10, 10_000), weight)


def test_users_are_counted_once() -> None:
    """A thousand series of one user are one user."""
    users = Users()
    for _ in range(3):
        users.meet(ArmName.CANARY, "ada")
    users.meet(ArmName.CONTROL, "bob")
    assert users.notes == {"users_canary": 1, "users_control": 1}
    assert Users().notes == {}


def series(label: str, count: int) -> list[dict[str, str]]:
    """Series of so many users."""
    return [{"__name__": "requests_total", label: str(k)} for k in range(count)]


def test_the_finest_label_of_users_is_taken() -> None:
    """Users rather than buckets of them, and nothing with three values."""
    both = [a | b for a, b in zip(series("user_id", 50), series("bucket", 50), strict=True)]
    assert group_label(both, both) == "user_id"
    assert group_label(series("bucket", 20), series("bucket", 20)) == "bucket"
    assert group_label(series("bucket", 3), series("bucket", 20)) is None
    assert group_label(series("path", 20), series("path", 20)) is None
