"""What one run of a scanner found, before it is bounded and named."""

from __future__ import annotations

from dataclasses import dataclass

from detector.scans.scan import Finding

__all__ = ["Found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All findings; `made` is when, as the tool writes it, or empty."""

    tool: str
    target: str
    made: str
    findings: tuple[Finding, ...]
