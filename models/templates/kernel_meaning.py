"""Short words that say what they are, compiled: units, methods of HTTP, truth values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined
from models.templates.kinds import CLASS, Byte

__all__ = ["is_message", "is_request", "is_truth", "is_unit", "restated"]

Text = NDArray[np.uint8]

_SPACE, _LETTER, _DIGIT = (int(b) for b in (Byte.SPACE, Byte.LETTER, Byte.DIGIT))
_COMMA, _DOT, _PAREN_END, _NAMED = ord(","), ord("."), ord(")"), (ord("="), ord(":"))
_NEWLINE, _EQUALS = 10, ord("=")
# So many letters of a word fit into a number.
_CODED = 7


def _codes(words: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(word, "big") for word in words.split())


_UNITS = _codes(
    b"B KB kB MB GB TB KiB MiB GiB TiB byte bytes ns us ms s sec secs second seconds min mins "
    b"minute minutes h hour hours day days millis MHz GHz \xc2\xb5s \xce\xbcs"
)
_METHODS = _codes(b"GET POST PUT DELETE HEAD PATCH OPTIONS")
_TOLD = _codes(b"msg message")
_TRUTHS = _codes(b"true True TRUE false False FALSE null None nil")


@inlined
def _coded(text: Text, i: int, j: int) -> int:
    """A short word as a number; 0 for a longer one."""
    name = 0
    if j - i <= _CODED:
        for k in range(i, j):
            name = name << 8 | int(text[k])
    return name


@inlined
def is_request(text: Text, i: int, end: int) -> bool:
    """Whether a method of HTTP and a space are here: what was asked for tells lines apart."""
    j = i
    while j < end and j - i <= _CODED and 65 <= text[j] <= 90:
        j += 1
    return j < end and text[j] == 32 and _coded(text, i, j) in _METHODS


@inlined
def is_message(text: Text, begin: int, i: int, j: int, end: int) -> bool:
    """Whether what is in quotes from `i` to `j` is what the line tells, before or among fields."""
    if i == begin:
        k = j
        while k < end and CLASS[text[k]] == _SPACE and text[k] != _NEWLINE:
            k += 1
        key = k
        while k < end and CLASS[text[k]] >= _LETTER:
            k += 1
        is_whole = key == end or text[key] == _NEWLINE
        return is_whole or (j < key < k < end and text[k] == _EQUALS)
    k = i - 1
    while k > begin and CLASS[text[k - 1]] == _LETTER:
        k -= 1
    is_key = k == begin or CLASS[text[k - 1]] == _SPACE
    return bool(text[i - 1] == _EQUALS and is_key and _coded(text, k, i - 1) in _TOLD)


@inlined
def is_truth(text: Text, begin: int, i: int, j: int) -> bool:
    """Whether `true`, `null` or the like, as the value behind a name."""
    k = i - 1
    while k > begin and CLASS[text[k]] == _SPACE:
        k -= 1
    return k > begin and text[k] in _NAMED and _coded(text, i, j) in _TRUTHS


@inlined
def restated(text: Text, i: int, end: int) -> int:
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
def is_unit(text: Text, i: int, j: int) -> bool:
    """Whether a word is what the number before it counts."""
    return _coded(text, i, j) in _UNITS
