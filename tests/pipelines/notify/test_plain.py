"""A notice in plain words: what everybody can read, whatever things are called."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.alerts.brief import BriefState
from detector.gate.cure import Cure
from detector.gate.telling import Ailing, NoticeKind
from pipelines.notify.plain import is_web, one_line, page_of, plain_of, subject_of
from tests.pipelines.notify.briefs import AT, MINUTE, cause, told
from tests.pipelines.notify.receiver import notice

WHERE = "https://serinus.example.org/"


def test_an_incident_in_lines() -> None:
    """What, since when, who, why, what to do, and where to see it."""
    assert list(plain_of(told(), WHERE).lines) == [
        "Incident: checkout: errors up",
        "What happened: it began",
        "Severity: high",
        "Since: 2026-11-23 14:00 UTC",
        "Affected: checkout, web",
        "Likely cause: checkout v2.3.1 (deployment) at 2026-11-23 13:56 UTC: 83 %",
        "Because: It began 4 minutes after it. Only pods of v2.3.1 show it.",
        "- Errors: 12 % against 0.4 %. (since 2026-11-23 14:00 UTC)",
        "- Latency doubled. (since 2026-11-23 14:01 UTC)",
        "",
        "What to do, if it was this: kubectl argo rollouts undo checkout",
        "",
        "https://serinus.example.org/incidents/inc_0123456789abcdef",
    ]


def test_one_that_is_over_says_how_long_it_lasted() -> None:
    """And gives no advice any more."""
    over = plain_of(told(3, "resolved"), None)
    assert over.headline == "Resolved: checkout: errors up"
    assert dict(over.facts)["Until"] == "2026-11-23 14:24 UTC, after 24 minutes"
    assert (over.advice, over.link) == ("", None)


def test_one_that_went_into_another_names_it() -> None:
    """There it goes on."""
    merged = told(1, "merged", state=BriefState.MERGED, into="inc_2", ended=AT + MINUTE)
    assert dict(plain_of(merged, None).facts)["Part of"] == "inc_2"


def test_what_a_person_said_is_told_in_his_words() -> None:
    """Others know that somebody is at it."""
    said = told(1, "said", said="acknowledged", note="ann is at it")
    assert dict(plain_of(said, None).facts)["What happened"] == "ann is at it"


def test_an_unlikely_change_is_not_called_the_cause() -> None:
    """And nobody is told to roll it back."""
    shown = plain_of(told(causes=(cause(probability=0.2),), none=0.7), None)
    facts = dict(shown.facts)
    assert (facts["Likely cause"], facts["For that"]) == (
        "no change (70 %)",
        "It began 4 minutes after it. Only pods of v2.3.1 show it.",
    )
    assert shown.advice == ""


def test_without_any_change_it_says_so() -> None:
    """Silence about it would look like something forgotten."""
    shown = dict(plain_of(told(causes=(), none=1.0), None).facts)
    assert shown["Likely cause"] == "no change that is known"


def test_more_than_is_read_is_counted() -> None:
    """A message has an end."""
    many = told(count=40, services=tuple(f"s{n}" for n in range(14)))
    shown = plain_of(many, None)
    assert shown.points[-1] == "and 38 more"
    assert dict(shown.facts)["Affected"].endswith("s9 and 4 more")


def test_a_fail_is_its_text_and_its_rollout() -> None:
    """As in chat."""
    shown = plain_of(notice(), WHERE)
    assert (shown.headline, shown.text) == ("checkout v2 failed", "Errors rose.")
    assert shown.link == "https://serinus.example.org/rollouts/a1"
    assert shown.advice == "The controller was told to roll it back."
    assert ("Service", "checkout") in shown.facts


def test_a_report_of_the_week_names_the_change_for_each() -> None:
    """One line a service."""
    cure = Cure(code="low_traffic", text="Raise its weight.")
    ones = tuple(
        Ailing(service=name, rollouts=many, cure=cure, attempt="a9", example="Few.")
        for name, many in (("cart", 3), ("web", 1), *((f"s{n}", 2) for n in range(20)))
    )
    shown = plain_of(notice(kind=NoticeKind.WEEKLY, verdict=None, ailing=ones), None)
    assert shown.points[:2] == (
        "cart: all 3 rollouts undecided. Raise its weight.",
        "web: its only rollout undecided. Raise its weight.",
    )
    assert shown.points[-1] == "and 2 more"


def test_a_subject_is_the_service_that_showed_it_first() -> None:
    """Of a report there is none."""
    weekly = notice(kind=NoticeKind.WEEKLY, verdict=None)
    assert [subject_of(one) for one in (told(), notice(), weekly)] == ["checkout", "checkout", ""]
    assert page_of(weekly, WHERE) is None


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://ci.example.org/1", True),
        ("http://ci/1", True),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
        ("https://x/" + "a" * 2000, False),
    ],
)
def test_a_link_leads_to_the_web_or_nowhere(url: str, is_one: bool) -> None:
    """Whoever tells of a change chooses its link."""
    assert is_web(url) is is_one


@settings(max_examples=80)
@given(st.text(max_size=700), st.integers(min_value=1, max_value=600))
def test_one_line_is_one_line(text: str, most: int) -> None:
    """A name with a line break makes no further header and no further fact."""
    line = one_line(text, most)
    assert len(line) <= most
    assert line.isprintable()
    assert line.strip() == line or line.endswith("…")


@settings(max_examples=60)
@given(st.text(max_size=700), st.text(max_size=200), st.text(max_size=700))
def test_whatever_things_are_called_there_are_no_further_lines(
    title: str, service: str, sign: str
) -> None:
    """Nobody writes a message of ours but we."""
    usual = list(plain_of(told(), WHERE).lines)
    first = told().incident
    assert first is not None
    signs = tuple(
        type(one)(anomaly="a", service=service, text=sign, since=AT) for one in first.signs
    )
    odd = told(title=title, services=(service, service), signs=signs, causes=(cause(title=title),))
    lines = list(plain_of(odd, WHERE).lines)
    assert len(lines) == len(usual)
    assert all(line.isprintable() for line in lines)
