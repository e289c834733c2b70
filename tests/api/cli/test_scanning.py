"""`serinus scan` against a server, as a pipeline calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.cli.served import serinus, serving
from tests.api.doors import Door

REPORTS = Path(__file__).parents[2] / "pipelines/scans/reports"
OF = ("--service", "checkout", "--revision", "v42")


@pytest.fixture
def url() -> Iterator[str]:
    """A server without scans."""
    with serving(Door().app) as address:
        yield address


def test_a_report_is_told_and_its_findings_are_shown(url: str) -> None:
    """The gravest, for the log of the pipeline."""
    told = serinus("scan", str(REPORTS / "trivy.json"), *OF, "--server", url)
    lines = told.stdout.splitlines()
    assert told.exit_code == 0, told.stderr
    assert lines[0].startswith("Trivy: 2 critical, 1 high, 1 medium, 1 unknown; kept as scn_")
    assert lines[1] == (
        "  critical  CVE-2022-3602  openssl  X.509 Email Address Buffer Overflow  fixed in 3.0.2"
    )


def test_a_pipeline_that_runs_twice_is_told_so(url: str) -> None:
    """It did nothing wrong."""
    words = ("scan", str(REPORTS / "sarif.json"), *OF, "--server", url)
    serinus(*words)
    again = serinus(*words)
    assert again.exit_code == 0
    assert again.stdout.count("told before") == 2


def test_as_json_it_is_what_the_server_said(url: str) -> None:
    """For scripts."""
    words = ("scan", str(REPORTS / "trivy.json"), *OF, "--server", url, "--format", "json")
    told = json.loads(serinus(*words).stdout)
    assert [scan["id"] for scan in told["scans"]] == told["kept"]


def test_what_is_no_report_is_wrong_usage(url: str, tmp_path: Path) -> None:
    """Exit code 2 names it: a pipeline must not go on as if it had been told."""
    wrong, empty = tmp_path / "wrong.json", tmp_path / "empty.json"
    wrong.write_text('{"version": "2.1.0", "runs": [{}]}', encoding="utf-8")
    empty.write_text("\n", encoding="utf-8")
    for path, words in ((wrong, "runs[0]"), (empty, "is empty"), (tmp_path / "no", "No such file")):
        told = serinus("scan", str(path), *OF, "--server", url)
        assert told.exit_code == 2
        assert words in told.stderr


def test_a_scan_has_a_service_and_a_revision(url: str) -> None:
    """Without them nobody could ask about it."""
    assert serinus("scan", str(REPORTS / "trivy.json"), "--server", url).exit_code == 2
