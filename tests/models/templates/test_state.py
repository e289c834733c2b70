"""State as arrays: a miner that was restored is the miner that it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.templates.miner import Miner, Settings
from tests.models.templates.lines import LOGS, columns, same
from tests.profiles import HEAVY


@HEAVY
@given(before=LOGS, after=LOGS, settings=st.sampled_from([Settings(), Settings(templates=16)]))
def test_restored_it_goes_on_to_the_same_bit(
    before: list[str | bytes], after: list[str | bytes], settings: Settings
) -> None:
    """A restart must not be seen in numbers, ids or counts."""
    kept, unbroken = Miner(settings), Miner(settings)
    for miner in (kept, unbroken):
        miner.add(*columns(*before))
    restored = Miner.from_arrays(kept.to_arrays(), settings)
    mined, expected = restored.add(*columns(*after)), unbroken.add(*columns(*after))
    assert mined.number.tolist() == expected.number.tolist()
    assert mined.merged == expected.merged
    assert mined.forgotten.tolist() == expected.forgotten.tolist()
    assert restored.tally == unbroken.tally
    assert same(restored.to_arrays(), unbroken.to_arrays())
    assert [restored.template(n) for n in set(mined.number.tolist())] == [
        unbroken.template(n) for n in set(mined.number.tolist())
    ]


@HEAVY
@given(before=LOGS, after=LOGS, settings=st.sampled_from([Settings(), Settings(templates=16)]))
def test_without_what_parameters_were_it_goes_on_to_the_same_templates(
    before: list[str | bytes], after: list[str | bytes], settings: Settings
) -> None:
    """A restart would give templates other ids, or put a customer's name on the disk."""
    kept, unbroken = Miner(settings), Miner(settings)
    for miner in (kept, unbroken):
        miner.add(*columns(*before))
    restored = Miner.from_arrays(kept.to_bare_arrays(), settings)
    again = Miner.from_arrays(restored.to_bare_arrays(), settings)
    mined = [one.add(*columns(*after)) for one in (unbroken, restored, again)]
    told = [
        [
            (one.number.tolist(), one.merged, one.forgotten.tolist()),
            [(p.id, p.text, p.count) for p in map(miner.template, one.number.tolist())],
        ]
        for one, miner in zip(mined, (unbroken, restored, again), strict=True)
    ]
    assert told[1] == told[0]
    assert told[2] == told[0]


def test_words_of_parameters_are_not_in_bare_arrays() -> None:
    """Nothing has redacted them."""
    miner = Miner()
    names = ["ada", "bob", "cleo", "dora", "emil", "fay", "gus", "hal", "ida", "joe"]
    miner.add(*columns(*(f"user {name} asked for order {n}7" for n, name in enumerate(names * 9))))
    held = miner.to_bare_arrays()["samples"].tobytes()
    assert b"asked" in held
    assert not any(name.encode() in held for name in (*names, "17"))


def test_ids_of_other_templates_are_refused() -> None:
    """Templates would be counted under the names of others."""
    miner = Miner()
    miner.add(*columns("one line", "another of more words"))
    held = miner.to_bare_arrays()
    with pytest.raises(ValueError, match="no id"):
        Miner.from_arrays(held | {"named": held["named"][:1]})


def test_state_of_another_version_is_refused() -> None:
    """Templates of a release that scans otherwise would be found by nobody, and counted twice."""
    arrays = Miner().to_arrays()
    arrays["header"] = arrays["header"] + np.array([1, 0, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="version"):
        Miner.from_arrays(arrays)


@pytest.mark.parametrize("name", sorted(set(Miner().to_arrays()) - {"header"}))
def test_state_without_a_column_is_refused(name: str) -> None:
    """A snapshot that was cut short is told by name."""
    arrays = Miner().to_arrays()
    del arrays[name]
    with pytest.raises(ValueError, match=name):
        Miner.from_arrays(arrays)


def _filled() -> dict[str, NDArray[Any]]:
    miner = Miner()
    miner.add(*columns("took 5 ms", "session opened for user ann"))
    return miner.to_arrays()


@pytest.mark.parametrize("name", ["number", "hashes", "marks_ends", "kept", "family_free"])
def test_state_with_a_column_too_short_is_refused(name: str) -> None:
    """Rows that belong to nothing would be read as others' words."""
    arrays = _filled()
    arrays[name] = arrays[name][:-1]
    with pytest.raises(ValueError, match="templates of"):
        Miner.from_arrays(arrays)


def test_state_holds_plain_numbers() -> None:
    """Nothing of it needs a pickle to be read, so nothing of it can run code."""
    assert all(array.dtype.kind in "uib" for array in _filled().values())
