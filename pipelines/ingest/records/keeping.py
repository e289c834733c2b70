"""How it goes with lines that a reader of ours brings to a sink: counted, and told in the log."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from detector.errors import SerinusError
from pipelines.ingest.records.flaws import Flaws

__all__ = ["KeepingMeters"]

# Tries that fail before that is told.
_PATIENCE = 20


@dataclass(slots=True, kw_only=True)
class KeepingMeters:
    """Running totals; `failing` is why the last lines were not taken.

    `name` is that of the log, `cannot` and `again` what it says.
    """

    name: str
    cannot: str
    again: str
    lines: int = 0
    fulls: int = 0
    failures: int = 0
    failing: str = ""
    in_a_row: int = 0
    flaws: Flaws = field(default_factory=Flaws)

    def failed(self, error: Exception) -> None:
        """Nothing was taken: logged once, until something is."""
        self.failures += 1
        self.in_a_row += 1
        is_known = isinstance(error, SerinusError)
        self.failing = str(error) if is_known else "an error of serinus itself, see the log"
        # A store that is just being opened has been so a few tries later.
        if self.in_a_row == (_PATIENCE if is_known else 1):
            structlog.get_logger(self.name).warning(
                self.cannot, error=self.failing, exc_info=None if is_known else error
            )

    def took(self, lines: int) -> None:
        """Lines are taken."""
        self.lines += lines
        if self.in_a_row >= _PATIENCE:
            structlog.get_logger(self.name).info(self.again, failures=self.failures)
        self.failing, self.in_a_row = "", 0
