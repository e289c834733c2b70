"""A scan of one revision: how many findings there are by severity, and the gravest of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

__all__ = ["FINDINGS_MAX", "Counts", "Finding", "Scan", "Severity", "gravest", "newest", "scan_id"]

FINDINGS_MAX = 50
_DAY_MS = 86_400_000


class Severity(StrEnum):
    """How grave a finding is, the gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


Counts = Mapping[Severity, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding; empty texts are not known. Nothing of the file that it was found in is kept."""

    severity: Severity
    rule: str
    title: str = ""
    package: str = ""
    installed: str = ""
    fixed: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What one tool found in one revision of a service. Times are unix milliseconds.

    `target`: what was scanned, where a service is of several images. `made_at`: when, as the tool
    says, never later than `at`, when it was told. `findings` are the gravest, `counts` has all.
    """

    id: str
    service: str
    revision: str
    tool: str
    target: str
    at: int
    made_at: int
    counts: Counts
    findings: tuple[Finding, ...] = ()


def scan_id(service: str, revision: str, content: str, at: int) -> str:
    """The same for the same report told again on one day; on another it is a scan of that day."""
    said = repr((service, revision, content, at // _DAY_MS)).encode()
    return f"scn_{sha256(said).hexdigest()[:16]}"


def gravest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """At most `FINDINGS_MAX`, those that can be mended first among those of one severity.

    >>> [one.rule for one in gravest([Finding(severity=Severity.LOW, rule="a"),
    ...                               Finding(severity=Severity.HIGH, rule="b")])]
    ['b', 'a']
    """
    order = list(Severity)
    ranked = sorted(
        set(findings),
        key=lambda one: (
            order.index(one.severity), not one.fixed, one.rule, one.package, one.location,
            one.installed, one.fixed, one.title,
        ),
    )  # fmt: skip
    return tuple(ranked[:FINDINGS_MAX])


def newest(scans: Sequence[Scan]) -> tuple[Scan, ...]:
    """The one of each tool and target that was told last; tools in the order of their names."""
    last: dict[tuple[str, str], Scan] = {}
    for scan in sorted(scans, key=lambda one: (one.at, one.id)):
        last[scan.tool, scan.target] = scan
    return tuple(last[key] for key in sorted(last))
