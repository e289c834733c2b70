"""An incident at PagerDuty: one alert from first to last, that wakes people once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from detector.alerts.brief import BriefState, Gravity
from detector.errors import ConfigError, DeliveryError
from detector.gate.cure import Cure
from detector.gate.telling import Ailing, Notice, NoticeKind
from pipelines.notify.open import open_notifier
from pipelines.notify.pagerduty import PagerDuty, event_of
from pipelines.notify.settings import NotifierSettings
from tests.pipelines.notify.briefs import cause, told
from tests.pipelines.notify.pagerduty_server import KEY, Pager, pager
from tests.pipelines.notify.receiver import notice

WHERE = "https://serinus.example.org"
THREAD = "inc_0123456789abcdef"


@pytest.fixture
def duty() -> Iterator[Pager]:
    """A service of PagerDuty."""
    with pager() as one:
        yield one


def settings(where: str | None, **changes: object) -> NotifierSettings:
    """A notifier to it."""
    base: dict[str, object] = {
        "name": "ops",
        "kind": "pagerduty",
        "url": where,
        "token": KEY,
        "public_url": WHERE,
        "allow_private": True,
    }
    return NotifierSettings(**{**base, **changes})  # type: ignore[arg-type]


def sent(to: Pager, *notices: Notice, **changes: object) -> None:
    """Send them in order."""
    notifier = PagerDuty(settings(to.url, **changes))
    for one in notices:
        notifier.send(one)


def event(of: Notice) -> dict[str, Any]:
    """The event that it is, which must be one."""
    made = event_of(of, WHERE)
    assert made is not None
    return made


def test_an_incident_is_one_alert_from_first_to_last(duty: Pager) -> None:
    """Nobody is paged for each sign, and nobody has to close it by hand."""
    said = told(2, "said", said="acknowledged", note="ann is at it")
    sent(duty, told(), told(1, "grew"), said)
    ((key, alert),) = duty.alerts
    assert (key, alert.state) == (THREAD, "acknowledged")
    sent(duty, told(3, "resolved"))
    assert alert.state == "resolved"
    actions = [one["event_action"] for one in alert.log]
    assert actions == ["trigger", "trigger", "acknowledge", "resolve"]


def test_an_alert_says_what_since_when_and_why(duty: Pager) -> None:
    """Who is woken reads it on a phone, with links to what is to be seen."""
    sent(duty, told())
    (got,) = duty.got
    payload = got["payload"]
    assert payload["summary"] == "Incident: checkout: errors up: Errors: 12 % against 0.4 %."
    assert (payload["severity"], payload["source"]) == ("critical", "checkout")
    assert payload["timestamp"] == "2026-11-23T14:00:00Z"
    details = payload["custom_details"]
    assert details["Likely cause"] == "checkout v2.3.1 (deployment) at 2026-11-23 13:56 UTC: 83 %"
    assert details["Advice"].endswith("kubectl argo rollouts undo checkout")
    assert details["Signs"][1] == "Latency doubled. (since 2026-11-23 14:01 UTC)"
    assert [link["href"] for link in got["links"]] == [
        f"{WHERE}/incidents/{THREAD}",
        "https://ci.example.org/run/7?a=1&b=2",
    ]


def test_one_that_opens_again_pages_again(duty: Pager) -> None:
    """After it was resolved a trigger makes a new alert of the same key."""
    sent(duty, told(), told(1, "resolved"), told(2, "reopened"))
    assert [(key, alert.state) for key, alert in duty.alerts] == [
        (THREAD, "resolved"),
        (THREAD, "triggered"),
    ]


def test_one_that_went_into_another_is_closed(duty: Pager) -> None:
    """Two alerts of one incident would be handed to two people."""
    sent(duty, told(), told(1, "merged", state=BriefState.MERGED, into="inc_2", ended=None))
    assert duty.open(THREAD) is None


@pytest.mark.parametrize("said", ["snoozed", "caused_by", "no_change"])
def test_what_else_people_say_is_no_event(duty: Pager, said: str) -> None:
    """A trigger after somebody resolved it there would wake people for a remark."""
    sent(duty, told(1, "said", said=said, note="ann says"))
    assert duty.got == []


@pytest.mark.parametrize(
    ("severity", "word"),
    [(Gravity.HIGH, "critical"), (Gravity.MEDIUM, "error"), (Gravity.LOW, "warning")],
)
def test_severities_have_their_words(severity: Gravity, word: str) -> None:
    """Urgency there goes by them."""
    assert event(told(severity=severity))["payload"]["severity"] == word


# -- other kinds


@pytest.mark.parametrize(
    ("kind", "severity"),
    [(NoticeKind.FAIL, "error"), (NoticeKind.PAUSE, "warning"), (NoticeKind.TEST, "info")],
)
def test_fails_and_pauses_are_alerts_of_their_own(
    duty: Pager, kind: NoticeKind, severity: str
) -> None:
    """One for each rollout, with a link to its page."""
    sent(duty, notice(kind=kind))
    (got,) = duty.got
    assert (got["dedup_key"], got["event_action"]) == ("fail:a1", "trigger")
    assert got["payload"]["severity"] == severity
    assert got["payload"]["summary"] == "checkout v2 failed: Errors rose."
    assert got["links"] == [{"href": f"{WHERE}/rollouts/a1", "text": "In serinus"}]


def test_a_report_of_the_week_pages_nobody(duty: Pager) -> None:
    """It is not even asked for."""
    cure = Cure(code="low_traffic", text="Raise its weight.")
    one = Ailing(service="cart", rollouts=3, cure=cure, attempt="a9", example="Few.")
    sent(duty, notice(kind=NoticeKind.WEEKLY, verdict=None, ailing=(one,)))
    assert duty.got == []
    assert NoticeKind.WEEKLY not in settings(None).route.kinds
    with pytest.raises(ConfigError, match="pagerduty tells none of these"):
        settings(None, kinds=frozenset({NoticeKind.WEEKLY}))


def test_without_an_address_there_is_no_link_to_us() -> None:
    """A link that leads nowhere is worse than none; the change's own stays."""
    made = event_of(told(), None)
    assert made is not None
    assert made["links"] == [
        {"href": "https://ci.example.org/run/7?a=1&b=2", "text": "checkout v2.3.1"}
    ]


