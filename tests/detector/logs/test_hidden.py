"""What is hidden of a text is gone to the last byte, and the rest stays as it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.hidden import Hidden, is_hidden, without

SPANS = st.lists(
    st.builds(
        lambda start, length, word: Hidden(start, start + length, word),
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from(["email", "secret", "key"]),
    ),
    max_size=8,
)


@given(SPANS)
def test_nothing_that_was_found_is_left_and_nothing_else_goes(spans: list[Hidden]) -> None:
    """Where two findings overlap the end of the longer one would be shown."""
    text = bytes(range(0x61, 0x61 + 26)) * 2
    shown = without(text, spans)
    covered = {at for one in spans for at in range(one.start, one.stop)}
    left = bytes(byte for at, byte in enumerate(text) if at not in covered)
    assert re.sub(rb"<[a-z]+>", b"", shown) == left
    assert shown.count(b"<") <= len(spans)


def test_of_findings_inside_of_each_other_the_first_ones_word_is_shown() -> None:
    """A key inside of a password would say where the password begins and ends."""
    spans = [Hidden(4, 8, "key"), Hidden(2, 20, "secret"), Hidden(18, 22, "email")]
    assert without(b"a=bcdefghijklmnopqrstuvwxyz", spans) == b"a=<secret>vwxyz"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (b"<secret>", True), (b"<*>", True), (b"<num>", True), (b"<Secret>", False),
        (b"<>", False), (b"a<num>", False), (b"<num>x", False), (b"<a b>", False),
    ],
)  # fmt: skip
def test_only_a_whole_placeholder_is_one(value: bytes, wanted: bool) -> None:
    """A password that holds angles would be taken for one that is hidden already."""
    assert is_hidden(value) == wanted
