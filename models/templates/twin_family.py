"""What words of alike lines say of their places, plainly: what `kernel_family` must equal."""

from __future__ import annotations

from collections.abc import Sequence

from models.templates import tuning as c
from models.templates.kinds import CAPITALS, KIND, LED, STATE, Kind

__all__ = ["Line", "freed", "likeness"]

# Hash and signs of each token.
Line = Sequence[tuple[int, int]]


def likeness(rows: Sequence[Line], own: Line, free: int) -> float:
    """As `kernel_family.likeness`."""
    same = []
    for p, (h, sign) in enumerate(own):
        is_masked = sign & KIND > Kind.NAME and any(row[p][1] & KIND > Kind.NAME for row in rows)
        if not free >> p & 1 and not is_masked:
            same.append(any(row[p][0] == h for row in rows))
    return sum(same) / len(same) if same else 1.0


def freed(rows: Sequence[Line], own: Line, free: int) -> int:
    """As `kernel_family.freed`."""
    held = [p for p in range(len(own)) if not free >> p & 1]
    differing = [[p for p in held if _differs(row[p], own[p])] for row in rows]
    constants = sum(
        own[p][1] & KIND == Kind.WORD and all(row[p][0] == own[p][0] for row in rows) for p in held
    )
    made = 0
    for p in held:
        near = [row for row, places in zip(rows, differing, strict=True) if places == [p]]
        is_free = near and _is_free(near, own, p, constants, 1)
        if is_free or _is_free(rows, own, p, constants, c.TOGETHER):
            made |= 1 << p
    return made


def _differs(one: tuple[int, int], other: tuple[int, int]) -> bool:
    is_masked = one[1] & KIND > Kind.NAME and other[1] & KIND > Kind.NAME
    return one[0] != other[0] and not is_masked


def _is_free(rows: Sequence[Line], own: Line, p: int, constants: int, times: int) -> bool:
    values = {own[p][0]: own[p][1]}
    for row in rows:
        values.setdefault(*row[p])
    signs = list(values.values())
    kinds = [sign & KIND for sign in signs]
    masks, names = {kind for kind in kinds if kind > Kind.NAME}, kinds.count(Kind.NAME)
    if len(masks) > 1 or (masks and names):
        return True
    if c.STATUS_SHARE * sum(sign & STATE > 0 for sign in signs) >= len(signs):
        return False
    needed = c.NEEDED
    if masks or 2 * names > len(signs):
        needed = c.NEEDED_NAMES
    elif all(sign & CAPITALS for sign in signs):
        needed = c.NEEDED_CAPITALS
    elif own[p][1] & LED:
        needed = c.NEEDED_LED
    return len(signs) >= times * needed[min(constants, len(needed) - 1)]
