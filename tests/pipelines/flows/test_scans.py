"""Scans in the gate: a revision that breaks a limit is not promoted, and replays say the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from detector.errors import InputError
from detector.gate.policy import Policy, RollbackRule
from detector.gate.reason import ReasonCode
from detector.gate.render import verdict_body
from detector.gate.request import VerdictRequest
from detector.gate.verdict import Outcome, Verdict
from detector.scans.ports import ScanFilter
from detector.scans.rule import ScanRule
from pipelines.flows.scans import scanned_of
from pipelines.testing import Fault
from tests.detector.gate.test_attempt import attempt
from tests.pipelines.flows.scripted import T0, World, ask, at

POLICY = Policy(name="scanned", scans=ScanRule(critical=0))
STRICT = Policy(name="strict", scans=ScanRule(require=True))


def report(*severities: str) -> bytes:
    """What Trivy found."""
    found = [
        {"VulnerabilityID": f"CVE-2026-{n}", "PkgName": "openssl", "FixedVersion": "3.0.2",
         "Severity": severity} for n, severity in enumerate(severities)
    ]  # fmt: skip
    return json.dumps({"SchemaVersion": 2, "Results": [{"Vulnerabilities": found}]}).encode()


def shop(second: float = 400) -> World:
    """A canary that is healthy, and has passed without scans."""
    world = World()
    world.shop()
    world.clock.at = T0 + second
    return world


def tell(world: World, *severities: str, revision: str = "v42", tenant: str = "default") -> None:
    """A scan, now."""
    world.gate.scans.take(tenant, report(*severities), service="checkout", revision=revision)


def question(
    policy: Policy = POLICY, revision: str | None = "v42", **more: object
) -> VerdictRequest:
    """About a revision."""
    return ask(policy=policy, revision=revision, **more)


def said(verdict: Verdict) -> tuple[Outcome, str]:
    """Outcome and reason."""
    return verdict.outcome, str(verdict.reason.code)


HELD = (Outcome.INCONCLUSIVE, ReasonCode.SCAN_LIMIT.value)
MISSING = (Outcome.INCONCLUSIVE, ReasonCode.SCAN_MISSING.value)
PASSED = (Outcome.PASS, ReasonCode.HEALTHY.value)


def test_a_critical_finding_holds_the_pass_of_its_revision() -> None:
    """The canary serves well: it is not rolled back, and not promoted either."""
    world = shop()
    tell(world, "CRITICAL")
    verdict = world.gate.judge(question())
    assert said(verdict) == HELD
    assert verdict.reason.text == (
        "Trivy found 1 critical, 0 allowed: CVE-2026-0 in openssl, fixed in 3.0.2."
    )
    assert not verdict.final


@pytest.mark.parametrize(
    ("policy", "revision", "expected"),
    [
        (POLICY, "v43", PASSED),
        (POLICY, None, PASSED),
        (Policy(), "v42", PASSED),
        (STRICT, "v42", PASSED),
        (STRICT, "v43", MISSING),
        (STRICT, None, MISSING),
    ],
)
def test_only_scans_of_the_revision_count(
    policy: Policy, revision: str | None, expected: tuple[Outcome, str]
) -> None:
    """And only where the policy looks at them; required is never a pass without one."""
    world = shop()
    tell(world, "CRITICAL")
    assert said(world.gate.judge(question(policy, revision))) == expected


def test_scans_of_another_tenant_do_not_count() -> None:
    """Nor hold anybody."""
    world = shop()
    tell(world, "CRITICAL", tenant="other")
    assert said(world.gate.judge(question())) == PASSED


def test_a_newer_scan_lets_it_go_on() -> None:
    """What was suppressed or mended in the base image need not be released anew."""
    world = shop()
    tell(world, "CRITICAL")
    held = world.gate.judge(question())
    world.clock.at = T0 + 430
    tell(world, "HIGH")
    assert (said(held), said(world.gate.judge(question()))) == (HELD, PASSED)


def test_it_holds_before_the_first_traffic() -> None:
    """A controller's first step would give users to a revision that may not stay."""
    world = World()
    world.clock.at = T0
    tell(world, "CRITICAL")
    assert said(world.gate.first_step(question())) == HELD


