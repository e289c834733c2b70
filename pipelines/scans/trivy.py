"""Trivy's JSON report: vulnerabilities, misconfigurations, and that secrets were found."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from detector.scans.scan import Finding, Severity
from pipelines.scans.found import Found

__all__ = ["TrivyReport", "found_by_trivy"]

_FAILED = "FAIL"


class _Vulnerability(msgspec.Struct):
    VulnerabilityID: str
    Severity: str = ""
    PkgName: str = ""
    InstalledVersion: str = ""
    FixedVersion: str = ""
    Title: str = ""


class _Misconfiguration(msgspec.Struct):
    ID: str
    Severity: str = ""
    Title: str = ""
    Status: str = _FAILED


class _Secret(msgspec.Struct):
    """Without `Match` and `Code`, which have the secret and its surroundings."""

    RuleID: str
    Severity: str = ""
    Title: str = ""
    StartLine: int = 0


class _Result(msgspec.Struct):
    Target: str = ""
    Vulnerabilities: list[_Vulnerability] | None = None
    Misconfigurations: list[_Misconfiguration] | None = None
    Secrets: list[_Secret] | None = None


class TrivyReport(msgspec.Struct):
    """Schema version 2, of images, file systems and repositories."""

    SchemaVersion: int
    ArtifactName: str = ""
    CreatedAt: str = ""
    Results: list[_Result] | None = None


def found_by_trivy(report: TrivyReport) -> Iterator[Found]:
    """What it found, as one scan."""
    findings = [one for result in report.Results or () for one in _findings(result)]
    yield Found(
        tool="Trivy", target=report.ArtifactName, made=report.CreatedAt, findings=tuple(findings)
    )


def _findings(result: _Result) -> Iterator[Finding]:
    for one in result.Vulnerabilities or ():
        yield Finding(
            severity=_severity(one.Severity),
            rule=one.VulnerabilityID,
            title=one.Title,
            package=one.PkgName,
            installed=one.InstalledVersion,
            fixed=one.FixedVersion,
            location=result.Target,
        )
    for check in result.Misconfigurations or ():
        if check.Status == _FAILED:
            yield Finding(
                severity=_severity(check.Severity),
                rule=check.ID,
                title=check.Title,
                location=result.Target,
            )
    for secret in result.Secrets or ():
        yield Finding(
            severity=_severity(secret.Severity),
            rule=secret.RuleID,
            title=secret.Title,
            location=f"{result.Target}:{secret.StartLine}" if secret.StartLine else result.Target,
        )


def _severity(word: str) -> Severity:
    """As Trivy writes it; a word that it does not have is as unknown as `UNKNOWN`."""
    named = word.lower()
    return Severity(named) if named in set(Severity) else Severity.UNKNOWN
