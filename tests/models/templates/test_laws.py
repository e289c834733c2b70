"""Laws that hold of any lines: of bytes that came broken, long, or in other batches."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates.kinds import MOST_BYTES, MOST_TOKENS
from models.templates.miner import Miner
from tests.models.templates.lines import LOGS, columns, texts
from tests.models.templates.software import KINDS
from tests.profiles import HEAVY

EVERY = [line for kinds in KINDS.values() for lines in kinds.values() for line in lines]


@HEAVY
@given(before=st.binary(max_size=40), line=st.sampled_from(EVERY), after=st.binary(max_size=40))
def test_a_line_is_the_same_between_any_others(before: bytes, line: str, after: bytes) -> None:
    """Lines lie in one buffer: no byte of a neighbour tells anything of a line."""
    alone = texts(Miner(), [line])
    numbers = (miner := Miner()).add(*columns(before, line, after)).number
    pattern = miner.template(int(numbers[1]))
    assert pattern.text == alone[0] or pattern.count > 1


@HEAVY
@given(line=st.sampled_from(EVERY), spaces=st.text(" \t\r", max_size=4))
def test_space_around_a_line_does_not_count(line: str, spaces: str) -> None:
    """Some senders leave the line's end on, some pad."""
    assert len(set(texts(Miner(), [line, line + spaces, line + "\r\n"]))) == 1


@HEAVY
@given(line=st.sampled_from(EVERY), colour=st.sampled_from(["0", "1;31", "38;5;208", ""]))
def test_colours_around_a_line_do_not_count(line: str, colour: str) -> None:
    """The same service on a terminal and in a container."""
    assert len(set(texts(Miner(), [line, f"\x1b[{colour}m{line}\x1b[0m"]))) == 1


@HEAVY
@given(line=st.sampled_from(EVERY), more=st.text(max_size=60))
def test_what_follows_the_first_line_does_not_count(line: str, more: str) -> None:
    """Frames of a stack, a statement, a body: all behind the line that tells what happened."""
    assert len(set(texts(Miner(), [line, f"{line}\n{more}", f"{line}\n\n{more}"]))) == 1


@HEAVY
@given(line=st.sampled_from(EVERY), n=st.integers(1, 40))
def test_a_line_that_repeats_is_one_template(line: str, n: int) -> None:
    """A loop that logs the same once a second is one kind, and its count is how often."""
    miner = Miner()
    numbers = miner.add(*columns(*[line] * n)).number.tolist()
    assert numbers == [0] * n
    assert miner.template(0).count == n


@HEAVY
@given(lines=LOGS)
def test_lines_that_are_the_same_have_the_same_template(lines: list[str | bytes]) -> None:
    """Whatever was learned in between, and whatever was merged."""
    numbers = Miner().add(*columns(*lines, *lines)).number.tolist()
    assert numbers[: len(lines)] == numbers[len(lines) :]


@HEAVY
@given(lines=st.permutations(EVERY[:60]))
def test_counts_of_kinds_do_not_hang_on_their_order(lines: list[str]) -> None:
    """Two workers that had the same lines in other orders have the same table."""
    assert Counter(texts(Miner(), lines)) == Counter(texts(Miner(), EVERY[:60]))


@pytest.mark.parametrize("word", ["ab", "ab12", "10.0.0.7", "/a/b", '"a b"', "a=b", "ä"])
@pytest.mark.parametrize("n", [MOST_TOKENS - 1, MOST_TOKENS, MOST_TOKENS + 1, 4 * MOST_BYTES])
def test_a_line_of_any_length_is_told_by_its_begin(word: str, n: int) -> None:
    """A dump has a template of bounded size; another dump that begins alike is the same kind."""
    miner = Miner()
    line = "dump of " + f"{word} | " * n
    number, other = miner.add(*columns(line, line + "tail")).number.tolist()
    assert number == other or len(line) < MOST_BYTES
    assert len(miner.template(number).text) < 2 * MOST_BYTES


@pytest.mark.parametrize("kept", range(1, 24))
def test_a_character_that_was_cut_is_no_trouble(kept: int) -> None:
    """Senders cut lines by bytes, in the middle of a letter."""
    whole = "Sendung nach Zürich — 12 µs".encode()
    miner = Miner()
    number = int(miner.add(*columns(whole[:kept])).number[0])
    assert miner.template(number).text.startswith(whole[: min(kept, 7)].decode().strip())


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 40,
        b"\xff" * 40,
        bytes(range(256)),
        b"\x1b" * 9,
        b"\x1b[",
        b"\n\n\n",
        b"\r",
        b"\xc2",
    ],
)
def test_bytes_that_are_no_text_are_one_kind_each(raw: bytes) -> None:
    """A core dump in a log is counted, shown without control codes, and kept in a checkpoint."""
    miner = Miner()
    numbers = miner.add(*columns(raw, raw, b"worker is up")).number.tolist()
    assert numbers[0] == numbers[1] != numbers[2]
    again = Miner.from_arrays(miner.to_arrays())
    assert again.add(*columns(raw)).number.tolist() == numbers[:1]
    assert all(ord(letter) >= 32 for letter in again.template(numbers[0]).text)
