"""Addresses that are groups between colons, compiled: IPv6, and those of hardware."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined
from models.templates.kinds import CLASS, Byte

__all__ = ["at", "colons", "is_hex"]

Text = NDArray[np.uint8]

_LETTER, _DIGIT = int(Byte.LETTER), int(Byte.DIGIT)
_COLON, _SLASH, _DOT, _PERCENT = (ord(c) for c in ":/.%")
_V6_GROUP, _V6_LEAST, _V4_DOTS = 4, 2, 3


@inlined
def is_hex(b: int) -> bool:
    """Whether a digit, or a letter from a to f."""
    return 48 <= b <= 57 or 97 <= (b | 32) <= 102


@inlined
def at(text: Text, i: int, end: int) -> int:
    """The byte there, or a space past the end."""
    return int(text[i]) if i < end else 32


@inlined
def _tail(text: Text, j: int, end: int) -> int:
    """Behind the IPv4 end, zone or prefix of an address whose groups end here; -1: it is none."""
    k, dots = j, 0
    while k < end and (text[k] == _DOT or CLASS[text[k]] == _DIGIT):
        dots += text[k] == _DOT
        k += 1
    last = k
    if k < end and text[k] in (_PERCENT, _SLASH):
        is_zone = text[k] == _PERCENT
        k += 1
        while k < end and (CLASS[text[k]] == _DIGIT or (is_zone and CLASS[text[k]] == _LETTER)):
            k += 1
    if CLASS[at(text, k, end)] >= _LETTER:
        return -1
    while k == last and k > j and text[k - 1] == _DOT:
        k, last, dots = k - 1, last - 1, dots - 1
    return k if dots in (0, _V4_DOTS) else -1


@inlined
def colons(text: Text, i: int, end: int) -> int:
    """End of an IPv6 or hardware address that begins here, or -1."""
    j = i
    while j < end and j - i < _V6_GROUP and is_hex(text[j]):
        j += 1
    if j >= end or text[j] != _COLON:
        return -1
    found, doubled, digits, letters = 0, 0, 0, 0
    j = i
    while j < end and (text[j] == _COLON or is_hex(text[j])):
        if text[j] == _COLON:
            found += 1
            doubled += j > i and text[j - 1] == _COLON
        elif text[j] <= 57:
            digits += 1
        else:
            letters += 1
        j += 1
    if found < _V6_LEAST or digits == 0 or (letters == 0 and found <= _V6_GROUP and doubled == 0):
        return -1
    j = _tail(text, j, end)
    is_led = j > 1 and text[j - 1] == _COLON and text[j - 2] != _COLON
    return j - 1 if is_led else j
