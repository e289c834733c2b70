"""Whatever comes in: bounded time and memory, and a figure that says so."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates.kinds import MOST_TOKENS
from models.templates.miner import Miner, Settings
from tests.models.templates.lines import columns, texts

SMALL = Settings(templates=64)


MARKS = (" ", " | ", ": ", ", ", " - ", "; ", " > ")


def words(seed: int, n: int, length: int = 5) -> list[str]:
    """Lines of words that were never there before, with marks in between that often were not."""
    draw = np.random.default_rng(seed)
    letters = draw.integers(97, 123, (n, length, 7)).astype(np.uint8)
    marks = draw.choice(MARKS, (n, length)).tolist()
    lines = [[word.tobytes().decode() for word in line] for line in letters]
    return [
        "".join(word + mark for word, mark in zip(line, between, strict=True)) + "end"
        for line, between in zip(lines, marks, strict=True)
    ]


def test_an_explosion_of_templates_stays_within_its_room() -> None:
    """A service that logs another word in every place takes no memory from the others."""
    miner = Miner(SMALL)
    for batch in range(20):
        miner.add(*columns(*words(batch, 100)))
        assert miner.tally.templates <= SMALL.templates
        assert len(miner.to_arrays()["number"]) <= SMALL.templates


def test_thousands_of_templates_are_found_again() -> None:
    """Tables that grow, and that are made anew from state, lose none."""
    miner, lines = Miner(), words(3, 3000)
    born = miner.add(*columns(*lines)).number.tolist()
    restored = Miner.from_arrays(miner.to_arrays())
    assert len(set(born)) == 3000
    assert miner.add(*columns(*lines)).number.tolist() == born
    assert restored.add(*columns(*lines)).number.tolist() == born


def test_an_explosion_is_told() -> None:
    """Whoever runs serinus sees that templates are forgotten, and how many there were."""
    miner = Miner(SMALL)
    mined = miner.add(*columns(*words(1, 1000)))
    tally = miner.tally
    assert tally.lines == tally.born == 1000
    assert tally.forgotten == len(mined.forgotten) == 1000 - tally.templates
    assert len(set(mined.forgotten.tolist())) == len(mined.forgotten)


def test_a_flood_of_one_shape_becomes_one_template() -> None:
    """A dump of words is followed at full speed, and leaves the other templates where they are."""
    miner = Miner(SMALL)
    kept = miner.add(*columns("worker | is ready")).number.tolist()
    letters = "abcdefghijklmnopqrstuvwxyz"
    found = texts(miner, [f"{a * 3} {b * 3} {a * 2}{b}" for a in letters for b in letters])
    assert found[0] == "aaa aaa aaa"
    assert found[-1] == "<*> <*> <*>"
    assert miner.tally.floods == 1
    assert miner.add(*columns("worker | is ready")).number.tolist() == kept


def test_those_unseen_for_longest_are_forgotten_first() -> None:
    """A template that is seen every minute outlives any number of others."""
    miner = Miner(SMALL)
    steady = miner.add(*columns("heartbeat of the worker ok")).number[0]
    for batch in range(30):
        mined = miner.add(*columns(*words(batch, 16), "heartbeat of the worker ok"))
        assert mined.number[-1] == steady
    assert miner.template(int(steady)).count == 31


def test_a_template_forgotten_in_a_batch_can_be_read_until_the_next() -> None:
    """Lines of a batch are counted by the id of their template, though it had to make room."""
    miner = Miner(SMALL)
    lines = words(1, 200)
    mined = miner.add(*columns(*lines))
    assert [miner.template(n).text for n in mined.number.tolist()] == lines
    miner.add(*columns("another"))
    with pytest.raises(KeyError):
        miner.template(int(mined.number[0]))


def test_a_forgotten_template_that_comes_back_has_its_id_again() -> None:
    """Its counts go on in the same series."""
    miner = Miner(SMALL)
    ids = []
    for batch in (["night job has run"], words(1, 200), ["night job has run"]):
        number = int(miner.add(*columns(*batch)).number[-1])
        ids.append(miner.template(number).id)
    assert ids[0] == ids[2]


def test_a_line_of_ten_megabytes_costs_what_a_line_of_a_kilobyte_does() -> None:
    """One request with a huge line in it does not hold up all others."""
    miner = Miner()
    huge = columns(b"dump " + b"ab 12 " * 1_700_000)
    miner.add(*columns(b"dump " + b"ab 12 " * 150))
    began = process_time()
    number = int(miner.add(*huge).number[0])
    assert process_time() - began < 0.2
    assert len(miner.template(number).text) < 1500


@given(line=st.binary(max_size=2000))
def test_any_bytes_are_a_line(line: bytes) -> None:
    """Binary, half a character, control codes: counted, and shown as text."""
    miner = Miner()
    number = int(miner.add(*columns(line, line)).number[1])
    pattern = miner.template(number)
    assert pattern.count == 2
    assert not any(ord(letter) < 32 for letter in pattern.text)


@pytest.mark.parametrize("bracket", [b"{", b"[", b'{"a":', b'[{"a":', b"(", b"<"])
def test_hostile_nesting_is_one_line(bracket: bytes) -> None:
    """A thousand open brackets cost no stack and no more time than other bytes."""
    assert len(texts(Miner(), [b"got " + bracket * 20_000])[0]) < 3000


def test_more_words_than_there_are_places_are_left_out() -> None:
    """A dump in one line is told apart by its begin."""
    line = " ".join(f"w{letter}" for letter in "abcdefghij" * 20)
    number = Miner().add(*columns(line, line + " and more")).number
    assert number[0] == number[1]
    assert MOST_TOKENS < 200


@pytest.mark.parametrize("ends", [[5, 12], [-1, 5], [8, 3]], ids=["behind", "before", "back"])
def test_ends_outside_of_the_text_are_refused(ends: list[int]) -> None:
    """A door with a fault gets an error, not what lies in memory behind its bytes."""
    with pytest.raises(ValueError, match="11 bytes"):
        Miner().add(np.frombuffer(b"hello world", np.uint8), np.array(ends, np.int64))


def test_no_line_and_an_empty_line_are_no_trouble() -> None:
    """Senders send both."""
    miner = Miner()
    assert not len(miner.add(*columns()).number)
    assert miner.template(int(miner.add(*columns("")).number[0])).text == ""


def test_colours_of_a_terminal_are_not_part_of_a_template() -> None:
    """The same line with and without colours is one."""
    lines = ["WARN disk is full", "\x1b[33mWARN\x1b[0m disk \x1b[1;31mis\x1b[0m full\x1b[0m"]
    assert texts(Miner(), lines) == texts(Miner(), lines[::-1]) == ["WARN disk is full"] * 2


def test_a_stack_trace_is_told_by_its_first_line() -> None:
    """The same error from another place is no new kind of error."""
    java = "IllegalStateException: no cart\n\tat a.B.c(B.java:{})\n\tat a.B.d(B.java:9)"
    assert (
        len(set(texts(Miner(), [java.format(7), java.format(8) + "\n\tat x.Y.z(Y.java:1)"]))) == 1
    )


def test_a_traceback_of_python_is_told_by_its_last_line() -> None:
    """All of them begin with the same words."""
    trace = 'Traceback (most recent call last):\n  File "a.py", line {}, in b\nKeyError: {}\n'
    assert texts(Miner(), [trace.format(1, "'cart'")]) == ["KeyError: <str>"]
