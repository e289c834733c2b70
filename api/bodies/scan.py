"""Scans, and what a policy asks of them, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.bodies.answer import Answer
from api.bodies.loose import Flag, Number, Strict, finite
from detector.scans.rule import ScanRule
from detector.scans.scan import Scan, Severity

__all__ = ["ScanRuleBody", "ScansAnswer", "TakenScansAnswer", "scan_body", "scan_rule_body",
           "scans_body", "taken_body"]  # fmt: skip

_DAY_S = 86_400
Limit = Annotated[int | None, Field(ge=0, le=1_000_000)]
Age = Annotated[Number, AfterValidator(finite(gt=0, le=400 * _DAY_S))]


class ScanLimitsBody(Strict):
    """How many findings of each severity one scan may have; absent is any number."""

    critical: Limit = None
    high: Limit = None
    medium: Limit = None
    low: Limit = None


class ScanRuleBody(Strict):
    """What scanners may have found in a revision that passes."""

    limits: ScanLimitsBody = Field(
        default_factory=ScanLimitsBody, description="Most findings of each severity, by scan."
    )
    require: Flag = Field(None, description="Whether a pass needs a scan of the revision.")
    max_age_s: Age = Field(
        None, description="How old a required scan may be, in seconds; 30 days if not given."
    )

    def native(self) -> ScanRule:
        """The rule, with the defaults for what is absent."""
        given = self.model_dump(exclude_none=True, exclude={"limits"})
        return ScanRule(**self.limits.model_dump(exclude_none=True), **given)


class FindingAnswer(Answer):
    """One finding."""

    severity: Literal["critical", "high", "medium", "low", "unknown"]
    rule: str = Field(description="As the tool calls it.", examples=["CVE-2022-3602"])
    title: str | None
    package: str | None
    installed: str | None = Field(description="Its version.")
    fixed: str | None = Field(description="The version without it.")
    location: str | None = Field(description="File or layer, with the line where it is known.")


class CountsAnswer(Answer):
    """All findings, by severity."""

    critical: int
    high: int
    medium: int
    low: int
    unknown: int


class ScanAnswer(Answer):
    """One scan of one revision."""

    id: str = Field(examples=["scn_0a1b2c3d4e5f6071"])
    service: str
    revision: str
    tool: str
    target: str | None = Field(description="What was scanned, where the tool says so.")
    at: str = Field(description="When it was told.")
    made_at: str = Field(description="When it was made; as `at` where the tool does not say.")
    counts: CountsAnswer
    findings: list[FindingAnswer] = Field(description="At most 50, the gravest first.")


class ScansAnswer(Answer):
    """Scans, newest first."""

    scans: list[ScanAnswer]


class TakenScansAnswer(Answer):
    """What was read out of a report."""

    scans: list[ScanAnswer]
    kept: list[str] = Field(description="Ids of those that were not told before today.")


def scan_body(scan: Scan) -> dict[str, Any]:
    """A scan as it is answered."""
    return {
        "id": scan.id,
        "service": scan.service,
        "revision": scan.revision,
        "tool": scan.tool,
        "target": scan.target or None,
        "at": _moment(scan.at),
        "made_at": _moment(scan.made_at),
        "counts": {severity.value: scan.counts.get(severity, 0) for severity in Severity},
        "findings": [{k: v or None for k, v in asdict(one).items()} for one in scan.findings],
    }


def scans_body(scans: Sequence[Scan]) -> dict[str, Any]:
    """A page as it is answered."""
    return {"scans": [scan_body(scan) for scan in scans]}


def taken_body(taken: Sequence[tuple[Scan, bool]]) -> dict[str, Any]:
    """What a report told."""
    kept = [scan.id for scan, is_new in taken if is_new]
    return {"scans": [scan_body(scan) for scan, _ in taken], "kept": kept}


def scan_rule_body(rule: ScanRule | None) -> dict[str, Any] | None:
    """A rule with every key."""
    if rule is None:
        return None
    said = asdict(rule)
    limits = {severity: said.pop(severity) for severity in ("critical", "high", "medium", "low")}
    return {"limits": limits, **said}


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
