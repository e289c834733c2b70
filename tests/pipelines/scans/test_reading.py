"""Reports of scanners: what is counted, what is kept, what is never kept, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.logs.redaction import redacted
from detector.scans.scan import FINDINGS_MAX, Scan, Severity
from pipelines.scans.reading import RUNS_MAX, scans_of

NOW = 1_795_780_000_000
REPORTS = Path(__file__).parent / "reports"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["runs", "version", "tool", "driver", "name", "results", "SchemaVersion",
                         "Results", "Vulnerabilities", "locations", "level"]), inner, max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


def read(body: object) -> tuple[Scan, ...]:
    """The scans of a report, as JSON or as it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return scans_of(raw, service="checkout", revision="v42", now=NOW, redact=redacted)


def report(name: str) -> Any:  # noqa: ANN401 - what JSON has
    """A report as its tool writes it."""
    return json.loads((REPORTS / name).read_text(encoding="utf-8"))


def counts(scan: Scan) -> dict[str, int]:
    """Those above nothing."""
    return {severity.value: count for severity, count in scan.counts.items() if count}


def sarif(*results: dict[str, Any], rules: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A log of one run."""
    driver = {"name": "Semgrep", "rules": rules or []}
    return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": list(results)}]}


def scored(score: object, **rule: object) -> list[dict[str, Any]]:
    """One rule of a score."""
    return [{"id": "r", "properties": {"security-severity": score}, **rule}]


def test_a_report_of_trivy_is_read() -> None:
    """Vulnerabilities, checks that failed, and that there are secrets."""
    (scan,) = read(report("trivy.json"))
    assert (scan.tool, scan.target) == ("Trivy", "shop/checkout:v42")
    assert scan.made_at == 1_795_773_600_123
    assert counts(scan) == {"critical": 2, "high": 1, "medium": 1, "unknown": 1}
    first = scan.findings[0]
    assert (first.rule, first.package, first.installed, first.fixed) == (
        "CVE-2022-3602", "openssl", "3.0.1", "3.0.2")  # fmt: skip
    assert {one.rule for one in scan.findings} == {
        "CVE-2022-3602", "aws-access-key-id", "DS002", "CVE-2019-3822", "CVE-2018-0001",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["trivy.json", "sarif.json"])
def test_no_secret_and_no_line_of_a_file_is_kept(name: str) -> None:
    """A report of secrets has them in it; what is kept is shown to whoever sees rollouts."""
    body = report(name)
    assert "AKIAIOSFODNN7EXAMPLE" in json.dumps(body)
    assert "AKIAIOSFODNN7EXAMPLE" not in repr(read(body))


def test_a_log_of_sarif_is_read() -> None:
    """Each run is a scan of its tool."""
    scans = read(report("sarif.json"))
    assert [(scan.tool, counts(scan)) for scan in scans] == [
        ("CodeQL", {"critical": 1, "medium": 1}),
        ("gitleaks", {"high": 1}),
    ]
    first = scans[0].findings[0]
    assert (first.rule, first.title, first.location) == (
        "py/sql-injection", "SQL query built from user-controlled sources", "shop/cart.py:42"
    )  # fmt: skip
    assert scans[0].id != scans[1].id


@pytest.mark.parametrize(
    ("score", "severity"),
    [("9.8", "critical"), ("9.0", "critical"), (8.9, "high"), ("7.0", "high"), ("6.9", "medium"),
     ("4.0", "medium"), ("3.9", "low"), ("0.1", "low"), ("0.0", "medium"), ("11", "medium"),
     ("nan", "medium"), ("grave", "medium"), (None, "medium")],
)  # fmt: skip
def test_a_score_of_the_rule_says_how_grave(score: object, severity: str) -> None:
    """As GitHub's code scanning reads it; without one that can be, the level does."""
    (scan,) = read(sarif({"ruleId": "r"}, rules=scored(score)))
    assert counts(scan) == {severity: 1}


@pytest.mark.parametrize(
    ("result", "found"),
    [
        ({"ruleId": "r", "level": "error"}, {"high": 1}),
        ({"ruleId": "r", "level": "note"}, {"low": 1}),
        ({"ruleId": "r"}, {"low": 1}),
        ({"ruleIndex": 0}, {"low": 1}),
        ({"rule": {"index": 0}}, {"low": 1}),
        ({"rule": {"id": "r"}}, {"low": 1}),
        ({"ruleId": "r/1"}, {"low": 1}),
        ({"ruleId": "other"}, {"medium": 1}),
        ({"ruleIndex": 7}, {"medium": 1}),
        ({"ruleId": "r", "level": "none"}, {}),
        ({"ruleId": "r", "kind": "pass"}, {}),
        ({"ruleId": "r", "baselineState": "absent"}, {}),
        ({"ruleId": "r", "suppressions": [{"kind": "external"}]}, {}),
        ({"ruleId": "r", "suppressions": [{"kind": "external", "status": "rejected"}]}, {"low": 1}),
        ({"ruleId": "r", "suppressions": []}, {"low": 1}),
    ],
)
def test_a_result_counts_by_its_level_or_that_of_its_rule(
    result: dict[str, Any], found: dict[str, int]
) -> None:
    """What a person has suppressed, and what is no failure, holds nobody."""
    rules = [{"id": "r", "defaultConfiguration": {"level": "note"}}]
    (scan,) = read(sarif(result, rules=rules))
    assert counts(scan) == found


def test_a_rule_of_an_extension_is_found() -> None:
    """CodeQL has its queries in packs."""
    log = sarif({"rule": {"index": 0, "toolComponent": {"index": 0}}})
    log["runs"][0]["tool"]["extensions"] = [{"name": "pack", "rules": scored("9.9")}]
    (scan,) = read(log)
    assert counts(scan) == {"critical": 1}


def test_all_are_counted_and_some_are_kept() -> None:
    """A bad image has thousands of findings."""
    (scan,) = read(sarif(*({"ruleId": f"r{n}"} for n in range(FINDINGS_MAX + 9))))
    assert (counts(scan), len(scan.findings)) == ({"medium": FINDINGS_MAX + 9}, FINDINGS_MAX)


def test_words_are_bounded_and_fit_to_be_shown() -> None:
    """A report is written by whatever ran in a pipeline."""
    title = "\x1b[31m" + "password=hunter2 " + "x" * 5000
    (scan,) = read(sarif({"ruleId": "r"}, rules=[{"id": "r", "shortDescription": {"text": title}}]))
    kept = scan.findings[0].title
    assert kept.isprintable()
    assert len(kept) <= 200
    assert "hunter2" not in kept


def test_a_scan_is_never_of_later_than_now() -> None:
    """Else it would stay fresh for ever."""
    (late,) = read({"SchemaVersion": 2, "CreatedAt": "2099-01-01T00:00:00Z"})
    (untold,) = read({"SchemaVersion": 2})
    assert (late.made_at, untold.made_at, untold.at) == (NOW, NOW, NOW)


def test_the_same_report_is_the_same_scan() -> None:
    """Pipelines are run again."""
    assert read(report("sarif.json")) == read(report("sarif.json"))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"no json", "body"),
        (b"\xff", "body"),
        (b'{"runs":' + b"[" * 100_000, "body"),
        ([], "body"),
        ({}, "body"),
        ({"bomFormat": "CycloneDX"}, "body"),
        ({"version": "2.0.0", "runs": []}, "version"),
        ({"version": "2.1.0", "runs": []}, "runs"),
        ({"runs": []}, "body"),
        ({"version": "2.1.0", "runs": [{}]}, "runs[0]"),
        ({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": 7}}}]},
         "runs[0].tool.driver.name"),
        (sarif({"level": "fatal"}), "runs[0].results[0].level"),
        ({"SchemaVersion": "2"}, "SchemaVersion"),
        ({"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{}]}]},
         "Results[0].Vulnerabilities[0]"),
        ({"version": "2.1.0", "runs": sarif()["runs"] * (RUNS_MAX + 1)}, "runs"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(body: object, field: str) -> None:
    """Never taken for a report without findings."""
    with pytest.raises(InputError) as caught:
        read(body)
    assert caught.value.field == field


@given(JSON)
def test_any_json_is_read_or_refused(body: object) -> None:
    """Nothing else comes out; what is counted is what was found."""
    try:
        scans = read(body)
    except InputError:
        return
    for scan in scans:
        assert sum(scan.counts.values()) >= len(scan.findings)
        assert set(scan.counts) == set(Severity)
