"""Cohorts of a feature flag: groups of users in the place of pods, and whether they were drawn.

Requests of one user are alike, so requests are not the unit: users are hashed into twenty groups a
side. They are drawn at random, so the sides share less than pods on other nodes do, and they do
not start cold.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from detector.gate.learn import Learned
from detector.gate.window import Window
from detector.signals.plan import ArmName
from models.sequential.rows import Template

__all__ = ["Users", "as_groups", "group_of", "is_unfair", "of_groups"]

_GROUPS = 20
_ARM_SCALE, _ARM_COUNTS = 0.01, 0.03
# A split that comes about once in ten thousand fair draws is no fair draw.
_UNFAIR = 1e-4
_NO_START = (Template(prior=1.0),)


def group_of(arm: ArmName, user: str) -> str:
    """The group of a user on a side, the same in every process."""
    digest = hashlib.sha256(user.encode()).digest()
    return f"{arm.value} group {int.from_bytes(digest[:4], 'big') % _GROUPS:02d}"


def of_groups(learned: Learned, *, on_counts: bool) -> Learned:
    """What was learned of groups: drawn at random, and without a cold start."""
    arm = min(learned.arm, _ARM_COUNTS if on_counts else _ARM_SCALE)
    row = replace(learned.row, templates=_NO_START, damp_s=0.0, odd=0.0)
    return replace(learned, row=row, arm=arm)


def as_groups(win: Window) -> Window:
    """The window of groups: none is overloaded, however many users a side has."""
    return replace(win, load=np.zeros_like(win.load))


@dataclass(slots=True)
class Users:
    """Who was seen on which side."""

    seen: dict[ArmName, set[str]] = field(default_factory=lambda: {arm: set() for arm in ArmName})

    def meet(self, arm: ArmName, user: str) -> None:
        """A user had a series on a side."""
        self.seen[arm].add(user)

    @property
    def notes(self) -> dict[str, int]:
        """How many there are on each side; nothing where nobody is told apart."""
        return {f"users_{arm.value}": len(users) for arm, users in self.seen.items() if users}


def is_unfair(notes: Mapping[str, int], weight: float | None) -> bool:
    """Whether users are not split as told (per cent): chi-square with one degree of freedom."""
    ours, theirs = (notes.get(f"users_{arm.value}", 0) for arm in ArmName)
    total = ours + theirs
    if weight is None or not 0 < weight < 100 or not total:
        return False
    expected = total * weight / 100
    square = (ours - expected) ** 2 * (1 / expected + 1 / (total - expected))
    return math.erfc(math.sqrt(square / 2)) < _UNFAIR
