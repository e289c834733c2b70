"""Which resources there are now, and which are read where there are too many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detector.capacity.report import LeftOut
from detector.selector import matches
from detector.series import FloatArray, Matcher
from pipelines.capacity.grid import Labels
from pipelines.capacity.wanted import Sought

__all__ = ["Candidate", "chosen_of", "is_meant", "matched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A series of now: how much is used, of which limit; None where it has none."""

    sought: Sought
    labels: Labels
    used: float
    limit: float | None

    @property
    def urgency(self) -> tuple[bool, bool, float]:
        """Ascending: by hand first, then by the share that is used, then those without a limit."""
        share = -math.inf if self.limit is None else self.used / self.limit
        return self.sought.own is None, self.limit is None, -share


def chosen_of(candidates: Iterable[Candidate], most: int) -> tuple[list[Candidate], list[LeftOut]]:
    """The most urgent ones, and how many of each kind are left out."""
    ranked = sorted(candidates, key=lambda one: (one.urgency, one.sought.name, sorted(one.labels)))
    left: dict[str, int] = {}
    for one in ranked[most:]:
        left[one.sought.name] = left.get(one.sought.name, 0) + 1
    why = f"beyond the {most:,} resources that are fullest; `capacity.most` sets how many"
    return ranked[:most], [
        LeftOut(name=f"{count:,} of {name}", why=why) for name, count in sorted(left.items())
    ]


def is_meant(labels: Labels, where: Sequence[Matcher]) -> bool:
    """Whether labels are among those that a configuration asks for."""
    told = dict(labels)
    return all(matches(matcher, told) for matcher in where)


def matched(rows: Mapping[Labels, FloatArray], labels: Labels) -> FloatArray | None:
    """The row of the series whose labels a resource has, the one that says most of them.

    None where there is none, or where two say as much of it.

    >>> rows = {frozenset({("ns", "a")}): np.array([1.0]), frozenset(): np.array([2.0])}
    >>> matched(rows, frozenset({("ns", "a"), ("pod", "x")}))
    array([1.])
    >>> matched(rows, frozenset({("ns", "b")}))
    array([2.])
    """
    if labels in rows:
        return rows[labels]
    mine = sorted((one for one in rows if one <= labels), key=len, reverse=True)
    if not mine or (len(mine) > 1 and len(mine[0]) == len(mine[1])):
        return None
    return rows[mine[0]]
