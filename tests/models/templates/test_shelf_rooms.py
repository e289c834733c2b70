"""Rows of templates in their arrays: what moves when some are merged, buried or packed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates import kernel_index
from models.templates.families import table_for
from models.templates.kinds import KIND, Kind
from models.templates.pattern import Patterns
from models.templates.shelf import COLUMNS, POOLS, Shelf
from models.templates.state import shelf_arrays, shelf_from
from tests.models.templates.test_shelf import formed, stored
from tests.profiles import HEAVY

WORDS = ("ann", "bob left", "cy came by", "di is at 10.0.0.7", "", "took 5 ms", "a, b, c")
LINES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)


def told(shelf: Shelf) -> list[tuple[int, tuple[bytes, ...], bytes]]:
    """Number, words and marks of each row that lives."""
    return [
        (int(shelf.number[slot]), shelf.words(slot), shelf.marks[slot])
        for slot in shelf.live().tolist()
    ]


@HEAVY
@given(lines=LINES, data=st.data())
def test_rows_that_stay_are_what_they_were(lines: list[str], data: st.DataObject) -> None:
    """Closing the room of those that are gone changes none of the others."""
    shelf = stored(*(line.encode() for line in lines))
    gone = data.draw(st.sets(st.integers(0, len(lines) - 1)))
    for slot in gone:
        shelf.bury(slot)
    before = told(shelf)
    tokens = [shelf.tokens(slot)[0].tolist() for slot in shelf.live().tolist()]
    shelf.only(shelf.live())
    assert told(shelf) == before
    assert [shelf.tokens(slot)[0].tolist() for slot in range(shelf.filled)] == tokens
    assert shelf.pooled == sum(len(row) for row in tokens)


@HEAVY
@given(lines=LINES)
def test_arrays_of_a_shelf_are_the_shelf(lines: list[str]) -> None:
    """What is written to a checkpoint is all that there is."""
    shelf = stored(*(line.encode() for line in lines))
    shelf.count[: shelf.filled] = 1
    again = shelf_from(shelf_arrays(shelf))
    assert told(again) == told(shelf)
    for name in COLUMNS:
        kept, was = getattr(again, name)[: again.filled], getattr(shelf, name)[: shelf.filled]
        assert np.array_equal(kept, was)
    for name in POOLS:
        kept, was = getattr(again, name)[: again.pooled], getattr(shelf, name)[: shelf.pooled]
        assert np.array_equal(kept, was)


def test_a_shelf_that_was_read_again_grows() -> None:
    """The first new template after a restart has a row of its own."""
    shelf = stored(b"ann left", b"bob left")
    shelf.count[:2] = 1
    again = shelf_from(shelf_arrays(shelf))
    slot = again.add(formed(b"cy came by"), 7)
    again.keep(slot, formed(b"cy came by"))
    assert [number for number, _, _ in told(again)] == [0, 1, 7]
    assert again.words(slot) == (b"cy", b"came", b"by")
    assert again.slot_of(7) == slot


def test_merged_rows_have_the_counts_of_both() -> None:
    """What was counted before two kinds were found to be one is not lost."""
    shelf = stored(b"user ann left", b"user bob left")
    shelf.count[:2], shelf.seen[:2] = (3, 4), (17, 12)
    shelf.merge(1, 0, 3)
    assert (int(shelf.count[0]), int(shelf.seen[0])) == (7, 17)
    assert not shelf.alive[1]
    assert shelf.lines(1) == [] or shelf.samples[1] == b""
    assert shelf.slot_of(1) == -1


def test_the_last_line_of_either_is_the_last_of_both() -> None:
    """A template that swallowed a busy one is not forgotten as if it were quiet."""
    shelf = stored(b"user ann left", b"user bob left")
    shelf.seen[:2] = (12, 17)
    shelf.merge(1, 0, 3)
    assert int(shelf.seen[0]) == 17


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_samples_are_kept_than_were_asked_for(most: int) -> None:
    """However many templates are merged into one."""
    shelf = stored(*(f"user {name} left".encode() for name in ("ann", "bob", "cy", "di", "ed")))
    for slot in range(1, 5):
        shelf.merge(slot, 0, most)
    assert int(shelf.kept[0]) == len(shelf.lines(0)) == most
    assert shelf.words(0)[1] == b"ann"


def test_a_parameter_with_line_ends_and_zeros_stays_one_word() -> None:
    """Both are what samples are kept apart by."""
    shelf = stored(b'got "a\nb\x00c" now')
    assert len(shelf.lines(0)) == 1
    assert shelf.words(0)[1] == b'"a b c"'


def test_a_line_without_words_is_a_row() -> None:
    """A rule of dashes is a kind of line, too."""
    shelf = stored(b"-----", b"")
    assert [shelf.words(slot) for slot in (0, 1)] == [(), ()]
    assert Patterns().read(shelf, 0, 0).text == "-----"
    assert Patterns().read(shelf, 1, 0).text == ""
    assert Patterns().read(shelf, 0, 0).samples == ()


@pytest.mark.parametrize(
    ("line", "free", "text"),
    [
        (b"user ann left", 0b000, "user ann left"),
        (b"user ann left", 0b010, "user <*> left"),
        (b"user ann left", 0b111, "<*> <*> <*>"),
        (b"took 5 ms from 10.0.0.7", 0b0000, "took <num> from <ip>"),
        (b"took 5 ms from 10.0.0.7", 0b0010, "took <*> from <ip>"),
        (b"[ann] (bob): cy!", 0b010, "[ann] (<*>): cy!"),
        (b"user=ann, id=7", 0b0010, "user=<*>, id=<num>"),
        (b"\x1b[31muser\x1b[0m ann", 0b10, "user <*>"),
        ("naïve Zürich 5 µs".encode(), 0b010, "naïve <*> <num>"),
    ],
)
def test_what_is_shown_follows_what_is_free(line: bytes, free: int, text: str) -> None:
    """A person sees the marks as they were, and each parameter by its kind."""
    assert Patterns().read(stored(line), 0, free).text == text


@pytest.mark.parametrize("free", [0, 0b10, 0b111])
def test_an_id_does_not_hang_on_what_is_free(free: int) -> None:
    """Series of weeks go on under it when a user turns out to be a parameter."""
    shelf = stored(b"user ann left")
    assert Patterns().read(shelf, 0, free).id == Patterns().read(shelf, 0, 0).id


def test_ids_of_other_lines_are_others() -> None:
    """Two kinds under one id would be one series."""
    lines = (b"user ann left", b"user bob left", b"user ann left!", b"user: ann left", b"left")
    shelf = stored(*lines)
    assert len({Patterns().read(shelf, slot, 0).id for slot in range(5)}) == 5


def test_an_id_does_not_hang_on_parameters() -> None:
    """Another worker sees another request first."""
    shelf = stored(b"took 5 ms from 10.0.0.7", b"took 1.5 s from ::1")
    assert Patterns().read(shelf, 0, 0).id == Patterns().read(shelf, 1, 0).id


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        (b"Z\xc3\xbcrich", [Kind.WORD]),
        (b"S\xc3\xa3o_Paulo", [Kind.WORD]),
        ("東京".encode(), [Kind.WORD]),
        ("Łódź-Süd".encode(), [Kind.WORD]),
        ("10.0.0.7→10.0.0.8".encode(), [Kind.IP, Kind.WORD, Kind.IP]),
        ("Starting…".encode(), [Kind.WORD, Kind.WORD]),
        ("5€".encode(), [Kind.NUM, Kind.WORD]),
        ("ann—bob".encode(), [Kind.WORD, Kind.WORD, Kind.WORD]),
        (b"\xff\xfe\xfd", [Kind.WORD]),
    ],
)
def test_letters_of_any_script_make_words_and_signs_do_not(line: bytes, kinds: list[Kind]) -> None:
    """A city with an accent is one name as one without; an arrow parts two hosts."""
    assert [int(sign) & KIND for sign in formed(line).signs] == kinds


@HEAVY
@given(keys=st.lists(st.integers(0, 9), max_size=60))
def test_counting_at_once_is_counting_one_by_one(keys: list[int]) -> None:
    """After a restart a shape is flooded as early as before it."""
    counts = table_for(len(keys))
    found = kernel_index.tally(counts, np.array(keys, np.uint64))
    held = {int(k): int(n) for k, n in zip(*counts, strict=True) if n >= 0}
    assert held == {key: keys.count(key) for key in set(keys) if key}
    assert found == len(held)


@HEAVY
@given(roots=st.lists(st.integers(1, 6), min_size=1, max_size=60))
def test_a_chain_leads_through_all_of_one_root(roots: list[int]) -> None:
    """A family that no chain leads to is joined by no line."""
    heads, older = table_for(len(roots)), np.full(len(roots), -1, np.int32)
    kernel_index.chain(heads, np.array(roots, np.uint64), older)
    for key, last in zip(*heads, strict=True):
        walked, at = list[int](), int(last)
        while at >= 0:
            walked.append(at)
            at = int(older[at])
        assert walked == [n for n, root in enumerate(roots) if last >= 0 and root == key][::-1]
