"""A series as the members see it at an origin: without gaps, split into profile and level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.forecast.profile import levels_of, profile_of

__all__ = ["Past"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Past:
    """What was known at an origin.

    `values` (n,) without gaps; `slots` (n + H,) local times of the week, the H steps ahead with
    them; `day` steps in a day.
    """

    values: Floats
    slots: Ints
    day: int

    @property
    def week(self) -> int:
        """Steps in a week."""
        return 7 * self.day

    @property
    def ahead(self) -> int:
        """Steps that are to be told."""
        return len(self.slots) - len(self.values)

    @cached_property
    def profile(self) -> Floats:
        """How far each time of the week is from the level around it: (week,)."""
        return profile_of(self.values, self.slots[: len(self.values)], self.day)

    @cached_property
    def season(self) -> Floats:
        """The profile of the steps ahead: (H,)."""
        season: Floats = self.profile[self.slots[len(self.values) :]]
        return season

    @cached_property
    def adjusted(self) -> Floats:
        """The values less their profile: (n,)."""
        adjusted: Floats = self.values - self.profile[self.slots[: len(self.values)]]
        return adjusted

    @cached_property
    def levels(self) -> Floats:
        """The median of what is left on each day up to the origin: (n // day,)."""
        return levels_of(self.adjusted, self.day)

    @cached_property
    def days(self) -> Floats:
        """How many days ahead the middle of each step is, counted from the last level: (H,)."""
        half = (1 - 1 / self.day) / 2
        steps: Floats = np.arange(1, self.ahead + 1) / self.day + half
        return steps