def test_a_link_that_is_none_of_the_web_is_left_out() -> None:
    """Nobody clicks on a script."""
    made = event(told(causes=(cause(link="javascript:alert(1)"),)))
    assert [link["text"] for link in made["links"]] == ["In serinus"]


# -- what is refused


def test_what_it_refuses_is_given_up_with_its_words(duty: Pager) -> None:
    """A key that it does not know; the key itself is not shown."""
    with pytest.raises(DeliveryError, match=r"answered 400: .*'routing_key' is missing") as told_:
        sent(duty, told(), token="f" * 32)
    assert told_.value.retryable is False
    assert "fff" not in str(told_.value)


def test_what_is_no_key_waits_for_somebody_to_mend_it(duty: Pager, tmp_path: Path) -> None:
    """At the start where it is known then; in a file it may be written anew."""
    with pytest.raises(ConfigError, match="no key of 32 characters"):
        open_notifier(settings(duty.url, token="short"), lambda: 0.0)
    file = tmp_path / "key"
    file.write_text("short")
    notifier = open_notifier(settings(duty.url, token=None, token_file=str(file)), lambda: 0.0)
    with pytest.raises(ConfigError, match="no key of 32 characters"):
        notifier.send(told())
    assert duty.got == []


@pytest.mark.parametrize(("status", "after"), [(429, 90), (429, None), (500, None), (503, None)])
def test_what_passes_is_tried_again(duty: Pager, status: int, after: int | None) -> None:
    """No page is lost while PagerDuty throttles or is down."""
    duty.ill.append((status, after))
    with pytest.raises(DeliveryError) as told_:
        sent(duty, told())
    assert (told_.value.retryable, told_.value.after_s) == (True, after)
    sent(duty, told())
    assert duty.open(THREAD) is not None


def test_the_same_told_twice_is_one_alert(duty: Pager) -> None:
    """A crash between the acknowledgement and its record wakes nobody a second time."""
    sent(duty, told(), told())
    assert len(duty.alerts) == 1


def test_a_key_in_a_file_is_read_again(duty: Pager, tmp_path: Path) -> None:
    """A rotated one needs no restart."""
    file = tmp_path / "key"
    notifier = open_notifier(settings(duty.url, token=None, token_file=str(file)), lambda: 0.0)
    with pytest.raises(ConfigError, match="cannot read"):
        notifier.send(told())
    file.write_text(f"{KEY}\n")
    notifier.send(told())
    assert duty.open(THREAD) is not None


def test_what_cannot_work_is_refused_at_the_start() -> None:
    """Not when the first incident ought to be told."""
    with pytest.raises(ConfigError, match="give one of token, token_file"):
        settings(None, token=None)
    assert KEY not in repr(settings(None))


@profile(max_examples=60)
@given(
    st.text(max_size=3000),
    st.lists(st.text(max_size=200), min_size=1, max_size=30),
    st.text(min_size=1, max_size=400),
)
def test_whatever_things_are_called_it_is_an_event(
    title: str, services: list[str], thread: str
) -> None:
    """Nothing that somebody named keeps people from being paged."""
    made = event(told(title=title, services=tuple(services), thread=thread))
    payload = made["payload"]
    assert 0 < len(payload["summary"]) <= 1024
    assert payload["source"]
    assert 0 < len(made["dedup_key"]) <= 255
    assert event(told(1, "grew", thread=thread))["dedup_key"] == made["dedup_key"]
