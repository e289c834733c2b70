"""Scans over HTTP: told, found again by service and revision, refused by name, and in verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from tests.api.doors import Door, passing_door, problem_of, without

REPORTS = Path(__file__).parents[1] / "pipelines/scans/reports"
ASKED = {"service": "checkout", "revision": "v42"}


def tell(door: Door, name: str = "trivy", tenant: str = "default", **asked: str) -> Response:
    """Post a report."""
    body = (REPORTS / f"{name}.json").read_bytes()
    return door.client.post(
        "/v1/scans", params={**ASKED, **asked}, content=body, headers={"X-Scope-OrgID": tenant}
    )


def tools(answer: Response) -> list[str]:
    """Whose scans they are."""
    assert answer.status_code in {200, 201}, answer.text
    return [scan["tool"] for scan in answer.json()["scans"]]


def test_what_was_told_is_found_again() -> None:
    """By what the gate is asked about."""
    door = passing_door()
    told = tell(door)
    found = door.get("/v1/scans", **ASKED).json()["scans"]
    assert told.status_code == 201
    assert told.json() == {"scans": found, "kept": [found[0]["id"]]}
    assert found[0]["counts"] == {"critical": 2, "high": 1, "medium": 1, "low": 0, "unknown": 1}
    assert found[0]["findings"][0] == {
        "severity": "critical",
        "rule": "CVE-2022-3602",
        "title": "X.509 Email Address Buffer Overflow",
        "package": "openssl",
        "installed": "3.0.1",
        "fixed": "3.0.2",
        "location": "shop/checkout:v42 (alpine 3.16.0)",
    }


def test_told_again_it_is_kept_once() -> None:
    """A pipeline that is run again, and a client that got no answer."""
    door = passing_door()
    tell(door)
    assert tell(door).json()["kept"] == []
    assert tools(door.get("/v1/scans", service="checkout")) == ["Trivy"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"service": "checkout"}, 3),
        ({"service": "checkout", "revision": "v43"}, 2),
        ({"service": "checkout", "revision": "v4"}, 0),
        ({"service": "cart"}, 0),
        ({"service": "checkout", "limit": 1}, 1),
    ],
)
def test_scans_are_of_a_service_and_a_revision(asked: dict[str, Any], found: int) -> None:
    """A run of SARIF is one."""
    door = passing_door()
    tell(door)
    tell(door, "sarif", revision="v43")
    assert len(tools(door.get("/v1/scans", **asked))) == found


def test_tenants_do_not_see_each_other() -> None:
    """Nor hold each other's releases."""
    door = passing_door()
    tell(door, tenant="other")
    assert tools(door.get("/v1/scans", **ASKED)) == []


@pytest.mark.parametrize(
    ("asked", "body", "field"),
    [
        ({"revision": "v1"}, b"{}", "service"),
        ({"service": "cart"}, b"{}", "revision"),
        ({"service": "cart", "revision": " "}, b"{}", "revision"),
        ({**ASKED, "revison": "v1"}, b"{}", "revison"),
        (ASKED, b"no json", "body"),
        (ASKED, b"", "body"),
        (ASKED, b'{"version": "2.1.0", "runs": [{}]}', "runs[0]"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    asked: dict[str, str], body: bytes, field: str
) -> None:
    """Nothing of it is kept."""
    door = passing_door()
    answer = door.client.post("/v1/scans", params=asked, content=body)
    assert answer.status_code in {400, 422}
    assert field in str(problem_of(answer))
    assert tools(door.get("/v1/scans", **ASKED)) == []


def test_a_report_above_the_usual_length_of_a_body_is_taken() -> None:
    """Reports have megabytes; there is a bound."""
    door = passing_door()
    body = (REPORTS / "trivy.json").read_bytes()
    long = door.client.post("/v1/scans", params=ASKED, content=body + b" " * 2**20)
    longest = door.client.post(
        "/v1/scans", params=ASKED, content=body, headers={"Content-Length": str(2**26)}
    )
    assert (long.status_code, longest.status_code) == (201, 413)


def test_a_store_that_is_down_is_said() -> None:
    """The pipeline tells it again."""
    door = passing_door()
    door.world.stores = without(door.world.stores, "scans")
    door.world.restart()
    assert tell(door).status_code == 503


def test_a_policy_that_allows_none_holds_the_pass() -> None:
    """The reason says what to mend; the policy shows what it asks."""
    door = passing_door()
    told = {"scans": {"limits": {"critical": 0}, "require": "true", "max_age_s": 3600}}
    door.client.put("/v1/policies/scanned", json=told)
    kept = door.get("/v1/policies/scanned").json()["policy"]
    missing = door.post(policy="scanned", revision="v42").json()
    tell(door)
    held = door.at(430).post(policy="scanned", revision="v42").json()
    assert kept["scans"] == {
        "limits": {"critical": 0, "high": None, "medium": None, "low": None},
        "require": True,
        "max_age_s": 3600.0,
    }
    assert (missing["outcome"], missing["reason"]["code"]) == ("inconclusive", "scan_missing")
    assert (held["outcome"], held["reason"]["code"]) == ("inconclusive", "scan_limit")
    assert "CVE-2022-3602 in openssl 3.0.1, fixed in 3.0.2" in held["reason"]["text"]


@pytest.mark.parametrize(
    ("scans", "field"),
    [
        ({"limits": {"critical": -1}}, "critical"),
        ({"limits": {"grave": 0}}, "grave"),
        ({"max_age_s": 0}, "max_age_s"),
        ({"max_severity": "high"}, "max_severity"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(scans: dict[str, Any], field: str) -> None:
    """A limit that is never looked at would be a pass."""
    answer = passing_door().client.put("/v1/policies/a", json={"scans": scans})
    assert answer.status_code == 422
    assert field in str(problem_of(answer))
