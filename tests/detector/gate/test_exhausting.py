"""What promotion would exhaust: held with the date, and only where the policy asks for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.assessed import Assessment, Curve, Outlook
from detector.capacity.report import Report
from detector.capacity.resource import Identity, Kind, Limit
from detector.capacity.rule import CapacityRule
from detector.gate.exhausting import exhaustion_of, promoted
from detector.gate.judgement import Judgement
from detector.gate.reason import Reason
from detector.gate.ruling import nothing
from detector.gate.verdict import Effect, Outcome, Samples, SignalVerdict

DAY, DAY_MS = 86_400.0, 86_400_000
NOW_S = 1_796_083_200.0
NOW = round(1000 * NOW_S)
RULE = CapacityRule()
MEMORY_IS_UP = "Promotion would go on with memory app of web running out about "


def assessment(
    first: float,
    last: float,
    *,
    kind: Kind = Kind.CPU,
    limit: float | None = 10.0,
    service: str = "web",
    namespace: str = "",
) -> Assessment:
    """Something that is used in a line from now to in 90 days."""
    line = tuple(first + (last - first) * day / 90 for day in range(90))
    unit = "cores" if kind is Kind.CPU else "GiB"
    return Assessment(
        identity=Identity(name="app", kind=kind, unit=unit, service=service, namespace=namespace),
        as_of=NOW,
        horizon_s=90 * 86_400,
        usage=Curve(start_ms=NOW - DAY_MS, step_s=86_400, values=(first,)),
        limit=None if limit is None else Limit.of(limit),
        outlook=Outlook(start_ms=NOW, step_s=86_400, p10=line, p50=line, p90=line),
    )


def report_of(*assessments: Assessment, hours_ago: float = 1.0) -> Report:
    """A report of these; without any, of CPU that runs out in a few days."""
    return Report(
        made_at=NOW - round(3_600_000 * hours_ago),
        horizon_s=90 * 86_400,
        scope="",
        assessments=assessments or (assessment(9.5, 30.0),),
    )


def times(value: float, width: float = 0.02) -> Effect:
    """So many times as much, with its bounds."""
    return Effect(
        kind="ratio", value=value, low=value - width, high=value + width, tolerate=0.1, limit=0.3
    )


def judgement(value: float | None = None, *, memory: float | None = None) -> Judgement:
    """A pass; the canary uses so many times the CPU and memory, or nothing is known of it."""
    passed = replace(nothing(Reason("healthy", "")), outcome=Outcome.PASS)
    if memory is not None:
        passed = replace(passed, memory=times(memory))
    if value is None:
        return passed
    effect = times(value)
    signal = SignalVerdict(
        name="cpu_per_request", outcome=Outcome.INCONCLUSIVE, required=False, judged=False,
        unit="", canary=None, control=None, effect=effect, evidence=None, needed=None,
        samples=Samples(canary=1, control=1), scope="arm", since=None,
        reason=Reason("healthy", ""), details={},
    )  # fmt: skip
    return replace(passed, signals=(signal,))


def held(
    report: Report | None,
    effect: float | None = None,
    rule: CapacityRule = RULE,
    *,
    namespace: str = "",
    memory: float | None = None,
) -> tuple[str, str] | None:
    """The code and the text of the hold, if there is one."""
    found = exhaustion_of(
        rule,
        report,
        judgement(effect, memory=memory),
        services=frozenset({"web"}),
        namespace=namespace,
        as_of=NOW_S,
    )
    return None if found is None else (str(found.code), found.text)


def test_the_canary_s_effect_is_carried_to_all_traffic() -> None:
    """Eight cores of ten last for weeks; with a fifth more they are gone on Saturday."""
    report = report_of(assessment(8.2, 12.0))
    told = (
        "Promotion would exhaust cpu app of web about Saturday 5 December 2026: the canary's +20 %"
        " for all traffic. Without it about Wednesday 13 January 2027."
    )
    assert held(report, 1.2) == ("capacity_short", told)
    assert held(report, 1.01) is None


def test_a_canary_that_uses_no_more_is_not_held() -> None:
    """Its promotion makes nothing worse; waiting would not help."""
    report = report_of(assessment(9.9, 12.0))
    assert held(report, 0.9) is None
    assert held(report, 1.1) is not None


def test_memory_that_a_canary_holds_is_a_step_for_all_pods() -> None:
    """Eight of ten last for weeks; with a fifth more they are gone on Saturday."""
    report = report_of(assessment(8.2, 12.0, kind=Kind.MEMORY))
    told = (
        "Promotion would exhaust memory app of web about Saturday 5 December 2026: its pods hold"
        " 20 % more than older ones by now. Without it about Wednesday 13 January 2027."
    )
    assert held(report, memory=1.2) == ("capacity_short", told)
    assert held(report, memory=1.01) is None
    assert held(report) is None


def test_memory_is_no_cpu_and_cpu_no_memory() -> None:
    """Each effect is carried to its own kind."""
    cpu, memory = (assessment(8.2, 12.0, kind=kind) for kind in (Kind.CPU, Kind.MEMORY))
    assert held(report_of(cpu), memory=1.2) is None
    assert held(report_of(memory), 1.2) is None
    both = held(report_of(cpu, memory), 1.19, memory=1.2)
    assert both is not None
    assert "memory app of web" in both[1]


def test_memory_is_held_as_it_goes_on() -> None:
    """Nothing of a canary's level is known: the date is the service's own."""
    found = held(report_of(assessment(9.8, 14.0, kind=Kind.MEMORY)), 0.5)
    assert found is not None
    assert found[1].startswith(MEMORY_IS_UP)


@pytest.mark.parametrize(
    ("report", "rule", "namespace"),
    [
        (report_of(assessment(1.0, 2.0)), RULE, ""),
        (report_of(assessment(9.5, 30.0, kind=Kind.DISK)), RULE, ""),
        (report_of(assessment(9.5, 30.0, service="other")), RULE, ""),
        (report_of(assessment(9.5, 30.0, namespace="test")), RULE, "shop"),
        (report_of(assessment(9.5, 30.0, limit=None)), RULE, ""),
        (report_of(), replace(RULE, within_s=3600.0), ""),
        (report_of(hours_ago=50), RULE, ""),
        (None, RULE, ""),
    ],
    ids=["room", "kind", "service", "namespace", "no limit", "later", "old", "none"],
)
def test_what_does_not_concern_it_holds_nothing(
    report: Report | None, rule: CapacityRule, namespace: str
) -> None:
    """A policy says what it looks at, and how far."""
    assert held(report, None, rule, namespace=namespace) is None


def test_another_namespace_s_own_is_looked_at_where_none_was_asked_for() -> None:
    """A question without a namespace is of the service wherever it runs."""
    report = report_of(assessment(9.5, 30.0, namespace="shop"))
    assert held(report) is not None
    assert held(report, namespace="shop") is not None


def test_what_is_not_known_holds_where_that_is_asked_for() -> None:
    """No assessment is not room."""
    strict = replace(RULE, hold_unknown=True)
    assert held(None, None, strict) == (
        "capacity_unknown",
        "The policy looks at capacity, which was not assessed yet.",
    )
    late = held(report_of(hours_ago=72), None, strict)
    assert late is not None
    assert late[1] == (
        "The policy looks at capacity, which was last assessed 3 days ago, at most 2 days allowed."
    )


@given(st.floats(0.1, 20.0), st.floats(0.1, 40.0), st.floats(0.5, 3.0), st.floats(1.0, 2.0))
def test_more_use_never_lasts_longer(first: float, last: float, factor: float, more: float) -> None:
    """A larger effect has no later date."""
    one = assessment(first, last)
    early, late = promoted(one, factor * more, NOW), promoted(one, factor, NOW)
    assert late is None or (early is not None and early <= late)


@given(st.floats(0.1, 20.0), st.floats(0.1, 40.0), st.floats(3600.0, 90 * DAY))
def test_a_shorter_time_holds_no_more(first: float, last: float, within_s: float) -> None:
    """What is held for a day is held for a week."""
    report = report_of(assessment(first, last))
    short = held(report, None, replace(RULE, within_s=within_s / 2))
    assert short is None or held(report, None, replace(RULE, within_s=within_s)) is not None
