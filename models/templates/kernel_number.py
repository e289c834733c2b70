"""Numbers with an exponent, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined
from models.templates.kinds import CLASS, Byte

__all__ = ["is_scientific"]

Text = NDArray[np.uint8]

_DIGIT = int(Byte.DIGIT)
_DOT, _E, _SIGNS = ord("."), ord("e"), (ord("+"), ord("-"))


@inlined
def is_scientific(text: Text, i: int, j: int, dots: int) -> bool:
    """Whether a number with an exponent, as `1e-05` or `1.0E10`; `1e5` may be of an id."""
    k = i if CLASS[text[i]] == _DIGIT else i + 1
    while k < j and (CLASS[text[k]] == _DIGIT or text[k] == _DOT):
        k += 1
    if k + 1 >= j or (text[k] | 32) != _E:
        return False
    is_signed = text[k + 1] in _SIGNS
    first = last = k + 2 if is_signed else k + 1
    while last < j and CLASS[text[last]] == _DIGIT:
        last += 1
    return bool(last == j and last > first and (is_signed or dots > 0))
