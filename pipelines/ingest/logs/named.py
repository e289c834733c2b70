"""Names that are looked for among the attributes of a record, compared where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiling import uncounted
from pipelines.ingest.hashing import same
from pipelines.ingest.protobuf import Bytes

__all__ = ["Names", "Role", "names_of", "nth_name"]


class Role(IntEnum):
    """What an attribute may tell of a line."""

    SERVICE = 0
    NAMESPACE = 1
    CLUSTER = 2
    POD = 3
    VERSION = 4
    LEVEL = 5
    TRACE = 6
    # The stack of what was thrown, which is no part of the message itself.
    STACK = 7


class Names(NamedTuple):
    """K names in one buffer, those of one role in the order in which they are preferred.

    `letters` (B,), `ends` (K,) where each ends in it, `role` (K,) what it tells.
    """

    letters: Bytes
    ends: NDArray[np.int64]
    role: NDArray[np.int64]


def names_of(pairs: Iterable[tuple[str, Role]]) -> Names:
    """Names with their roles as columns."""
    every = list(pairs)
    spelled = [name.encode() for name, _ in every]
    return Names(
        letters=np.frombuffer(b"".join(spelled), dtype=np.uint8),
        ends=np.cumsum([len(name) for name in spelled], dtype=np.int64),
        role=np.array([role for _, role in every], dtype=np.int64),
    )


@uncounted
def nth_name(data: Bytes, at: int, end: int, names: Names) -> int:
    """The number of the name that stands there, -1 for none of them."""
    begin = 0
    for nth in range(len(names.ends)):
        stop = names.ends[nth]
        if stop - begin == end - at and same(data, at, names.letters, begin, end - at):
            return nth
        begin = stop
    return -1
