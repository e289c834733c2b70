"""Texts of lines and spans as pages show them: whatever is in them, short text."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from api.ui.marked import parts_of, plain_lines, shortened

TEXTS = st.text(max_size=900)


def test_parameters_are_marked_and_markup_is_not() -> None:
    """`<script>` in a line is a word of its writer, `<num>` is ours."""
    parts = parts_of("<script>order <num> for <email> in <private_key></script>")
    assert [one.text for one in parts if one.is_parameter] == ["<num>", "<email>", "<private_key>"]


def test_lines_of_a_sample_stand_below_each_other() -> None:
    """A stack trace in one line cannot be read; a forged line end makes no line of its own."""
    assert plain_lines("boom␊  at a.py\n\x1b[31mat b.py") == "boom\n  at a.py\nat b.py"
    assert plain_lines("\n".join("abcdefghijk")).count("\n") == 7


@given(text=TEXTS)
def test_no_text_commands_hides_or_grows(text: str) -> None:
    """Controls, overrides of direction and endless words end here."""
    for shown in ("".join(one.text for one in parts_of(text)), shortened(text)):
        assert len(shown) <= 400
        assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs")]
        assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200b")


@given(text=st.text(alphabet="ab <>*num", max_size=200))
def test_pieces_put_together_are_the_text(text: str) -> None:
    """Marking leaves nothing out."""
    assert "".join(one.text for one in parts_of(text)) == text
