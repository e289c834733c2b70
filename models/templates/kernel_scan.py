"""A log line to its tokens and its shape, compiled: one pass over its bytes, nothing allocated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined, uncounted
from models.templates import kernel_extent as extent
from models.templates.kernel_colons import colons
from models.templates.kernel_meaning import is_truth, is_unit, restated
from models.templates.kernel_word import word
from models.templates.kinds import CLASS, LED, MOST_TOKENS, Byte, Kind

__all__ = ["Places", "mixed", "scan", "scanned"]

Text = NDArray[np.uint8]
Places = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]

_SPACE, _WIDE = int(Byte.SPACE), int(Byte.WIDE)
_WORD, _NAME, _NUM, _TIME, _DATE = (
    int(k) for k in (Kind.WORD, Kind.NAME, Kind.NUM, Kind.TIME, Kind.DATE)
)
_IP, _COLON, _BEFORE_COLONS = int(Kind.IP), ord(":"), tuple(ord(c) for c in " \t[(={,")
_STR, _JSON, _EMPTY, _BOOL = (int(k) for k in (Kind.STR, Kind.JSON, Kind.EMPTY, Kind.BOOL))
# Any number of these, one behind the other, is one: a list.
_RUNS = tuple(int(k) for k in (Kind.IP, Kind.HEX, Kind.ID, Kind.PATH, Kind.URL, Kind.MAIL))
_EQUALS, _COMMA, _PAREN, _COMPARED = ord("="), ord(","), ord("("), (ord("<"), ord(">"))
_OPENS, _CLOSES = (ord("("), ord("["), ord("{")), (ord(")"), ord("]"), ord("}"))
_QUOTES = (ord('"'), ord("'"))
_BODIES = (ord("{"), ord("["))
_AFTER_EMPTY = tuple(ord(c) for c in " ,;)]}&\t\n\r")
_NEWLINE = 10
_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_MIX, _SHIFT, _IN_GAP, _TOKEN = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(29),
    np.uint64(0x100),
    np.uint64(0x200),
)
_FORM = np.uint64(0x6A09E667F3BCC909)
_string, _is_json, _body, _escape = extent.string, extent.is_json, extent.body, extent.escape
_is_compared, _told_from, _looked_at = (
    extent.is_compared,
    extent.told_from,
    extent.looked_at,
)
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
def _token(text: Text, begin: int, i: int, end: int) -> tuple[int, int]:
    """Where what begins here ends, and its kind; -1 for marks, that stand for themselves."""
    b = text[i]
    if CLASS[b] >= _WIDE:
        j, kind = word(text, i, end)
        return j, _BOOL if kind == _WORD and is_truth(text, begin, i, j) else kind
    if b in _QUOTES:
        j = _string(text, begin, i, end)
        if j > 0:
            return j, _STR
    elif b in _COMPARED and _is_compared(text, begin, i, end):
        return word(text, i + 1, end)
    elif b in _BODIES and _is_json(text, i, end):
        return _body(text, i, end), _JSON
    elif b == _COLON and (i == begin or text[i - 1] in _BEFORE_COLONS):
        j = colons(text, i, end)
        return (j, _IP) if j > 0 else (i + 1, -1)
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
def _joins(text: Text, i: int, j: int, kind: int, before: int, between: int) -> bool:
    """Whether a token goes on with the one before: a list, a date, a number and its unit."""
    if between == _LISTED:
        return kind == before and kind > _NAME
    if between != _GAP:
        return False
    if before == _DATE:
        return kind in (_DATE, _NUM, _TIME)
    if before == _NUM:
        return kind == _WORD and is_unit(text, i, j)
    return kind == before and kind in _RUNS


@inlined
def _between(before: int, b: int) -> int:
    return _LISTED if before == _NOTHING and b == _COMMA else _OTHER


@inlined
def _marked(text: Text, begin: int, i: int, j: int, shape: np.uint64) -> np.uint64:
    """A shape with marks in it, each run of the same as one."""
    for k in range(i, j):
        if k == begin or text[k] != text[k - 1]:
            shape = mixed(shape, np.uint64(text[k]))
    return shape


@inlined
def scan(text: Text, begin: int, end: int, out: Places) -> tuple[int, np.uint64]:
    """How many tokens the first line of a message has, and a hash of all that is between them.

    Into `out`: of each token its hash, kind, begin and end.
    """
    hashes, kinds, begins, ends = out
    begin = _told_from(text, begin, end)
    end = _looked_at(text, begin, end)
    n, shape, held, between, i, before, gap = 0, _SEED, _SEED, _NOTHING, begin, -1, False
    while i < end and n < MOST_TOKENS:
        if CLASS[text[i]] == _SPACE:
            if text[i] == _NEWLINE and n > 0:
                break
            between, gap = max(between, _GAP), shape != _SEED
            i = _escape(text, i, end)
            continue
        if before == _NUM and between == _GAP and text[i] == _PAREN:
            j = restated(text, i, end)
            if j > 0:
                ends[n - 1], between, i, gap = j, _NOTHING, j, False
                continue
        if gap:
            shape, gap = mixed(shape, _IN_GAP), False
        j, kind = _token(text, begin, i, end)
        if kind < 0:
            shape = _marked(text, begin, i, j, shape)
            between = _between(between, text[i])
            i = j
            if not _is_empty(text, begin, i, end):
                continue
            kind = _EMPTY
        if n > 0 and _joins(text, i, j, kind, before, between):
            ends[n - 1] = j
            shape = held
        else:
            shape = mixed(shape, _TOKEN)
            hashes[n] = _hashed(text, i, j) if kind <= _NAME else _FORM + np.uint64(kind)
            kinds[n] = kind | LED if between == _GAP else kind
            begins[n], ends[n] = i, j
            n, before = n + 1, kind
        held, between, i = shape, _NOTHING, j
    return n, shape


@uncounted
def scanned(text: Text, begin: int, end: int, out: Places) -> tuple[int, np.uint64]:
    """As `scan`, for who asks from outside."""
    return scan(text, begin, end, out)
