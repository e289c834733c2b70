"""What a policy allows scanners to have found in a revision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detector.scans.scan import Severity

__all__ = ["ScanRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRule:
    """How many findings of each severity a revision may have; None is any number.

    `require`: no pass without a scan that is not older than `max_age_s`. A scan that breaks a limit
    holds however old it is, until the same tool tells another of the same target.
    """

    critical: int | None = None
    high: int | None = None
    medium: int | None = None
    low: int | None = None
    require: bool = False
    max_age_s: float = 30 * 86_400.0

    def limits(self) -> Iterator[tuple[Severity, int]]:
        """Those that are set, the gravest first."""
        for severity in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW):
            limit: int | None = getattr(self, severity.value)
            if limit is not None:
                yield severity, limit
