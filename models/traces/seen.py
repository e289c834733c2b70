"""What was seen within a window, in bounded memory: two tables, of which the older is let go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from models.traces.mixing import mixed, mixed_trace

__all__ = ["Seen", "first_seen", "no_seen"]

# Of `used`: which table is the younger, how many are in it, since when, how often it was full.
_YOUNG, _COUNT, _SINCE, FULL = range(4)


class Seen(NamedTuple):
    """Fingerprints of 64 bits: two things are taken for one once in 10^12 at a million in a window.

    `prints` uint64 (2, P), P a power of 2, 0 for none; `used` int64 (4,); `seed` uint64 (1,).
    """

    prints: NDArray[np.uint64]
    used: NDArray[np.int64]
    seed: NDArray[np.uint64]


def no_seen(most: int, seed: int) -> Seen:
    """Nothing yet; room for at least `most` within a window."""
    places = 1 << (2 * most - 1).bit_length()
    return Seen(
        prints=np.zeros((2, places), dtype=np.uint64),
        used=np.zeros(4, dtype=np.int64),
        seed=np.array([seed], dtype=np.uint64),
    )


@uncounted
def first_seen(
    trace: NDArray[np.uint64],
    span: NDArray[np.uint64],
    kind: NDArray[np.uint8],
    at: tuple[int, int],
    seen: Seen,
    is_first: NDArray[np.bool_],
) -> None:
    """Tell of spans which were not seen within the window.

    `trace` (N, 2), `span`, `kind` (N,) is what they are known by: two sides of one call may share
    an id. `at`: now and the window, in milliseconds. What is told goes into `is_first` (N,).
    """
    if at[0] - seen.used[_SINCE] >= at[1]:
        _turn(at[0], seen)
    half = seen.prints.shape[1] // 2
    for row in range(len(span)):
        whole = mixed_trace(trace[row, 0], trace[row, 1], seen.seed[0])
        own = mixed(mixed(whole + mixed(span[row])) + np.uint64(kind[row])) | np.uint64(1)
        young = int(seen.used[_YOUNG])
        here = _place(own, seen.prints[young])
        is_known = seen.prints[young, here] == own
        if not is_known:
            old = 1 - young
            is_known = seen.prints[old, _place(own, seen.prints[old])] == own
        is_first[row] = not is_known
        if not is_known:
            seen.prints[young, here] = own
            seen.used[_COUNT] += 1
            if seen.used[_COUNT] >= half:
                seen.used[FULL] += 1
                _turn(at[0], seen)


@uncounted
def _place(own: np.uint64, prints: NDArray[np.uint64]) -> int:
    """Where a fingerprint is, or would be."""
    mask = np.uint64(len(prints) - 1)
    here = (own >> np.uint64(1)) & mask
    while prints[here] != np.uint64(0) and prints[here] != own:
        here = (here + np.uint64(1)) & mask
    return int(here)


@uncounted
def _turn(at: int, seen: Seen) -> None:
    """Let go of the older, and begin it anew."""
    old = 1 - int(seen.used[_YOUNG])
    seen.prints[old, :] = np.uint64(0)
    seen.used[_YOUNG], seen.used[_COUNT], seen.used[_SINCE] = old, 0, at
