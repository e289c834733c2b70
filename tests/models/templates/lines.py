"""Lines of text as the miner takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.templates.miner import Mined, Miner

__all__ = ["columns", "texts"]


def columns(*lines: str | bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One buffer of all lines, and where each ends in it."""
    raw = [line.encode() if isinstance(line, str) else line for line in lines]
    ends = np.cumsum([len(line) for line in raw], dtype=np.int64)
    return np.frombuffer(b"".join(raw), np.uint8), ends


def texts(miner: Miner, lines: Sequence[str | bytes]) -> list[str]:
    """The template of each line, as it is after the last one."""
    mined: Mined = miner.add(*columns(*lines))
    return [miner.template(number).text for number in mined.number.tolist()]
