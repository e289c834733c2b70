"""Rows of templates and what is shown of them."""

from __future__ import annotations

import numpy as np
import pytest

from models.templates.form import Form, form
from models.templates.kernel_scan import scanned
from models.templates.kinds import CAPITALS, KIND, LED, MOST_TOKENS, STATE, Kind
from models.templates.pattern import Patterns
from models.templates.shelf import Shelf


def formed(line: bytes) -> Form:
    """A line as its tokens."""
    places = (
        np.zeros(MOST_TOKENS, np.uint64),
        np.zeros(MOST_TOKENS, np.uint8),
        np.zeros(MOST_TOKENS, np.int64),
        np.zeros(MOST_TOKENS, np.int64),
    )
    text = np.frombuffer(line, np.uint8)
    n, shape = scanned(text, 0, len(text), places)
    return form(text, 0, len(text), np.array([shape, n], np.uint64), places)


def stored(*lines: bytes) -> Shelf:
    """A shelf with a template for each."""
    shelf = Shelf()
    for number, line in enumerate(lines):
        shelf.keep(shelf.add(formed(line), number), formed(line))
    return shelf


@pytest.mark.parametrize(
    ("line", "place", "sign"),
    [
        (b"session for user ann ended", 3, LED),
        (b"session for user=ann ended", 4, STATE),
        (b"job has failed", 2, STATE),
        (b"job is RUNNING", 2, STATE | CAPITALS),
        (b"job is NEWISH", 2, CAPITALS),
        (b"is red", 1, 0),
    ],
)
def test_words_say_what_they_are(line: bytes, place: int, sign: int) -> None:
    """On these a place is judged: a word of a state keeps lines apart, a name does not."""
    assert int(formed(line).signs[place]) & ~KIND == sign


def test_marks_and_words_make_the_line_again() -> None:
    """What is shown of a template is what was written, with single spaces."""
    line = formed(b"  got [a,  b] at\tnight!  ")
    parts = [mark + word for mark, word in zip(line.marks, line.words, strict=False)]
    assert b"".join([*parts, line.marks[-1]]) == b" got [a, b] at night! "


def test_a_template_is_shown_with_its_parameters() -> None:
    """A free place is `<*>`, whatever its first value was."""
    shelf = stored(b"user ann from 10.0.0.7 (uid=5)")
    pattern = Patterns().read(shelf, 0, 0b1010)
    assert pattern.text == "user <*> from <*> (uid=<num>)"
    assert pattern.samples == (("ann", "10.0.0.7", "5"),)


def test_a_pattern_that_was_read_tells_new_counts_and_new_parameters() -> None:
    """What is kept of the last reading is not shown for something that has changed."""
    shelf, patterns = stored(b"user ann left"), Patterns()
    first = patterns.read(shelf, 0, 0)
    shelf.count[0] += 5
    assert patterns.read(shelf, 0, 0).count == first.count + 5
    assert patterns.read(shelf, 0, 0b10).text == "user <*> left"


def test_readings_are_kept_of_few() -> None:
    """Who pages through a hundred thousand templates does not leave them all in memory."""
    shelf, patterns = stored(b"one a", b"two a", b"three a", b"four a"), Patterns(most=2)
    read = [patterns.read(shelf, slot, 0).text for slot in (0, 1, 2, 3, 0)]
    assert read == ["one a", "two a", "three a", "four a", "one a"]


def test_long_parameters_are_cut_in_samples() -> None:
    """A sample is there to be looked at; a body of a kilobyte is not kept three times."""
    shelf = stored(b'got {"a": "' + b"x" * 500 + b'"} today')
    assert len(Patterns().read(shelf, 0, 0).samples[0][0]) == 64


def test_samples_of_merged_templates_are_kept_together() -> None:
    """The first lines of both are what the one is made of."""
    shelf = stored(b"user ann left", b"user bob left", b"user cy left", b"user di left")
    for slot in (1, 2, 3):
        shelf.merge(slot, 0, 3)
    assert Patterns().read(shelf, 0, 0b10).samples == (("ann",), ("bob",), ("cy",))
    assert shelf.live().tolist() == [0]


def test_numbers_are_found_while_they_live() -> None:
    """A number outlives a clearing, and is nobody else's once its template is gone."""
    shelf = stored(b"one a", b"two a b", b"three a b c")
    shelf.bury(1)
    shelf.only(shelf.live())
    assert [shelf.slot_of(number) for number in (0, 1, 2, 3)] == [0, -1, 1, -1]
    assert shelf.words(1) == (b"three", b"a", b"b", b"c")
    assert shelf.tokens(1)[0].tolist() == formed(b"three a b c").hashes.tolist()


def test_a_shelf_grows() -> None:
    """Rows of before are the same after there was no more room for new ones."""
    lines = [f"kind {chr(97 + n % 26)}{chr(97 + n // 26)} of line".encode() for n in range(600)]
    shelf = stored(*lines)
    assert [b" ".join(shelf.words(slot)) for slot in range(600)] == lines
    assert (shelf.signs[: shelf.pooled] & KIND == Kind.WORD).all()
