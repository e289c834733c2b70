"""Hypothesis settings for a body that takes tens of milliseconds: a part of the profile's draws."""

from __future__ import annotations

from hypothesis import settings

__all__ = ["HEAVY"]

# A fifth: 5 in the quick profile, 20 by default, 40 in CI, 1000 in a soak.
HEAVY = settings(max_examples=max(5, settings().max_examples // 5))
