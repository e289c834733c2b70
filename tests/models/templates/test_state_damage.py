"""State that was damaged on its way: refused, whole, before anything is read by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.templates.kinds import MOST_TOKENS
from models.templates.miner import Miner, Settings
from models.templates.state import VERSION
from tests.models.templates.lines import columns, same, texts
from tests.profiles import HEAVY

Arrays = dict[str, NDArray[Any]]
Damage = Callable[[Arrays], None]

LINES = (
    *("took 5 ms", "session opened for user ann", "session opened for user bob", "", "took 6 ms"),
    *('got {"a": 1} from 10.0.0.7', "*** | ---", "disk /a is full", "disk /b is full"),
)


def filled() -> Arrays:
    """State of a miner that has seen lines of several kinds."""
    miner = Miner()
    miner.add(*columns(*LINES))
    return miner.to_arrays()


def put(name: str, at: int, value: int) -> Damage:
    """One number of a column is another one."""

    def damage(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][at] = value

    return damage


def swapped(name: str) -> Damage:
    """Two neighbours of a column have changed places."""

    def damage(arrays: Arrays) -> None:
        column = arrays[name].copy()
        column[[0, 1]] = column[[1, 0]]
        arrays[name] = column

    return damage


def typed(name: str, kind: str) -> Damage:
    """A column came back as numbers of another kind."""

    def damage(arrays: Arrays) -> None:
        arrays[name] = arrays[name].astype(kind)

    return damage


def cut(name: str, keep: int) -> Damage:
    """A column ends early."""

    def damage(arrays: Arrays) -> None:
        arrays[name] = arrays[name][:keep]

    return damage


def folded(name: str) -> Damage:
    """A column became a table."""

    def damage(arrays: Arrays) -> None:
        arrays[name] = arrays[name][None, :]

    return damage


DAMAGES = [
    pytest.param(put("start", 1, 1 << 40), id="tokens far outside"),
    pytest.param(put("start", 1, -8), id="tokens before the first"),
    pytest.param(put("start", 1, 0), id="tokens of another row"),
    pytest.param(put("length", 0, MOST_TOKENS + 1), id="more tokens than places"),
    pytest.param(swapped("length"), id="lengths of each other"),
    pytest.param(put("number", 1, 0), id="a number twice"),
    pytest.param(swapped("number"), id="numbers out of order"),
    pytest.param(put("number", 0, -1), id="a number below nought"),
    pytest.param(put("number", -1, 99), id="a number that was never given"),
    pytest.param(put("alive", 0, 0), id="a row that is gone"),
    pytest.param(put("signs", 0, 15), id="a kind that there is not"),
    pytest.param(put("count", 0, 0), id="a template without lines"),
    pytest.param(put("count", 0, -5), id="fewer lines than none"),
    pytest.param(put("seen", 0, -1), id="seen before the first line"),
    pytest.param(put("seen", 0, 1 << 40), id="seen in the future"),
    pytest.param(put("family", 0, 1 << 20), id="a family that there is not"),
    pytest.param(put("family", 0, -1), id="a family below nought"),
    pytest.param(put("kept", 0, 0), id="no sample"),
    pytest.param(put("kept", 0, 9), id="more samples than are kept"),
    pytest.param(put("marks_ends", 0, 1 << 40), id="marks far outside"),
    pytest.param(put("marks_ends", 0, -1), id="marks before the first"),
    pytest.param(put("samples_ends", -1, 3), id="samples that go back"),
    pytest.param(cut("samples", 4), id="samples cut short"),
    pytest.param(cut("marks", 0), id="no marks at all"),
    pytest.param(cut("hashes", 1), id="tokens cut short"),
    pytest.param(cut("signs", 1), id="signs cut short"),
    pytest.param(cut("family_roots", 1), id="roots cut short"),
    pytest.param(cut("header", 3), id="header cut short"),
    pytest.param(cut("header", 0), id="header empty"),
    pytest.param(put("header", 0, VERSION - 1), id="of the version before"),
    pytest.param(put("header", 0, VERSION + 1), id="of a version to come"),
    pytest.param(put("header", 1, 1), id="a clock behind its lines"),
    pytest.param(put("header", 2, 3), id="fewer born than there are"),
    pytest.param(put("header", 3, -1), id="fewer merged than none"),
    pytest.param(put("header", 4, 7), id="more forgotten than born"),
    pytest.param(put("header", 5, -1), id="fewer floods than none"),
    pytest.param(typed("hashes", "i8"), id="hashes with a sign"),
    pytest.param(typed("start", "f8"), id="places as fractions"),
    pytest.param(typed("header", "f8"), id="header as fractions"),
    pytest.param(typed("alive", "u1"), id="truths as numbers"),
    pytest.param(typed("number", "O"), id="numbers as objects"),
    pytest.param(folded("count"), id="counts as a table"),
    pytest.param(folded("samples"), id="texts as a table"),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_state_is_refused(damage: Damage) -> None:
    """Loops that look at nothing twice would read what lies elsewhere in memory."""
    arrays = filled()
    damage(arrays)
    with pytest.raises(ValueError, match="templates"):
        Miner.from_arrays(arrays)


def test_state_that_is_whole_is_taken() -> None:
    """Of the same rows without damage nothing is refused."""
    miner = Miner.from_arrays(filled())
    assert miner.tally.lines == len(LINES)
    assert same(miner.to_arrays(), filled())


def test_state_of_nothing_is_taken() -> None:
    """A tenant that has sent nothing yet is restarted, too."""
    miner = Miner.from_arrays(Miner().to_arrays())
    assert miner.tally.templates == 0
    assert texts(miner, ["took 5 ms"]) == ["took <num>"]


def test_no_arrays_are_refused() -> None:
    """A store that has lost them says so by giving none."""
    with pytest.raises(ValueError, match="no version"):
        Miner.from_arrays({})


def test_what_is_given_is_not_kept() -> None:
    """Who changes the arrays afterwards, or maps them from a file, changes no miner."""
    arrays = {name: column.copy() for name, column in filled().items()}
    miner = Miner.from_arrays(arrays)
    for column in arrays.values():
        column[:] = 0
    assert same(miner.to_arrays(), filled())


def test_what_was_taken_does_not_change_with_the_miner() -> None:
    """A checkpoint that is written while lines come is of one moment."""
    miner = Miner()
    miner.add(*columns(*LINES))
    arrays = miner.to_arrays()
    miner.add(*columns(*LINES, "something else came up"))
    assert same(arrays, filled())


def test_state_that_may_not_be_written_to_is_taken() -> None:
    """Arrays that are views of a file's bytes are read only."""
    arrays = filled()
    for column in arrays.values():
        column.flags.writeable = False
    miner = Miner.from_arrays(arrays)
    assert (
        miner.add(*columns(*LINES)).number.tolist()
        == Miner.from_arrays(filled()).add(*columns(*LINES)).number.tolist()
    )


