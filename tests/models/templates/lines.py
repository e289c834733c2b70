"""Lines of text as the miner takes them, and lines that systems might write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.templates.miner import Mined, Miner

__all__ = ["LOGS", "columns", "final", "same", "texts"]

_NAMES = st.sampled_from(
    [
        "alice",
        "bob",
        "carol",
        "dave",
        "erin",
        "frank",
        "grace",
        "heidi",
        "ivan",
        "judy",
        "mallory",
        "niaj",
        "olivia",
        "peggy",
        "rupert",
        "sybil",
        "trent",
        "victor",
        "walter",
        "web-01",
        "db.internal",
        "10.0.0.7",
        "node7",
        "true",
        "Started",
        "/var/log/x",
    ]
)
_FRAMES = st.sampled_from(
    [
        "session opened for user {} by {}",
        "session closed for user {}",
        "VM {} on node {}",
        "{} logged in from {}",
        "took {} ms, size={}",
        "{} to {}",
        "Failed to {} {}",
        "user={} state={}",
    ]
)
_LINE = st.builds(lambda frame, a, b: frame.format(a, b), _FRAMES, _NAMES, _NAMES)
LOGS = st.lists(st.one_of(_LINE, st.text(max_size=30), st.binary(max_size=30)), max_size=120)


def columns(*lines: str | bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One buffer of all lines, and where each ends in it."""
    raw = [line.encode() if isinstance(line, str) else line for line in lines]
    ends = np.cumsum([len(line) for line in raw], dtype=np.int64)
    return np.frombuffer(b"".join(raw), np.uint8), ends


def texts(miner: Miner, lines: Sequence[str | bytes]) -> list[str]:
    """The template of each line, as it is after the last one."""
    return [miner.template(number).text for number in miner.add(*columns(*lines)).number.tolist()]


def final(batches: Sequence[Mined]) -> list[int]:
    """Numbers of all lines, after all that was merged in later batches."""
    into: dict[int, int] = {}
    for gone, to in reversed([pair for mined in batches for pair in mined.merged]):
        into[gone] = into.get(to, to)
    numbers = [number for mined in batches for number in mined.number.tolist()]
    return [into.get(number, number) for number in numbers]


def same(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> bool:
    """Whether two states are the same to the bit."""
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name])
        for name in one
    )