def test_a_source_that_is_down_does_not_hide_it() -> None:
    """Both hold; this one is what a person can mend."""
    world = shop()
    tell(world, "CRITICAL")
    world.gate.judge(question())
    world.source.fault = Fault.DOWN
    world.clock.at = T0 + 430
    assert said(world.gate.judge(question())) == HELD


def test_harm_goes_before_it() -> None:
    """A canary that fails is rolled back whatever was found in it."""
    world = shop()
    world.pod("web-bbbbb-wxzbc", "canary", born=T0, until=T0 + 3600, errors={T0 + 100: 20})
    tell(world, "CRITICAL")
    assert said(world.gate.judge(question()))[0] is Outcome.FAIL


def test_at_the_deadline_it_stands() -> None:
    """What is told later is too late for this attempt."""
    world = shop()
    tell(world, "CRITICAL")
    first = world.gate.judge(question(deadline=at(500)))
    world.clock.at = T0 + 510
    tell(world)
    late = world.gate.judge(question(deadline=at(500)))
    assert said(first) == HELD
    assert (said(late)[1], late.final) == (ReasonCode.DEADLINE_REACHED.value, True)
    assert "scan_limit" in late.reason.text


def test_a_past_moment_is_answered_by_what_was_known_then() -> None:
    """A report of today does not change what was due yesterday."""
    world = shop()
    before = world.gate.judge(question())
    world.clock.at = T0 + 460
    tell(world, "CRITICAL")
    now = world.gate.judge(question())
    then = world.gate.judge(question(as_of=at(400)))
    assert (said(before), said(now), said(then)) == (PASSED, HELD, PASSED)
    world.clock.at = T0 + 520
    tell(world, "LOW")
    assert said(world.gate.judge(question(as_of=at(460)))) == HELD


def test_a_verdict_replays_to_the_bit_after_its_scans_are_gone() -> None:
    """Here and, by its evidence, on another machine."""
    world = shop()
    tell(world, "CRITICAL")
    verdict = world.gate.judge(question())
    world.stores.scans.rows.clear()  # type: ignore[attr-defined]
    again = world.gate.records.replay(verdict.id)
    assert verdict_body(again, brief=False) == verdict_body(verdict, brief=False)
    elsewhere = World().gate.records.replay_file(world.gate.records.export(verdict.id))
    assert verdict_body(elsewhere, brief=False) == verdict_body(verdict, brief=False)


def test_a_way_back_is_open() -> None:
    """What was stable an hour ago is better than what fails now."""
    world = shop()
    tell(world, "CRITICAL")
    back = replace(attempt(), policy=POLICY, revision="v42", rollback="v42 served until 14:00")
    judged = replace(POLICY, rollback=RollbackRule.JUDGE)
    as_of = T0 + 400
    assert scanned_of(world.stores.scans, back, as_of) is None
    assert scanned_of(world.stores.scans, replace(back, policy=judged), as_of) is not None
    assert scanned_of(world.stores.scans, replace(back, rollback=None), as_of) is not None


def test_a_report_is_taken_once_and_one_that_is_none_not_at_all() -> None:
    """A pipeline may be run again; a file that was mixed up is told by name."""
    world = shop()
    takes = [
        world.gate.scans.take("default", report("LOW"), service="cart", revision="v1")
        for _ in range(2)
    ]
    assert [is_new for ((_, is_new),) in takes] == [True, False]
    with pytest.raises(InputError):
        world.gate.scans.take("default", b"{}", service="cart", revision="v1")
    assert len(world.gate.scans.list(ScanFilter(tenant="default", service="cart"))) == 1


def test_a_policy_without_scans_has_the_name_that_it_had() -> None:
    """Verdicts of before are replayed under it."""
    assert Policy().digest != POLICY.digest
    assert Policy(scans=None).digest == Policy().digest
