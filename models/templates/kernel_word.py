"""Words of a log line, compiled: where one ends, and which kind of parameter it is, if any."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined
from models.templates.kernel_colons import at, colons, is_hex
from models.templates.kernel_number import is_scientific
from models.templates.kernel_wide import lettered, micro, wide
from models.templates.kinds import CLASS, FIELD, WEIGHT, Byte, Field, Kind

__all__ = ["word"]

Text = NDArray[np.uint8]

_WIDE, _LETTER, _DIGIT, _JOINT, _SPACE = (
    int(b) for b in (Byte.WIDE, Byte.LETTER, Byte.DIGIT, Byte.JOINT, Byte.SPACE)
)
_WORD, _NAME, _NUM, _TIME, _DATE, _IP = (
    int(k) for k in (Kind.WORD, Kind.NAME, Kind.NUM, Kind.TIME, Kind.DATE, Kind.IP)
)
_HEX, _ID, _PATH, _URL, _MAIL = (
    int(k) for k in (Kind.HEX, Kind.ID, Kind.PATH, Kind.URL, Kind.MAIL)
)
_MOST = (1 << FIELD) - 1
_TO_LETTER, _TO_SLASH, _TO_DOT, _TO_AT, _TO_BACK = (
    FIELD * int(f) for f in (Field.LETTER, Field.SLASH, Field.DOT, Field.AT, Field.BACK)
)
_ONE_DOT = 1 << _TO_DOT
_COLON, _COMMA, _SLASH, _DOT, _AT, _BACK, _TILDE = (ord(c) for c in ":,/.@\\~")
_ASKED, _ZERO, _X = ord("?"), ord("0"), ord("x")
_QUOTES = (ord('"'), ord("'"), ord("<"), ord(">"), ord(")"))
# A unit written onto its number, as in 10ms, 512MB or 2nd.
_UNIT = 3
# Shorter words of the letters a to f are words.
_HEX_LEAST = 8
# A name with one digit inside, as a protocol's or a library's, has so many letters or more.
_NAME_LEAST = 4
_NAME_JOINTS, _HYPHEN = (ord("_"), ord("$")), ord("-")
_DAYS = tuple(
    int.from_bytes(d, "big") for d in (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = tuple(int.from_bytes(m.encode(), "big") for m in _MONTH_NAMES)


@inlined
def _goes_on(text: Text, i: int, j: int, end: int, counts: int, colons: int) -> bool:
    """Whether a colon or comma within a time or a number: there is a digit on both sides."""
    is_between = j > i and j + 1 < end and CLASS[text[j - 1]] == _DIGIT
    if not is_between or CLASS[text[j + 1]] != _DIGIT:
        return False
    if text[j] == _COLON:
        return CLASS[text[i]] == _DIGIT and (counts >> _TO_DOT) & _MOST == 0
    return colons > 0 or (counts >> _TO_LETTER) & _MOST == 0


@inlined
def _to_space(text: Text, j: int, end: int) -> int:
    while j < end and CLASS[text[j]] != _SPACE and text[j] not in _QUOTES:
        j += 1
    return j


@inlined
def _month(text: Text, i: int, end: int) -> bool:
    if end - i < 3:
        return False
    return (int(text[i]) << 16 | int(text[i + 1]) << 8 | int(text[i + 2])) in _MONTHS


@inlined
def _is_date(text: Text, i: int, j: int, end: int) -> bool:
    """Whether the name of a day or month with a date after it."""
    if j - i != 3:
        return False
    name = int(text[i]) << 16 | int(text[i + 1]) << 8 | int(text[i + 2])
    day = name in _DAYS
    if not day and name not in _MONTHS:
        return False
    if day and at(text, j, end) == _COMMA:
        j += 1
    k = j
    while k < end and text[k] == 32:
        k += 1
    if k == j:
        return False
    return CLASS[at(text, k, end)] == _DIGIT or (day and _month(text, k, end))


@inlined
def _all_hex(text: Text, i: int, j: int) -> bool:
    k = i
    while k < j and is_hex(text[k]):
        k += 1
    return k == j


@inlined
def _is_name(text: Text, i: int, j: int) -> bool:
    """Whether its only digit is between letters, and no hyphen is in it."""
    found = False
    for k in range(i, j):
        if text[k] == _HYPHEN:
            return False
        if i < k < j - 1 and CLASS[text[k]] == _DIGIT:
            after = text[k + 1]
            is_joined = CLASS[after] == _LETTER or after in _NAME_JOINTS
            found = CLASS[text[k - 1]] == _LETTER and is_joined
    return found


@inlined
def _without_letters(digits: int, dots: int, slashes: int, colons: int) -> int:
    if dots == 3 and digits >= 4 and colons <= 1 and slashes <= 1:
        return _IP
    return _TIME if colons > 0 else _NUM


@inlined
def _with_digits(text: Text, i: int, j: int, counts: int, colons: int) -> int:
    digits, letters = counts & _MOST, (counts >> _TO_LETTER) & _MOST
    dots, slashes = (counts >> _TO_DOT) & _MOST, (counts >> _TO_SLASH) & _MOST
    if letters == 0:
        return _without_letters(digits, dots, slashes, colons)
    z = i + (CLASS[text[i]] == _JOINT)
    if j - z > 2 and text[z] == _ZERO and (text[z + 1] | 32) == _X:
        return _HEX
    is_led = CLASS[text[i]] == _DIGIT or (CLASS[text[i]] == _JOINT and CLASS[text[i + 1]] == _DIGIT)
    if is_led and colons > 0:
        return _TIME
    if (
        is_led
        and letters <= _UNIT
        and CLASS[text[j - 1]] == _LETTER
        and digits + letters + dots >= j - i - 1
    ):
        return _NUM
    if is_led and letters == 1 and is_scientific(text, i, j, dots):
        return _NUM
    if digits == 1 and letters >= _NAME_LEAST and _is_name(text, i, j):
        is_hex = j - i >= _HEX_LEAST and _all_hex(text, i, j)
        return _ID if is_hex else (_NAME if dots + slashes > 0 else _WORD)
    return _ID


@inlined
def _plain(text: Text, i: int, j: int, end: int) -> int:
    if _is_date(text, i, j, end):
        return _DATE
    return _ID if j - i >= _HEX_LEAST and _all_hex(text, i, j) else _WORD


@inlined
def _kind(text: Text, i: int, j: int, end: int, counts: int, colons: int) -> int:
    slashes, back = (counts >> _TO_SLASH) & _MOST, (counts >> _TO_BACK) & _MOST
    letters = (counts >> _TO_LETTER) & _MOST
    is_rooted = text[i] == _SLASH or (text[i] == _TILDE and slashes > 0)
    if letters + (counts & _MOST) > 0 and (
        is_rooted or (letters > 0 and (slashes > 1 or back > 1))
    ):
        return _PATH
    dots = (counts >> _TO_DOT) & _MOST
    if (counts >> _TO_AT) & _MOST > 0 and text[i] != _AT and text[j - 1] != _AT:
        return _MAIL if dots > 0 else _ID
    if counts & _MOST > 0:
        return _with_digits(text, i, j, counts, colons)
    if dots + slashes + back > 0:
        return _NAME
    return _plain(text, i, j, end)


@inlined
def _beyond(text: Text, i: int, j: int, end: int, digits: int) -> tuple[int, int]:
    """End and kind of what goes on behind `j`, or -1: an address, a drive's path, a word."""
    if digits == 0 and CLASS[at(text, j, end)] == _WIDE:
        further = lettered(text, i, end)
        return (further, _WORD) if further > j else (-1, -1)
    if at(text, j, end) != _COLON:
        return -1, -1
    after = at(text, j + 1, end)
    if after == _SLASH and at(text, j + 2, end) == _SLASH:
        return _to_space(text, j, end), _URL
    if after == _BACK and j - i == 1:
        return _to_space(text, j, end), _PATH
    return -1, -1


