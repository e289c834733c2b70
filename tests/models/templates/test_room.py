"""Room for templates: who is forgotten first, what a flood is, and that all of it adds up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates.miner import Miner, Settings
from tests.models.templates.lines import LOGS, columns, same, texts
from tests.profiles import HEAVY

LEAST = Settings(templates=16)
SMALL = Settings(templates=64)


def kinds(n: int, word: str = "kind") -> list[str]:
    """Lines of so many shapes, so that none of them is like another."""
    return [word + " |" * k for k in range(1, n + 1)]


def test_who_was_seen_last_is_kept() -> None:
    """Of sixteen kinds those that a service still writes outlive those that it wrote once."""
    miner, lines = Miner(LEAST), kinds(16)
    miner.add(*columns(*lines))
    miner.add(*columns(*lines[8:]))
    mined = miner.add(*columns(*kinds(8, "other")))
    assert mined.forgotten.tolist() == list(range(8))
    again = miner.add(*columns(*lines[8:]))
    assert again.number.tolist() == list(range(8, 16))


def test_of_templates_seen_in_one_batch_the_first_line_goes_first() -> None:
    """A batch has an order, too."""
    miner = Miner(LEAST)
    miner.add(*columns(*kinds(16)[::-1]))
    mined = miner.add(*columns("one more"))
    assert mined.forgotten.tolist() == [0]


def test_a_sixteenth_makes_room_at_a_time() -> None:
    """Room is made for many at once, so that an explosion costs little a line."""
    miner = Miner(SMALL)
    miner.add(*columns(*kinds(64)))
    mined = miner.add(*columns("one more"))
    assert mined.forgotten.tolist() == [0, 1, 2, 3]
    assert not len(miner.add(*columns(*kinds(3, "other"))).forgotten)
    assert len(miner.add(*columns("and one more of it")).forgotten) == 4


def test_nothing_is_forgotten_while_there_is_room() -> None:
    """The last template that there is room for costs no other one."""
    miner = Miner(SMALL)
    mined = miner.add(*columns(*kinds(64)))
    assert not len(mined.forgotten)
    assert miner.tally.templates == 64
    assert not len(miner.add(*columns(*kinds(64))).forgotten)


def test_known_lines_forget_nothing() -> None:
    """At the limit, lines of templates that are there need no room."""
    miner = Miner(LEAST)
    miner.add(*columns(*kinds(16)))
    for _ in range(5):
        mined = miner.add(*columns(*kinds(16)))
        assert mined.number.tolist() == list(range(16))
        assert not len(mined.forgotten)
    assert {miner.template(number).count for number in range(16)} == {6}


def test_numbers_are_never_given_twice() -> None:
    """Counts of a template that is gone are never those of another one."""
    miner, seen = Miner(LEAST), list[int]()
    for batch in range(12):
        mined = miner.add(*columns(*kinds(12, f"w{'abcdefghijkl'[batch]}")))
        seen += mined.fresh.tolist()
    assert seen == sorted(set(seen))
    assert miner.tally.born == len(seen)


def test_a_template_that_came_back_has_another_number_and_its_id() -> None:
    """By number it is news, by id it is the one that it was."""
    miner = Miner(LEAST)
    first = int(miner.add(*columns("night job ran")).number[0])
    before = miner.template(first)
    miner.add(*columns(*kinds(40)))
    later = int(miner.add(*columns("night job ran")).number[0])
    assert later > first
    assert miner.template(later).id == before.id
    assert miner.template(later).count == 1
    with pytest.raises(KeyError):
        miner.template(first)


def test_a_parameter_that_was_forgotten_is_learned_again() -> None:
    """Nothing of a family stays that has no template: the next user is a word until others come."""
    names = ("ann", "bob", "cy", "dora", "emil", "fay")
    lines = [f"session opened for user {name} by root" for name in names]
    miner = Miner(LEAST)
    assert len(set(texts(miner, lines))) == 1
    miner.add(*columns(*kinds(40)))
    assert texts(miner, lines[:1]) == [lines[0]]
    assert set(texts(miner, lines)) == {"session opened for user <*> by root"}


def test_a_flood_of_one_shape_starts_at_a_quarter_of_all() -> None:
    """Of sixty-four kept, sixteen of one shape are kinds, and what comes behind is a flood."""
    miner = Miner(SMALL)
    letters = "abcdefghijklmnopqrstuvwxyz"
    lines = [f"{a}x -> {b}y -> {a}{b}" for a, b in zip(letters, letters[::-1], strict=True)]
    found = texts(miner, lines)
    assert found[:16] == lines[:16]
    assert set(found[16:]) == {"<*> -> <*> -> <*>"}
    assert miner.tally.floods == 1


def test_a_flood_ends_when_its_kinds_are_forgotten() -> None:
    """An hour after a dump, lines of its shape are kinds again."""
    miner = Miner(SMALL)
    letters = "abcdefghijklmnopqrstuvwxyz"
    miner.add(*columns(*(f"{a * 3}, {b * 3}" for a in letters[:5] for b in letters)))
    assert miner.tally.floods == 1
    miner.add(*columns(*kinds(200)))
    assert texts(miner, ["red, green"]) == ["red, green"]


def test_two_floods_are_told_as_two() -> None:
    """How many shapes are flooded says how many services need a look."""
    miner = Miner(SMALL)
    letters = "abcdefghijklmnopqrstuvwxyz"
    for mark in (", ", "; "):
        miner.add(*columns(*(f"{a * 3}{mark}{a * 4}" for a in letters)))
    assert miner.tally.floods == 2


def test_a_flood_leaves_parameters_as_they_are() -> None:
    """Numbers in a flooded line are told as numbers no more, as any word may be there."""
    miner = Miner(SMALL)
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts(miner, [f"{a * 3}, {a * 4}" for a in letters])
    assert texts(miner, ["zzz, 17", "17, zzz"]) == ["<*>, <*>"] * 2


def test_a_miner_that_is_full_is_the_same_after_a_restart() -> None:
    """What would be forgotten next does not hang on whether a process was started anew."""
    kept, unbroken = (Miner(LEAST) for _ in "12")
    for miner in (kept, unbroken):
        miner.add(*columns(*kinds(20)))
    restored = Miner.from_arrays(kept.to_arrays(), LEAST)
    one, other = (miner.add(*columns(*kinds(9, "new"))) for miner in (restored, unbroken))
    assert one.forgotten.tolist() == other.forgotten.tolist()
    assert same(restored.to_arrays(), unbroken.to_arrays())


def test_a_tally_of_nothing_is_nothing() -> None:
    """Before the first line all figures are there, and are nought."""
    tally = Miner().tally
    assert (tally.lines, tally.templates, tally.born) == (0, 0, 0)
    assert (tally.joined, tally.forgotten, tally.floods) == (0, 0, 0)


def test_figures_go_on_after_a_restart() -> None:
    """Counters that only grow do not begin anew in the middle of a graph."""
    miner = Miner(LEAST)
    names = ("ann", "bob", "cy", "dora", "emil")
    miner.add(*columns(*(f"session opened for user {name} by root" for name in names)))
    miner.add(*columns(*kinds(30)))
    assert Miner.from_arrays(miner.to_arrays(), LEAST).tally == miner.tally
    assert min(miner.tally.joined, miner.tally.forgotten) > 0


@HEAVY
@given(batches=st.lists(LOGS, max_size=4), settings=st.sampled_from([LEAST, SMALL, Settings()]))
def test_figures_add_up(batches: list[list[str | bytes]], settings: Settings) -> None:
    """Born are those that live, were merged or were forgotten; every line is counted."""
    miner, fresh, merged, forgotten, lines = Miner(settings), 0, 0, 0, 0
    for batch in batches:
        mined = miner.add(*columns(*batch))
        fresh += len(mined.fresh)
        merged += len(mined.merged)
        forgotten += len(mined.forgotten)
        lines += len(batch)
        tally = miner.tally
        assert tally.lines == lines
        assert tally.born == tally.templates + tally.joined + tally.forgotten
        assert (tally.joined, tally.forgotten) == (merged, forgotten)
        assert tally.templates <= settings.templates
        assert fresh <= tally.born <= fresh + merged


@HEAVY
@given(batches=st.lists(LOGS, max_size=4))
def test_every_line_of_a_batch_can_be_read(batches: list[list[str | bytes]]) -> None:
    """Whoever counts by id asks for each number of a batch, also one that made room within it."""
    miner = Miner(LEAST)
    for batch in batches:
        numbers = miner.add(*columns(*batch)).number
        read = {number: miner.template(number) for number in set(numbers.tolist())}
        assert all(one.id.startswith("lt_") and len(one.id) == 19 for one in read.values())
        assert len({one.id for one in read.values()}) <= len(read)


@HEAVY
@given(lines=LOGS)
def test_lines_read_twice_are_no_news(lines: list[str | bytes]) -> None:
    """What a replayed log tells is known."""
    miner = Miner()
    miner.add(*columns(*lines))
    once = miner.add(*columns(*lines))
    twice = miner.add(*columns(*lines))
    assert not len(once.fresh)
    assert not once.merged
    assert once.number.tolist() == twice.number.tolist()


@HEAVY
@given(lines=LOGS)
def test_the_lines_of_a_batch_are_not_changed(lines: list[str | bytes]) -> None:
    """What a door hands over is counted elsewhere, too."""
    text, ends = columns(*lines)
    held, until = text.copy(), ends.copy()
    Miner().add(text, ends)
    assert np.array_equal(text, held)
    assert np.array_equal(ends, until)


@HEAVY
@given(lines=LOGS)
def test_samples_are_as_many_as_parameters(lines: list[str | bytes]) -> None:
    """Each `<...>` of a text has its value in each of the samples, three at most."""
    miner = Miner()
    for number in set(miner.add(*columns(*lines)).number.tolist()):
        pattern = miner.template(number)
        assert len(pattern.samples) <= min(3, pattern.count)
        assert len({len(sample) for sample in pattern.samples}) <= 1
        assert all(len(value) <= 1000 for sample in pattern.samples for value in sample)