def test_a_limit_that_was_lowered_is_kept_from_then_on() -> None:
    """Who gives a tenant less room sees it within as many new kinds of lines."""
    miner = Miner()
    miner.add(*columns(*(f"old{' | x' * n}" for n in range(60))))
    smaller = Miner.from_arrays(miner.to_arrays(), Settings(templates=32))
    assert smaller.tally.templates == 60
    smaller.add(*columns(*(f"new{' | x' * n}" for n in range(60))))
    assert smaller.tally.templates <= 32
    assert smaller.tally.born == 120


@HEAVY
@given(data=st.data())
def test_no_single_damage_ends_a_process(data: st.DataObject) -> None:
    """Whatever number is wrong: it is refused, or what is taken works with any line."""
    arrays = filled()
    name = data.draw(st.sampled_from(sorted(arrays)))
    column = arrays[name].copy()
    at = data.draw(st.integers(0, len(column) - 1))
    raw = column.view(np.uint8)
    size = column.dtype.itemsize
    byte = at * size + data.draw(st.integers(0, size - 1))
    raw[byte] = data.draw(st.integers(0, 1 if name == "alive" else 255))
    arrays[name] = column
    try:
        miner = Miner.from_arrays(arrays)
    except ValueError:
        return
    mined = miner.add(*columns(*LINES, "session opened for user cy", "quite another"))
    assert all(miner.template(number).count > 0 for number in set(mined.number.tolist()))
    assert same(Miner.from_arrays(miner.to_arrays()).to_arrays(), miner.to_arrays())