@inlined
def _further(text: Text, j: int, end: int, kind: int) -> int:
    """Behind the query of a path, or the unit of a number that is not of ASCII."""
    if kind == _PATH and at(text, j, end) == _ASKED and CLASS[at(text, j + 1, end)] >= _WIDE:
        return _to_space(text, j, end)
    return max(j, micro(text, j, end)) if kind == _NUM else j


@inlined
def word(text: Text, i: int, end: int) -> tuple[int, int]:
    """Where the word that begins at `i` ends, and its kind; -1 where it is joints alone."""
    if CLASS[text[i]] == _WIDE:
        return wide(text, i, end), _WORD
    if is_hex(text[i]):
        j = colons(text, i, end)
        if j > 0:
            return j, _IP
    counts, times, j = 0, 0, i
    while j < end:
        b = text[j]
        if CLASS[b] >= _LETTER:
            counts += WEIGHT[b]
        elif b in (_COLON, _COMMA) and _goes_on(text, i, j, end, counts, times):
            times += b == _COLON
        else:
            break
        j += 1
    further, kind = _beyond(text, i, j, end, counts & _MOST)
    if kind >= 0:
        return further, kind
    while j > i + 1 and text[j - 1] == _DOT:
        j -= 1
        counts -= _ONE_DOT
    if counts & _MOST == 0 and (counts >> _TO_LETTER) & _MOST == 0:
        return j, -1
    kind = _kind(text, i, j, end, counts, times)
    return _further(text, j, end, kind), kind
