"""What the gate wants to know of objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detector.slo.policy import Spent

__all__ = ["Budgets"]


class Budgets(Protocol):
    """The error budgets of services, as they stand."""

    def of(
        self, service: str, name: str | None, *, as_of: float, timeout_s: float
    ) -> Sequence[Spent]:
        """The budget of one objective of a service, or of all that it has, as of unix seconds.

        Never raises and never is empty: what cannot be known is an unknown budget. `timeout_s`
        bounds all of it together.
        """
        ...
