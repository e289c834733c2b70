"""Words with bytes that are not of ASCII, compiled: names of any script, signs, a unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined
from models.templates.kinds import CLASS, Byte

__all__ = ["lettered", "micro", "wide"]

Text = NDArray[np.uint8]

_WIDE, _LETTER = int(Byte.WIDE), int(Byte.LETTER)
_IN_NAMES, _S = (ord("-"), ord("_")), ord("s")
# First bytes in UTF-8 of most signs that are no letters: quotes, dashes, arrows, currencies.
_SIGNS = (0xC2, 0xE2)
# The two signs that are written for a millionth, in UTF-8.
_MICRO = (0xC2B5, 0xCEBC)


@inlined
def micro(text: Text, i: int, end: int) -> int:
    """Behind the unit of microseconds, written with its Greek letter, or -1."""
    if i + 2 >= end or text[i + 2] != _S or (i + 3 < end and CLASS[text[i + 3]] >= _WIDE):
        return -1
    return i + 3 if (int(text[i]) << 8 | int(text[i + 1])) in _MICRO else -1


@inlined
def lettered(text: Text, i: int, end: int) -> int:
    """End of a word of letters of any script, as `Zürich`, that begins here."""
    while i < end:
        c = CLASS[text[i]]
        is_wide = c == _WIDE and text[i] not in _SIGNS
        if not is_wide and c != _LETTER and text[i] not in _IN_NAMES:
            break
        i += 1
    return i


@inlined
def wide(text: Text, i: int, end: int) -> int:
    """End of what begins here with a byte that is not of ASCII."""
    j = micro(text, i, end)
    if j < 0 and text[i] not in _SIGNS:
        j = lettered(text, i, end)
    if j < 0:
        j = i
        while j < end and CLASS[text[j]] == _WIDE:
            j += 1
    return j
