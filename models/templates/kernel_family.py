"""What words of alike lines say of their places, compiled: a parameter, or what happened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiling import inlined, uncounted
from models.templates import tuning as c
from models.templates.kinds import CAPITALS, KIND, LED, STATE, Kind

__all__ = ["Pool", "freed", "likeness"]

# Hashes and signs of the tokens of all templates, one behind the other.
Pool = tuple[NDArray[np.uint64], NDArray[np.uint8]]
Rows = NDArray[np.int64]

_NAME, _WORD = int(Kind.NAME), int(Kind.WORD)
_ONE, _NONE = np.uint64(1), np.uint64(0)
_MOST = len(c.NEEDED) - 1


@inlined
def _has(bits: np.uint64, k: int) -> bool:
    return bool((bits >> np.uint64(k)) & _ONE)


@uncounted
def likeness(pool: Pool, rows: Rows, own: Pool, free: np.uint64) -> float:
    """Share of places, parameters left out, where a form has what one of the rows has.

    `rows`: where templates of a family begin in the pool. `own`: the form's hashes and signs.
    """
    hashes, signs = pool
    same = total = 0
    for p in range(len(own[0])):
        is_mask, is_seen = False, False
        for row in rows:
            is_mask |= (signs[row + p] & KIND) > _NAME
            is_seen |= hashes[row + p] == own[0][p]
        if not _has(free, p) and not (is_mask and (own[1][p] & KIND) > _NAME):
            total += 1
            same += is_seen
    return same / total if total > 0 else 1.0


@inlined
def _constants(pool: Pool, rows: Rows, own: Pool, free: np.uint64) -> int:
    """How many places hold the same word in all of them."""
    found = 0
    for p in range(len(own[0])):
        is_same = not _has(free, p) and (own[1][p] & KIND) == _WORD
        for row in rows:
            is_same &= pool[0][row + p] == own[0][p]
        found += is_same
    return found


@inlined
def _differing(pool: Pool, row: int, own: Pool, free: np.uint64) -> tuple[int, int]:
    """In how many places a row differs from the form, and the last of them.

    Parameters of two kinds are none: an id of digits alone looks like a number.
    """
    found, last = 0, 0
    for p in range(len(own[0])):
        is_masked = (pool[1][row + p] & KIND) > _NAME and (own[1][p] & KIND) > _NAME
        if not _has(free, p) and not is_masked and pool[0][row + p] != own[0][p]:
            found += 1
            last = p
    return found, last


@inlined
def _is_first(pool: Pool, rows: Rows, chosen: np.uint64, k: int, own: np.uint64, p: int) -> bool:
    """Whether no chosen row before has the same at this place, nor the form."""
    h = pool[0][rows[k] + p]
    is_known = h == own
    for other in range(k):
        is_known |= _has(chosen, other) and pool[0][rows[other] + p] == h
    return not is_known


@inlined
def _told(sign: int) -> tuple[int, int, int, int]:
    kind = sign & KIND
    mask = 1 << kind if kind > _NAME else 0
    return mask, int(kind == _NAME), int((sign & STATE) > 0), int((sign & CAPITALS) > 0)


@inlined
def _is_free(
    pool: Pool, rows: Rows, chosen: np.uint64, own: Pool, p: int, constants: int, times: int
) -> bool:
    """Whether what the form and the chosen rows have at a place makes it a parameter."""
    distinct = 1
    masks, names, states, capitals = _told(own[1][p])
    for k in range(len(rows)):
        if not _has(chosen, k) or not _is_first(pool, rows, chosen, k, own[0][p], p):
            continue
        mask, name, state, capital = _told(pool[1][rows[k] + p])
        distinct += 1
        masks |= mask
        names += name
        states += state
        capitals += capital
    if masks & (masks - 1) != 0 or (masks != 0 and names > 0):
        return True
    if c.STATUS_SHARE * states >= distinct:
        return False
    constants = min(constants, _MOST)
    if masks != 0 or 2 * names > distinct:
        return distinct >= times * c.NEEDED_NAMES[constants]
    if capitals == distinct:
        return distinct >= times * c.NEEDED_CAPITALS[constants]
    if own[1][p] & LED:
        return distinct >= times * c.NEEDED_LED[constants]
    return distinct >= times * c.NEEDED[constants]


@uncounted
def freed(
    pool: Pool, rows: Rows, own: Pool, free: np.uint64, alone: NDArray[np.uint64]
) -> np.uint64:
    """Places that become parameters by a form that is like the rows.

    `alone`: room for a number a place. Rows that differ from the form there alone say most; those
    that differ elsewhere too may be other sentences with some words in common.
    """
    n = len(own[0])
    alone[:n] = _NONE
    every = _NONE
    for k in range(len(rows)):
        every |= _ONE << np.uint64(k)
        found, p = _differing(pool, rows[k], own, free)
        if found == 1:
            alone[p] |= _ONE << np.uint64(k)
    constants = _constants(pool, rows, own, free)
    made = _NONE
    for p in range(n):
        if _has(free, p):
            continue
        near = alone[p] != _NONE and _is_free(pool, rows, alone[p], own, p, constants, 1)
        if near or _is_free(pool, rows, every, own, p, constants, c.TOGETHER):
            made |= _ONE << np.uint64(p)
    return made
