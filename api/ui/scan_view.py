"""What the pages of scans show: findings by severity, and whether they hold a pass."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.ui.marked import shortened
from api.ui.wording import about, day_clock
from detector.gate.scanned import hold_of
from detector.logs.plain import plain
from detector.scans.rule import ScanRule
from detector.scans.scan import Finding, Scan, Severity, newest

__all__ = ["FindingRow", "ScanRow", "Standing", "found_rows", "revision_title", "scan_row",
           "send_command", "standing_of"]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What scans mean for a revision: which policies hold its pass and why, and which do not.

    Neither where no policy asks about scans; `rules` is how many do.
    """

    holds: tuple[tuple[str, str], ...]
    lets: tuple[str, ...]

    @property
    def rules(self) -> int:
        """Of how many policies it is known."""
        return len(self.holds) + len(self.lets)

    @property
    def words(self) -> str:
        """In short."""
        if not self.rules:
            return "no policy asks"
        held = ", ".join(name for name, _ in self.holds)
        return f"held by {held}" if held else "not held"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """One scan; `is_last` unless the same tool told another of the same target since."""

    id: str
    service: str
    title: str
    revision: str
    tool: str
    target: str
    at: str
    ago: str
    made: str
    counts: tuple[tuple[str, int], ...]
    total: int
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One finding."""

    severity: str
    rule: str
    title: str
    package: str
    fixed: str
    location: str


def standing_of(
    rules: Iterable[tuple[str, ScanRule]], revision: str, scans: Sequence[Scan], now: float
) -> Standing:
    """By the rules of policies, and all scans of one revision that are known."""
    holds, lets = [], []
    for name, rule in rules:
        reason = hold_of(rule, revision, scans, now)
        if reason is None:
            lets.append(shortened(name, 60))
        else:
            holds.append((shortened(name, 60), shortened(reason.text, 600)))
    return Standing(holds=tuple(holds), lets=tuple(lets))


def revision_title(service: str, revision: str) -> str:
    """As it may be shown."""
    return f"{shortened(service)} {shortened(revision, 100)}"


def send_command(base: str, service: str, revision: str) -> str:
    """What tells of a scan, quoted whole: names come from addresses that anybody may send."""
    said = (f"--{name} {shlex.quote(plain(word)[:512])}" for name, word in
            (("server", base), ("service", service), ("revision", revision)))  # fmt: skip
    return f"trivy image --format json IMAGE | serinus scan - {' '.join(said)}"


def scan_row(scan: Scan, of_revision: Sequence[Scan], now: float) -> ScanRow:
    """Beside all of its revision."""
    return ScanRow(
        id=scan.id,
        service=scan.service,
        title=revision_title(scan.service, scan.revision),
        revision=scan.revision,
        tool=shortened(scan.tool, 100),
        target=shortened(scan.target, 200),
        at=day_clock(scan.at / 1000, near=now),
        ago=about(scan.at / 1000 - now),
        made="" if scan.made_at == scan.at else day_clock(scan.made_at / 1000, near=now),
        counts=tuple((one.value, scan.counts.get(one, 0)) for one in Severity),
        total=sum(scan.counts.values()),
        is_last=scan.id in {one.id for one in newest(of_revision)},
    )


def found_rows(findings: Sequence[Finding]) -> tuple[FindingRow, ...]:
    """The gravest first, as they are kept."""
    return tuple(
        FindingRow(
            severity=one.severity.value,
            rule=shortened(one.rule, 100),
            title=shortened(one.title, 300),
            package=shortened(" ".join(w for w in (one.package, one.installed) if w), 200),
            fixed=shortened(one.fixed, 100),
            location=shortened(one.location, 200),
        )
        for one in findings
    )
