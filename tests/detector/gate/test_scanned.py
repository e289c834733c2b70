"""What scans mean for a rollout: limits, what is required, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.reason import ReasonCode
from detector.gate.scanned import hold_of
from detector.scans.rule import ScanRule
from detector.scans.scan import Finding, Scan, Severity

T0 = 1_790_000_000.0
DAY_S = 86_400.0
OPENSSL = Finding(
    severity=Severity.CRITICAL, rule="CVE-2022-3602", package="openssl", installed="3.0.1",
    fixed="3.0.2",
)  # fmt: skip
IN_CODE = Finding(severity=Severity.CRITICAL, rule="py/sql-injection", location="cart.py:42")
LIMITED = ScanRule(critical=0, high=5)
REQUIRED = ScanRule(require=True)
COUNTS = st.dictionaries(st.sampled_from(Severity), st.integers(0, 9))
LIMITS = st.builds(
    ScanRule,
    **{name: st.none() | st.integers(0, 9) for name in ("critical", "high", "medium", "low")},
)


def scan(*findings: Finding, days_ago: float = 0.0, tool: str = "Trivy", **counts: int) -> Scan:
    """What a tool told some days before T0."""
    at = round(1000 * (T0 - days_ago * DAY_S))
    return Scan(
        id=f"{tool}{at}", service="checkout", revision="v42", tool=tool, target="", at=at,
        made_at=at, counts={Severity(name): count for name, count in counts.items()},
        findings=findings,
    )  # fmt: skip


def held(rule: ScanRule, *scans: Scan, revision: str | None = "v42") -> tuple[str, str] | None:
    """Code and words at T0."""
    reason = hold_of(rule, revision, scans, T0)
    return None if reason is None else (reason.code, reason.text)


def test_the_words_name_what_is_to_be_mended() -> None:
    """Whoever reads them at night needs the package and the version that is better."""
    said = held(LIMITED, scan(OPENSSL, IN_CODE, critical=2))
    assert said == (
        ReasonCode.SCAN_LIMIT,
        (
            "Trivy found 2 critical, 0 allowed: CVE-2022-3602 in openssl 3.0.1, fixed in 3.0.2;"
            " py/sql-injection at cart.py:42."
        ),
    )


def test_of_many_the_first_are_named_and_the_rest_counted() -> None:
    """A chat message is no report."""
    said = held(LIMITED, scan(*[OPENSSL] * 9, critical=1200))
    assert said is not None
    assert said[1].count("CVE-2022-3602") == 3
    assert said[1].endswith("; and 1,197 more.")


def test_a_target_is_named() -> None:
    """A service may be of several images."""
    said = held(LIMITED, replace(scan(high=6), target="shop/worker:v42"))
    assert said is not None
    assert said[1] == "Trivy found 6 high in shop/worker:v42, 5 allowed."


@pytest.mark.parametrize(
    ("rule", "scans", "code"),
    [
        (LIMITED, [], None),
        (LIMITED, [scan(high=5, low=99, unknown=9)], None),
        (LIMITED, [scan(high=6)], ReasonCode.SCAN_LIMIT),
        (LIMITED, [scan(), scan(tool="Semgrep", critical=1)], ReasonCode.SCAN_LIMIT),
        (LIMITED, [scan(critical=1, days_ago=1), scan()], None),
        (LIMITED, [scan(days_ago=1), scan(critical=1)], ReasonCode.SCAN_LIMIT),
        (LIMITED, [scan(critical=1, days_ago=300)], ReasonCode.SCAN_LIMIT),
        (REQUIRED, [], ReasonCode.SCAN_MISSING),
        (REQUIRED, [scan(critical=9)], None),
        (REQUIRED, [scan(days_ago=30)], None),
        (REQUIRED, [scan(days_ago=30.01)], ReasonCode.SCAN_MISSING),
        (REQUIRED, [scan(days_ago=31), scan(days_ago=1, tool="Semgrep")], None),
        (replace(LIMITED, require=True), [scan(critical=1, days_ago=31)], ReasonCode.SCAN_LIMIT),
    ],
)
def test_which_scans_hold_a_pass(rule: ScanRule, scans: list[Scan], code: str | None) -> None:
    """The newest of each tool; an old one that is bad is not better for its age."""
    said = held(rule, *scans)
    assert (None if said is None else said[0]) == code


def test_a_question_without_a_revision_has_no_scan() -> None:
    """Required is required: what cannot be looked up is no pass."""
    said = held(REQUIRED, revision=None)
    assert said is not None
    assert said[0] == ReasonCode.SCAN_MISSING
    assert "no revision" in said[1]
    assert held(LIMITED, revision=None) is None


def test_the_words_of_an_old_scan_tell_its_age() -> None:
    """So that it is clear that there was one."""
    said = held(replace(REQUIRED, max_age_s=DAY_S), scan(days_ago=3))
    assert said is not None
    assert "3 d" in said[1] or "72" in said[1]


@given(LIMITS, COUNTS, st.sampled_from(Severity))
def test_more_findings_never_clear_a_revision(
    rule: ScanRule, counts: dict[Severity, int], more: Severity
) -> None:
    """The law of every gate."""
    one = replace(scan(), counts=counts)
    worse = replace(one, counts={**counts, more: counts.get(more, 0) + 1})
    if hold_of(rule, "v42", [one], T0) is not None:
        assert hold_of(rule, "v42", [worse], T0) is not None


@given(LIMITS, COUNTS)
def test_a_hold_says_which_limit_was_broken(rule: ScanRule, counts: dict[Severity, int]) -> None:
    """And without a broken limit there is none."""
    reason = hold_of(rule, "v42", [replace(scan(), counts=counts)], T0)
    broken = [severity for severity, limit in rule.limits() if counts.get(severity, 0) > limit]
    assert (reason is not None) == bool(broken)
    if reason is not None:
        assert f" {broken[0]}, " in reason.text
