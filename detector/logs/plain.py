"""A text that a terminal or a page shows as it is: nothing in it moves, colours or hides."""

from __future__ import annotations

import re

__all__ = ["LINE_END", "plain"]

# What stands for a line end inside of one line.
LINE_END = "␊"
# Sequences of ECMA-48 by which a text commands a terminal: to its final byte, or as far as it goes.
# Their lengths are bounded, so that no text is looked at more than so many times.
_COMMANDS = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\n]{0,512}(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]{0,8}[0-~]?"
    r"|\x9b[0-?]{0,64}[ -/]{0,8}[@-~]?"
)
_HOSTILE = "\x1b\x9b"
# Marks, embeddings, overrides and isolates of direction, what has no width, and tags: all unseen.
_UNSEEN = (0xAD, 0x200B, 0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F),
           *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC),
           *range(0xE0000, 0xE0080))  # fmt: skip
_ENDS = (0x0A, 0x0B, 0x0C, 0x85, 0x2028, 0x2029)
_BROKEN = "\ufffd"
_SHOWN = (
    {code: chr(0x2400 + code) for code in range(0x20)}
    | {0x7F: "␡"}
    | dict.fromkeys(range(0x80, 0xA0), _BROKEN)
    | dict.fromkeys(range(0xD800, 0xE000), _BROKEN)
    | dict.fromkeys(_UNSEEN, "")
    | dict.fromkeys(_ENDS, LINE_END)
    | {0x09: " "}
)
_IS_PLAIN = re.compile(r"[ -~]*")


def plain(text: str) -> str:
    """The text in one line without what commands a terminal, turns its direction or is unseen.

    Each control character becomes the sign for it, half a surrogate pair and what is no text the
    sign for such, a line end `LINE_END`. Not longer than it was, and the same when done again.

    >>> plain("a" + chr(27) + "[31mred" + chr(27) + "[0m" + chr(10) + "b" + chr(8))
    'ared␊b␈'
    """
    if _IS_PLAIN.fullmatch(text):
        return text
    if any(one in text for one in _HOSTILE):
        text = _COMMANDS.sub("", text)
    return text.replace("\r\n", "\n").translate(_SHOWN)
