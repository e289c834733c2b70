"""What scans of a revision mean for its rollout: a reason that holds a pass, or none."""

from __future__ import annotations

from collections.abc import Sequence

from detector.gate.reason import Reason, ReasonCode
from detector.gate.words import duration
from detector.scans.rule import ScanRule
from detector.scans.scan import Finding, Scan, Severity, newest

__all__ = ["hold_of"]

_NAMED = 3


def hold_of(
    rule: ScanRule, revision: str | None, scans: Sequence[Scan], as_of: float
) -> Reason | None:
    """Why a revision may not pass at unix seconds, by the scans of it that were known then."""
    last = newest(scans)
    broken = next((reason for scan in last if (reason := _broken(rule, scan)) is not None), None)
    return broken or (_missing(rule, revision, last, as_of) if rule.require else None)


def _broken(rule: ScanRule, scan: Scan) -> Reason | None:
    for severity, limit in rule.limits():
        count = scan.counts.get(severity, 0)
        if count > limit:
            what = scan.target and f" in {scan.target}"
            text = (
                f"{scan.tool} found {count:,} {severity}{what}, {limit:,} allowed"
                f"{_named(scan, severity)}."
            )
            return Reason(ReasonCode.SCAN_LIMIT, text)
    return None


def _named(scan: Scan, severity: Severity) -> str:
    """The first of those that broke the limit."""
    which = [one for one in scan.findings if one.severity is severity]
    told = "; ".join(_finding(one) for one in which[:_NAMED])
    more = scan.counts.get(severity, 0) - len(which[:_NAMED])
    return f": {told}{f'; and {more:,} more' if more > 0 else ''}" if told else ""


def _finding(one: Finding) -> str:
    package = f" in {' '.join(word for word in (one.package, one.installed) if word)}"
    where = package if one.package else one.location and f" at {one.location}"
    return f"{one.rule}{where}{one.fixed and f', fixed in {one.fixed}'}"


def _missing(
    rule: ScanRule, revision: str | None, last: Sequence[Scan], as_of: float
) -> Reason | None:
    if revision is None:
        why = "the question names no revision that scans could be of"
    elif not last:
        why = f"no scan of {revision} was told"
    else:
        age = as_of - max(scan.made_at for scan in last) / 1000
        if age <= rule.max_age_s:
            return None
        why = (
            f"the last scan of {revision} is {duration(age)} old, at most"
            f" {duration(rule.max_age_s)} allowed"
        )
    return Reason(ReasonCode.SCAN_MISSING, f"The policy requires a scan, and {why}.")
