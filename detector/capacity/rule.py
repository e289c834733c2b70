"""What a policy asks of capacity before a revision becomes the stable one."""

from __future__ import annotations

from dataclasses import dataclass

from detector.capacity.resource import Kind

__all__ = ["CapacityRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRule:
    """No final pass where a resource of these `kinds` of the service runs out within `within_s`.

    By its P50, with what the canary uses more of it carried to all traffic. `hold_unknown`: hold
    also where capacity was not assessed, or longer than `max_age_s` ago.
    """

    within_s: float = 7 * 86_400.0
    kinds: tuple[Kind, ...] = (Kind.CPU, Kind.MEMORY)
    hold_unknown: bool = False
    max_age_s: float = 2 * 86_400.0
