"""Series that are gone: nothing is known in their rows any more, and none of them is counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.anomaly.tuning import LEARN
from models.baseline.layout import Hot
from models.baseline.room import Room
from models.baseline.state import State

__all__ = ["forget"]

_KEPT = frozenset({"kind"})


def forget(state: State, room: Room, rows: NDArray[np.int32]) -> None:
    """Clear rows of a state that lies in a room; their kinds stay, for who comes back.

    What all series together taught (the pool's counts) stays too: only how many are past learning
    is put right, since it tells how long those counts are remembered.
    """
    learned = int((state.hot[rows, Hot.COUNT] > LEARN).sum())
    state.pool_spent[2] = max(int(state.pool_spent[2]) - learned, 0)
    room.clear(rows, but=_KEPT)
