"""Tables of keys, what is counted by them, and families: the rooms that templates are found in."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.templates import kernel
from models.templates.families import Families, grown, table, table_for
from models.templates.tallied import Tallied
from tests.profiles import HEAVY

# Few homes in a small table, so that keys stand in each other's way.
KEYS = st.integers(0, 40).map(lambda nth: nth * 8 + nth % 3)
STEPS = st.lists(st.tuples(st.booleans(), KEYS, st.integers(0, 99)), max_size=60)


@given(steps=STEPS)
def test_a_table_is_a_dictionary(steps: list[tuple[bool, int, int]]) -> None:
    """A key that was dropped is gone, and those that stood behind it are still found."""
    made, told = table(64), dict[int, int]()
    for is_put, key, to in steps:
        if is_put:
            kernel.put(made, np.uint64(key), to)
            told[key] = to
        else:
            kernel.drop(made, np.uint64(key))
            told.pop(key, None)
    wider = grown(made)
    for key in range(330):
        expected = told.get(key, -1)
        assert kernel.find(made, np.uint64(key)) == expected
        assert kernel.find(wider, np.uint64(key)) == expected


def test_a_table_for_many_keys_has_room_for_more() -> None:
    """A table that is full is searched without end."""
    for keys in (0, 1, 1023, 1024, 5000):
        assert len(table_for(keys)[0]) > 2 * keys


@HEAVY
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=400))
def test_what_enters_and_leaves_is_counted(steps: list[tuple[bool, int]]) -> None:
    """A count that is too high floods a shape that has few templates."""
    tallied, told = Tallied(), dict[int, int]()
    for is_in, key in steps:
        if is_in:
            told[key] = told.get(key, 0) + 1
            assert tallied.enter(np.uint64(key)) == told[key]
        else:
            told[key] = max(told.get(key, 0) - 1, 0)
            tallied.leave(np.uint64(key))
    left = [key for key, count in told.items() for _ in range(count)]
    again = Tallied(np.array(left, np.uint64))
    for key in range(1, 301):
        assert tallied.of(np.uint64(key)) == again.of(np.uint64(key)) == told.get(key, 0)


def test_of_key_nought_nothing_is_counted() -> None:
    """Lines that do not begin with a word have no key behind their first word."""
    tallied = Tallied(np.zeros(3, np.uint64))
    assert tallied.enter(np.uint64(0)) == tallied.of(np.uint64(0)) == 0


FOUND = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=90)


@HEAVY
@given(found=FOUND, draw=st.randoms(use_true_random=False))
def test_families_made_at_once_are_those_made_one_by_one(
    found: list[tuple[int, int]], draw: Random
) -> None:
    """After a restart a line joins the family that it would have joined."""
    grown_up = Families()
    for root, free in found:
        grown_up.found(np.uint64(root), free)
    of = np.array([draw.randrange(len(found)) for _ in range(3 * len(found))], np.int32)
    for slot, family in enumerate(of.tolist()):
        grown_up.enter(family, slot)
    roots, frees = (np.array(column, np.uint64) for column in zip(*found, strict=True))
    made = Families.made(roots, frees, of)
    for family in range(len(found)):
        assert made.members(family) == grown_up.members(family)
        assert made.members(family, 2) == grown_up.members(family)[-2:]
    for root in range(6):
        key = np.uint64(root)
        assert made.of(key, 99) == grown_up.of(key, 99)
        assert frees_of(made, key) == frees_of(grown_up, key)
        assert frees_of(made, key) == {free for own, free in found if own == root}


def frees_of(families: Families, root: np.uint64) -> set[int]:
    """Sets of free places that lines of a beginning are looked for with, each told once."""
    (heads, free, after), found = families.groups, list[int]()
    group = kernel.find(heads, root)
    while group >= 0:
        found.append(int(free[group]))
        group = int(after[group])
    assert len(found) == len(set(found))
    return set(found)


def test_families_without_members_are_joined_by_no_line() -> None:
    """Templates that were forgotten leave nothing that new lines could be like."""
    families = Families()
    first, second = (families.found(np.uint64(7), 0) for _ in range(2))
    families.enter(second, 0)
    assert families.of(np.uint64(7), 9) == [second]
    families.set_members(second, [])
    families.enter(first, 1)
    assert families.of(np.uint64(7), 9) == [first]


def test_only_those_with_members_are_kept() -> None:
    """What is forgotten gives its room back."""
    families = Families()
    for root in (3, 4, 5):
        families.found(np.uint64(root), root)
    made, of = families.kept(np.array([2, 0, 2], np.int32))
    assert of.tolist() == [1, 0, 1]
    assert made.filled == 2
    assert made.free[:2].tolist() == [3, 5]
