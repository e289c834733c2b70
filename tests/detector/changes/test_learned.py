"""Versions are only added: each apply and each undo says what it goes back to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeKind
from detector.changes.learned import Learned, applied, in_force, undone
from detector.errors import InputError

STEPS = st.lists(st.one_of(st.floats(0.001, 0.5), st.just("undo")), max_size=12)


def run(steps: list[float | str]) -> tuple[list[Learned], list[float]]:
    """The versions after some steps, and beside them a plain stack of what is in force."""
    versions: list[Learned] = []
    stack: list[float] = []
    for step in steps:
        if isinstance(step, float):
            bad = {ChangeKind.FLAG: step}
            versions.append(applied(versions, bad, person="ada", reason="", at=1.0))
            stack.append(step)
        elif stack:
            versions.append(undone(versions, person="bob", reason="", at=2.0))
            stack.pop()
    return versions, stack


def test_nothing_is_in_force_at_first() -> None:
    """And so nothing can be undone."""
    assert in_force([]) is None
    with pytest.raises(InputError, match="nothing to undo"):
        undone([], person="ada", reason="", at=1.0)


def test_an_undone_first_version_leaves_the_defaults() -> None:
    """Which cannot be undone either."""
    versions, _ = run([0.2, "undo"])
    assert (versions[-1].bad, versions[-1].undoes, versions[-1].person) == ({}, 1, "bob")
    with pytest.raises(InputError, match="nothing to undo"):
        undone(versions, person="ada", reason="", at=3.0)


@given(STEPS)
def test_undo_goes_back_step_by_step(steps: list[float | str]) -> None:
    """As a stack does, however applies and undos mix."""
    versions, stack = run(steps)
    last = in_force(versions)
    bad = {} if last is None else dict(last.bad)
    assert bad == ({ChangeKind.FLAG: stack[-1]} if stack else {})


@given(STEPS)
def test_versions_are_numbered_without_a_gap(steps: list[float | str]) -> None:
    """Nothing that ever was in force is lost."""
    versions, _ = run(steps)
    assert [one.version for one in versions] == list(range(1, len(versions) + 1))
    assert all(one.before < one.version for one in versions)
