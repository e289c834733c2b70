"""A log line to its tokens and its shape, compiled: one pass over its bytes, nothing allocated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined, uncounted
from models.templates.kernel_word import word
from models.templates.kinds import CLASS, LED, MOST_BYTES, MOST_TOKENS, Byte, Kind

__all__ = ["Places", "mixed", "scan", "scanned"]

Text = NDArray[np.uint8]
Places = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]

_SPACE, _WIDE, _LETTER, _DIGIT = (int(b) for b in (Byte.SPACE, Byte.WIDE, Byte.LETTER, Byte.DIGIT))
_WORD, _NAME, _NUM, _TIME, _DATE = (
    int(k) for k in (Kind.WORD, Kind.NAME, Kind.NUM, Kind.TIME, Kind.DATE)
)
_STR, _JSON, _EMPTY, _BOOL = (int(k) for k in (Kind.STR, Kind.JSON, Kind.EMPTY, Kind.BOOL))
# Any number of these, one behind the other, is one: a list.
_RUNS = tuple(int(k) for k in (Kind.IP, Kind.HEX, Kind.ID, Kind.PATH, Kind.URL, Kind.MAIL))
_ESCAPE, _EQUALS, _COMMA, _DOT, _PAREN, _PAREN_END = 27, *(ord(c) for c in "=,.()")
_NAMED, _COMPARED = (ord("="), ord(":")), (ord("<"), ord(">"))
_OPENS, _CLOSES = (ord("("), ord("["), ord("{")), (ord(")"), ord("]"), ord("}"))
_QUOTE, _APOSTROPHE, _BACK = ord('"'), ord("'"), ord("\\")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")
_AFTER_EMPTY = tuple(ord(c) for c in " ,;)]}&\t\n\r")
_STRING_MOST = 256
_UNITS = tuple(
    int.from_bytes(unit, "big")
    for unit in (
        *(
            b"B",
            b"KB",
            b"kB",
            b"MB",
            b"GB",
            b"TB",
            b"KiB",
            b"MiB",
            b"GiB",
            b"TiB",
            b"byte",
            b"bytes",
        ),
        *(b"ns", b"us", b"ms", b"s", b"sec", b"secs", b"second", b"seconds", b"min", b"mins"),
        *(
            b"minute",
            b"minutes",
            b"h",
            b"hour",
            b"hours",
            b"day",
            b"days",
            b"millis",
            b"MHz",
            b"GHz",
        ),
    )
)
_METHODS = tuple(
    int.from_bytes(word, "big")
    for word in (b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"PATCH", b"OPTIONS")
)
_TRUTHS = tuple(
    int.from_bytes(word, "big")
    for word in (b"true", b"True", b"TRUE", b"false", b"False", b"FALSE", b"null", b"None", b"nil")
)
_TRACEBACK, _NEWLINE = tuple(b"Traceback (most recent call"), 10
# So many letters of a word fit into a number.
_CODED = 7
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
def _coded(text: Text, i: int, j: int) -> int:
    """A short word as a number; 0 for a longer one."""
    name = 0
    if j - i <= _CODED:
        for k in range(i, j):
            name = name << 8 | int(text[k])
    return name


@inlined
def _is_request(text: Text, i: int, end: int) -> bool:
    """Whether a method of HTTP and a space are here: what was asked for tells lines apart."""
    j = i
    while j < end and j - i <= _CODED and 65 <= text[j] <= 90:
        j += 1
    return j < end and text[j] == 32 and _coded(text, i, j) in _METHODS


@inlined
def _string(text: Text, begin: int, i: int, end: int) -> int:
    """End of the quoted string that begins here, or -1."""
    if (i > begin and CLASS[text[i - 1]] >= _WIDE) or _is_request(text, i + 1, end):
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
def _is_compared(text: Text, begin: int, i: int, end: int) -> bool:
    """Whether a sign of more or less is part of the number behind it, as in `<1 s`."""
    is_apart = i == begin or CLASS[text[i - 1]] == _SPACE
    return is_apart and i + 1 < end and CLASS[text[i + 1]] == _DIGIT


@inlined
def _token(text: Text, begin: int, i: int, end: int) -> tuple[int, int]:
    """Where what begins here ends, and its kind; -1 for marks, that stand for themselves."""
    b = text[i]
    if CLASS[b] >= _WIDE:
        j, kind = word(text, i, end)
        return j, _BOOL if kind == _WORD and _is_truth(text, begin, i, j) else kind
    if b in (_QUOTE, _APOSTROPHE):
        j = _string(text, begin, i, end)
        if j > 0:
            return j, _STR
    elif b in _COMPARED and _is_compared(text, begin, i, end):
        return word(text, i + 1, end)
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
def _is_truth(text: Text, begin: int, i: int, j: int) -> bool:
    """Whether `true`, `null` or the like, as the value behind a name."""
    k = i - 1
    while k > begin and CLASS[text[k]] == _SPACE:
        k -= 1
    return k > begin and text[k] in _NAMED and _coded(text, i, j) in _TRUTHS


@inlined
def _restated(text: Text, i: int, end: int) -> int:
    """Behind a quantity in parentheses that says the one before it in another unit, or -1."""
    j = i + 1
    while j < end and (CLASS[text[j]] == _DIGIT or text[j] == _DOT or text[j] == _COMMA):
        j += 1
    k = j + 1 if j < end and text[j] == 32 else j
    last = k
    while last < end and CLASS[text[last]] == _LETTER:
        last += 1
    is_quantity = j > i + 1 and last > k and _coded(text, k, last) in _UNITS
    return last + 1 if is_quantity and last < end and text[last] == _PAREN_END else -1


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
        return kind == _WORD and _coded(text, i, j) in _UNITS
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
def _told(text: Text, begin: int, end: int) -> int:
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
def _looked_at(text: Text, begin: int, end: int) -> int:
    """End of the line, or of its last whole word where it is too long."""
    if end - begin <= MOST_BYTES:
        return end
    last = begin + MOST_BYTES
    j = last
    while j > last - _STRING_MOST and CLASS[text[j - 1]] != _SPACE:
        j -= 1
    return j if CLASS[text[j - 1]] == _SPACE else last


@inlined
def scan(text: Text, begin: int, end: int, out: Places) -> tuple[int, np.uint64]:
    """How many tokens the first line of a message has, and a hash of all that is between them.

    Into `out`: of each token its hash, kind, begin and end.
    """
    hashes, kinds, begins, ends = out
    begin = _told(text, begin, end)
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
            j = _restated(text, i, end)
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
