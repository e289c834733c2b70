"""Hypothesis settings for a body that takes tens of milliseconds: a part of the profile's draws."""

from __future__ import annotations

from hypothesis import settings

__all__ = ["HEAVY"]

_DRAWN = settings().max_examples
# A fifth of a hundred, in CI too, where twice as many took a minute of CPU more:
# 5 in the quick profile, 20 by default and in CI, 1000 in a soak.
HEAVY = settings(max_examples=max(5, (_DRAWN if _DRAWN > 1000 else min(_DRAWN, 100)) // 5))
