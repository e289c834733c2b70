"""What is known of each service that writes logs: since when, how active, and how often new."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.logs.lines import Level

__all__ = ["BUCKETS", "Place", "Services", "bucket_of"]

# A service with its namespace and cluster.
Place = tuple[str, str, str]
# Stories are counted by how many lines they have, in powers of four.
BUCKETS = 8
_LEVELS = len(Level)
_WEEK_S = 604_800.0
# Of how often a service tells new stories so much is remembered, and this is believed before: half
# a story in a week.
_MEMORY_S, _PRIOR, _PRIOR_S = 4 * _WEEK_S, 0.5, _WEEK_S
_VERSIONS = 16
# Without a line for longer a service is not active in between.
_PAUSE_MS = 300_000
_WHOLE = ("first", "last", "active", "deployed")
_PARTS = ("watched", "folded", "exposure")


def bucket_of(lines: int) -> int:
    """The bucket of a number of lines.

    >>> [bucket_of(lines) for lines in (0, 1, 3, 4, 1000, 10**9)]
    [0, 0, 0, 1, 4, 7]
    """
    return min(max(lines, 1).bit_length() - 1 >> 1, BUCKETS - 1)


@dataclass(slots=True)
class Services:
    """Arrays with a row for each service.

    `first` and `last`: times of lines, `active` in how many bins it had some, `deployed` when its
    newest version was first heard of, all in unix milliseconds or bins; `watched`: seconds in which
    it was active and not learned any more; `stories` (N, 2, levels, buckets): how often it told
    something new, beside deploys and after them, faded as `exposure` is, seconds at `folded`.
    """

    places: list[Place] = field(default_factory=list)
    versions: list[list[str]] = field(default_factory=list)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    numbers: dict[Place, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.arrays:
            self.arrays = {name: np.zeros(0, np.int64) for name in _WHOLE}
            self.arrays |= {name: np.zeros(0) for name in _PARTS}
            self.arrays["stories"] = np.zeros((0, 2, _LEVELS, BUCKETS))
        self.numbers = {place: number for number, place in enumerate(self.places)}

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def add(self, place: Place, at: int) -> int:
        """A service is heard of for the first time."""
        number = len(self.places)
        for name, array in self.arrays.items():
            self.arrays[name] = np.concatenate(
                [array, np.zeros((1, *array.shape[1:]), array.dtype)]
            )
        self._begin(number, at)
        self.places.append(place)
        self.versions.append([])
        self.numbers[place] = number
        return number

    def unheard(self, before: int) -> list[int]:
        """Services without a line since, the longest unheard first."""
        numbers = np.flatnonzero(self["last"] < before)
        found: list[int] = numbers[np.argsort(self["last"][numbers], kind="stable")].tolist()
        return found

    def replace(self, number: int, place: Place, at: int) -> None:
        """Another service is heard of, and has the number of one that is forgotten."""
        del self.numbers[self.places[number]]
        for array in self.arrays.values():
            array[number] = 0
        self._begin(number, at)
        self.places[number], self.versions[number], self.numbers[place] = place, [], number

    def _begin(self, number: int, at: int) -> None:
        self.arrays["first"][number] = self.arrays["last"][number] = at
        self.arrays["deployed"][number] = -(2**62)

    def heard(self, numbers: NDArray[np.int32], at: int, learn_ms: int) -> None:
        """They had lines in a bin; what comes late changes nothing."""
        own = numbers[(at > self["last"][numbers]) | (self["active"][numbers] == 0)]
        since = at - self["last"][own]
        # Of the learning the second half is watched: what is new then tells what is usual.
        is_watched = (at - self["first"][own] > learn_ms // 2) & (since <= _PAUSE_MS)
        self["watched"][own] += np.where(is_watched, since / 1000, 0.0)
        self["active"][own] += 1
        self["last"][own] = at

    def deployed(self, number: int, version: str, at: int) -> None:
        """Lines come of a version; a new one beside others is a deploy."""
        known = self.versions[number]
        if not version or version in known:
            return
        if known:
            self["deployed"][number] = at
        known.append(version)
        del known[:-_VERSIONS]

    def told(
        self, number: int, is_deploy: bool, lines: Sequence[int], *, weight: float = 1.0
    ) -> None:
        """A story is over that had so many lines of each level; with `weight` part of one."""
        self._fold(number)
        for level, count in enumerate(lines):
            if count:
                place = number, int(is_deploy), level, bucket_of(count)
                self["stories"][place] = max(self["stories"][place] + weight, 0.0)

    def rate(self, number: int, is_deploy: bool, level: int, lines: int) -> float:
        """How often a week the service tells of that level, or a graver one, so much or more.

        The mean of the gamma posterior of a Poisson rate, after stories in the time watched.
        """
        self._fold(number)
        stories = self["stories"][number, int(is_deploy), level:, bucket_of(lines) :]
        exposure = self["exposure"][number] + _PRIOR_S
        return float(stories.sum() + _PRIOR) / float(exposure) * _WEEK_S

    def _fold(self, number: int) -> None:
        """Let what was told fade with the time that was watched since."""
        since = float(self["watched"][number] - self["folded"][number])
        if since <= 0:
            return
        kept = math.exp(-since / _MEMORY_S)
        self["stories"][number] *= kept
        self["exposure"][number] = self["exposure"][number] * kept + _MEMORY_S * (1 - kept)
        self["folded"][number] = self["watched"][number]
