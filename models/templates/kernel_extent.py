"""Where parts of a line begin and end, compiled: strings, bodies, what is looked at at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined
from models.templates.kernel_meaning import is_message, is_request
from models.templates.kinds import CLASS, MOST_BYTES, Byte

__all__ = ["body", "escape", "is_compared", "is_json", "looked_at", "string", "told_from"]

Text = NDArray[np.uint8]

_SPACE, _WIDE, _DIGIT = (int(b) for b in (Byte.SPACE, Byte.WIDE, Byte.DIGIT))
_ESCAPE, _NEWLINE, _QUOTE, _SINGLE, _BACK = 27, 10, ord('"'), ord("'"), ord("\\")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")
_STRING_MOST, _BLANK = 256, ord(" ")
_TRACEBACK = tuple(b"Traceback (most recent call")


@inlined
def string(text: Text, begin: int, i: int, end: int) -> int:
    """End of the quoted string that begins here, or -1."""
    if (i > begin and CLASS[text[i - 1]] >= _WIDE) or is_request(text, i + 1, end):
        return -1
    last = min(end, i + _STRING_MOST)
    j, spaces = i + 1, 0
    while j < last:
        if text[j] == text[i] and (j + 1 == end or CLASS[text[j + 1]] < _WIDE):
            is_told = spaces > 0 and is_message(text, begin, i, j + 1, end)
            return -1 if is_told else j + 1
        spaces += text[j] == _BLANK
        j += 2 if text[j] == _BACK else 1
    return -1


@inlined
def _opened(text: Text, i: int, end: int) -> int:
    j = i + 1
    while j < end and (CLASS[text[j]] == _SPACE or text[j] == _BRACE):
        j += 1
    return j


@inlined
def is_json(text: Text, i: int, end: int) -> bool:
    """Whether a brace or bracket begins a body: an object with a quoted name, or a list of them."""
    j = _opened(text, i, end)
    if j >= end or text[j] not in (_QUOTE, _SINGLE):
        return False
    return bool(text[i] == _BRACE or text[j - 1] == _BRACE)


@inlined
def body(text: Text, i: int, end: int) -> int:
    """End of the body that begins here; of what is looked at, where it is not closed before.

    Single quotes count where the first name is in them, as in a dictionary of Python's.
    """
    depth, quoted = 0, 0
    single = _SINGLE if text[_opened(text, i, end)] == _SINGLE else _QUOTE
    j = i
    while j < end:
        b = text[j]
        if quoted > 0:
            if b == _BACK:
                j += 1
            elif b == quoted:
                quoted = 0
        elif b in (_QUOTE, single):
            quoted = int(b)
        elif b in (_BRACE, _BRACKET):
            depth += 1
        elif b in (_BRACE_END, _BRACKET_END):
            depth -= 1
            if depth == 0:
                return j + 1
        j += 1
    return end


@inlined
def is_compared(text: Text, begin: int, i: int, end: int) -> bool:
    """Whether a sign of more or less is part of the number behind it, as in `<1 s`."""
    is_apart = i == begin or CLASS[text[i - 1]] == _SPACE
    return is_apart and i + 1 < end and CLASS[text[i + 1]] == _DIGIT


@inlined
def escape(text: Text, i: int, end: int) -> int:
    """Behind a control sequence of a terminal, or behind this byte."""
    if text[i] != _ESCAPE or i + 1 >= end or text[i + 1] != _BRACKET:
        return i + 1
    j = i + 2
    while j < end and 32 <= text[j] < 64:
        j += 1
    return min(j + 1, end)


@inlined
def told_from(text: Text, begin: int, end: int) -> int:
    """Where what a message tells begins: at its last line, if it is a traceback of Python's."""
    if end - begin <= len(_TRACEBACK):
        return begin
    for k in range(len(_TRACEBACK)):
        if text[begin + k] != _TRACEBACK[k]:
            return begin
    while end > begin and CLASS[text[end - 1]] == _SPACE:
        end -= 1
    j = end
    while j > begin and j > end - MOST_BYTES and text[j - 1] != _NEWLINE:
        j -= 1
    return j if j > begin and text[j - 1] == _NEWLINE else begin


@inlined
def looked_at(text: Text, begin: int, end: int) -> int:
    """End of the line, or of its last whole word where it is too long."""
    if end - begin <= MOST_BYTES:
        return end
    last = begin + MOST_BYTES
    j = last
    while j > last - _STRING_MOST and CLASS[text[j - 1]] != _SPACE:
        j -= 1
    return j if CLASS[text[j - 1]] == _SPACE else last
