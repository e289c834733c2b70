"""What one process takes by its doors: bounds, and a bounded number of tenants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from detector.errors import InputError
from pipelines.ingest.decoded import Window

__all__ = ["Limits", "Tenants"]

Own = TypeVar("Own")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process takes. `series` is of each tenant; times are against our own clock."""

    series: int = 1_000_000
    tenants: int = 64
    unpacked_bytes: int = 64 * 2**20
    ahead_s: float = 600.0
    behind_s: float = 7 * 86_400.0

    def window(self, now: float) -> Window:
        """The times that are taken at a moment, in unix seconds."""
        return Window(
            oldest=round(1000 * (now - self.behind_s)), newest=round(1000 * (now + self.ahead_s))
        )


class Tenants(Generic[Own]):
    """What each tenant has of its own, opened when it first comes; safe for threads."""

    def __init__(self, opening: Callable[[str], Own], most: int) -> None:
        self._opening, self._most = opening, most
        self._own: dict[str, Own] = {}
        self._lock = threading.Lock()

    def of(self, tenant: str) -> Own:
        """A tenant's own; `InputError` where there are as many tenants as there may be."""
        found = self._own.get(tenant)
        if found is not None:
            return found
        with self._lock:
            if tenant not in self._own:
                self._refuse_one_more(tenant)
                self._own[tenant] = self._opening(tenant)
            return self._own[tenant]

    def items(self) -> list[tuple[str, Own]]:
        """All of them as they are now."""
        return list(self._own.items())

    def _refuse_one_more(self, tenant: str) -> None:
        if len(self._own) >= self._most:
            raise InputError(
                f"there are {self._most} tenants already, so {tenant!r} is refused: "
                "correct the name, or raise ingest.tenants",
                field="X-Scope-OrgID",
            )
