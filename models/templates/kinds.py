"""What a piece of a log line can be, and which bytes it is made of."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CAPITALS",
    "CLASS",
    "FIELD",
    "KIND",
    "LED",
    "MOST_BYTES",
    "MOST_TOKENS",
    "STATE",
    "WEIGHT",
    "Byte",
    "Field",
    "Kind",
]

# A line is looked at no further, so that one of 10 MB costs what one of 1 kB does; and a count of
# bytes of a word fits into `FIELD` bits.
MOST_BYTES = 1000
# One bit each in the set of a family's variable places.
MOST_TOKENS = 64


# The signs of a token are its kind, and whether a noun before it says that a name follows (to the
# scan: whether nothing but space is before it), it is a word of a state, or it is in capitals.
KIND, LED, STATE, CAPITALS = 0x0F, 0x10, 0x20, 0x40


class Kind(IntEnum):
    """Words and names stand for themselves; all others are parameters, told by their form alone."""

    WORD = 0
    NAME = 1  # with a dot, a slash or the like inside: of a host, a file, a class
    NUM = 2
    TIME = 3
    DATE = 4
    IP = 5
    HEX = 6
    ID = 7
    PATH = 8
    URL = 9
    MAIL = 10
    STR = 11
    JSON = 12
    EMPTY = 13
    BOOL = 14


class Byte(IntEnum):
    """Classes of bytes. A token is made of letters, digits and joints, or of wide bytes alone."""

    SPACE = 0
    MARK = 1
    WIDE = 2
    LETTER = 3
    DIGIT = 4
    JOINT = 5


class Field(IntEnum):
    """What is counted in a word, each in `FIELD` bits of one number."""

    DIGIT = 0
    LETTER = 1
    SLASH = 2
    DOT = 3
    AT = 4
    BACK = 5


FIELD = 10
_FIELDS = {"/": Field.SLASH, ".": Field.DOT, "@": Field.AT, "\\": Field.BACK}


def _classes() -> NDArray[np.uint8]:
    made = np.full(256, Byte.MARK, dtype=np.uint8)
    made[: ord(" ") + 1] = made[127] = Byte.SPACE
    made[128:] = Byte.WIDE
    for first, last in (("a", "z"), ("A", "Z")):
        made[ord(first) : ord(last) + 1] = Byte.LETTER
    made[ord("0") : ord("9") + 1] = Byte.DIGIT
    made[np.frombuffer(b"_-./\\@%+$~&", np.uint8)] = Byte.JOINT
    return made


def _weights() -> NDArray[np.int64]:
    made = np.zeros(256, dtype=np.int64)
    made[CLASS == Byte.DIGIT] = 1 << (FIELD * Field.DIGIT)
    made[CLASS == Byte.LETTER] = 1 << (FIELD * Field.LETTER)
    for mark, field in _FIELDS.items():
        made[ord(mark)] = 1 << (FIELD * field)
    return made


CLASS = _classes()
WEIGHT = _weights()
