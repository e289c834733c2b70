"""A log line to its tokens and its shape, compiled: one pass over its bytes, nothing allocated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined, uncounted
from models.templates.kernel_word import word
from models.templates.kinds import CLASS, KIND, LED, MOST_BYTES, MOST_TOKENS, Byte, Kind

__all__ = ["Places", "mixed", "scan", "scanned"]

Text = NDArray[np.uint8]
Places = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]

_SPACE, _WIDE = int(Byte.SPACE), int(Byte.WIDE)
_WORD, _NAME, _NUM, _TIME, _DATE = (
    int(k) for k in (Kind.WORD, Kind.NAME, Kind.NUM, Kind.TIME, Kind.DATE)
)
_STR, _JSON, _EMPTY = int(Kind.STR), int(Kind.JSON), int(Kind.EMPTY)
_ESCAPE, _EQUALS, _COMMA = 27, ord("="), ord(",")
_OPENS, _CLOSES = (ord("("), ord("["), ord("{")), (ord(")"), ord("]"), ord("}"))
_QUOTE, _APOSTROPHE, _BACK = ord('"'), ord("'"), ord("\\")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")
_AFTER_EMPTY = tuple(ord(c) for c in " ,;)]}&\t\n\r")
_STRING_MOST = 256
_SIZES = tuple(
    int.from_bytes(unit, "big")
    for unit in (b"B", b"KB", b"kB", b"MB", b"GB", b"TB", b"KiB", b"MiB", b"GiB", b"TiB")
)
_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_MIX, _SHIFT, _IN_GAP, _TOKEN = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(29),
    np.uint64(0x100),
    np.uint64(0x200),
)
_FORM = np.uint64(0x6A09E667F3BCC909)
# What stands between a token and the one before it.
_NOTHING, _GAP, _LISTED, _OTHER = 0, 1, 2, 3


@inlined
def mixed(h: np.uint64, x: np.uint64) -> np.uint64:
    """A hash that goes on with one more number."""
    h = (h ^ x) * _MIX
    return h ^ (h >> _SHIFT)


@inlined
def _hashed(text: Text, i: int, j: int) -> np.uint64:
    h = _SEED
    for k in range(i, j):
        h = (h ^ np.uint64(text[k])) * _PRIME
    return h ^ (h >> _SHIFT)


@inlined
def _string(text: Text, begin: int, i: int, end: int) -> int:
    """End of the quoted string that begins here, or -1."""
    if i > begin and CLASS[text[i - 1]] >= _WIDE:
        return -1
    last = min(end, i + _STRING_MOST)
    j = i + 1
    while j < last:
        if text[j] == text[i] and (j + 1 == end or CLASS[text[j + 1]] < _WIDE):
            return j + 1
        j += 2 if text[j] == _BACK else 1
    return -1


@inlined
def _is_json(text: Text, i: int, end: int) -> bool:
    """Whether a brace or bracket begins a body: an object with a quoted name, or a list of them."""
    j = i + 1
    while j < end and (CLASS[text[j]] == _SPACE or text[j] == _BRACE):
        j += 1
    if j >= end or text[j] != _QUOTE:
        return False
    return bool(text[i] == _BRACE or text[j - 1] == _BRACE)


@inlined
def _json(text: Text, i: int, end: int) -> int:
    """End of the body that begins here; of what is looked at, where it is not closed before."""
    depth, quoted = 0, False
    j = i
    while j < end:
        b = text[j]
        if quoted:
            if b == _BACK:
                j += 1
            elif b == _QUOTE:
                quoted = False
        elif b == _QUOTE:
            quoted = True
        elif b in (_BRACE, _BRACKET):
            depth += 1
        elif b in (_BRACE_END, _BRACKET_END):
            depth -= 1
            if depth == 0:
                return j + 1
        j += 1
    return end


@inlined
def _token(text: Text, begin: int, i: int, end: int) -> tuple[int, int]:
    """Where what begins here ends, and its kind; -1 for marks, that stand for themselves."""
    b = text[i]
    if CLASS[b] >= _WIDE:
        return word(text, i, end)
    if b in (_QUOTE, _APOSTROPHE):
        j = _string(text, begin, i, end)
        if j > 0:
            return j, _STR
    elif b in (_BRACE, _BRACKET) and _is_json(text, i, end):
        return _json(text, i, end), _JSON
    return i + 1, -1


@inlined
def _is_empty(text: Text, begin: int, i: int, end: int) -> bool:
    """Whether a value is missing here: `key=` with nothing after it, or `()` that stands alone."""
    before = text[i - 1]
    if before == _EQUALS:
        is_key = i - 2 >= begin and CLASS[text[i - 2]] >= _WIDE
        return is_key and (i == end or text[i] in _AFTER_EMPTY)
    if before not in _OPENS or i == end or text[i] not in _CLOSES:
        return False
    return i - 2 < begin or CLASS[text[i - 2]] == _SPACE or text[i - 2] == _EQUALS


@inlined
def _escape(text: Text, i: int, end: int) -> int:
    """Behind a control sequence of a terminal, or behind this byte."""
    if text[i] != _ESCAPE or i + 1 >= end or text[i + 1] != _BRACKET:
        return i + 1
    j = i + 2
    while j < end and 32 <= text[j] < 64:
        j += 1
    return min(j + 1, end)


@inlined
def _is_size(text: Text, i: int, j: int) -> bool:
    if j - i > 3:
        return False
    name = 0
    for k in range(i, j):
        name = name << 8 | int(text[k])
    return name in _SIZES


@inlined
def _joins(text: Text, i: int, j: int, kind: int, before: int, between: int) -> bool:
    """Whether a token goes on with the one before: a list, a date, a number and its unit."""
    if between == _LISTED:
        return kind == before and kind > _NAME
    if between != _GAP:
        return False
    if before == _DATE:
        return kind in (_DATE, _NUM, _TIME)
    return before == _NUM and kind == _WORD and _is_size(text, i, j)


@inlined
def _between(before: int, b: int) -> int:
    return _LISTED if before == _NOTHING and b == _COMMA else _OTHER


@inlined
def _marked(text: Text, i: int, j: int, shape: np.uint64) -> np.uint64:
    for k in range(i, j):
        shape = mixed(shape, np.uint64(text[k]))
    return shape


@inlined
def scan(text: Text, begin: int, end: int, out: Places) -> tuple[int, np.uint64]:
    """How many tokens a line has, and a hash of all that is between them.

    Into `out`: of each token its hash, kind, begin and end.
    """
    hashes, kinds, begins, ends = out
    end = min(end, begin + MOST_BYTES)
    n, shape, held, between, i = 0, _SEED, _SEED, _NOTHING, begin
    while i < end and n < MOST_TOKENS:
        if CLASS[text[i]] == _SPACE:
            if between == _NOTHING and n > 0:
                between = _GAP
            i = _escape(text, i, end)
            continue
        if i > begin and CLASS[text[i - 1]] == _SPACE:
            shape = mixed(shape, _IN_GAP)
        j, kind = _token(text, begin, i, end)
        if kind < 0:
            shape = _marked(text, i, j, shape)
            between = _between(between, text[i])
            i = j
            if not _is_empty(text, begin, i, end):
                continue
            kind = _EMPTY
        if n > 0 and _joins(text, i, j, kind, kinds[n - 1] & KIND, between):
            ends[n - 1] = j
            shape = held
        else:
            shape = mixed(shape, _TOKEN)
            hashes[n] = _hashed(text, i, j) if kind <= _NAME else _FORM + np.uint64(kind)
            kinds[n] = kind | LED if between == _GAP else kind
            begins[n], ends[n] = i, j
            n += 1
        held, between, i = shape, _NOTHING, j
    return n, shape


@uncounted
def scanned(text: Text, begin: int, end: int, out: Places) -> tuple[int, np.uint64]:
    """As `scan`, for who asks from outside."""
    return scan(text, begin, end, out)
