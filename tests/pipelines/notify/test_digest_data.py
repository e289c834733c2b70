"""A week reaches every kind of receiver: as a document, as plain words, as blocks and cards."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.bodies.digest import ScoreAnswer, TeamWeekAnswer
from detector.alerts.digest_words import rule_words
from detector.gate.scored import score_words
from detector.gate.telling import Notice
from pipelines.notify.blocks import message
from pipelines.notify.digest_data import digest_data, score_data
from pipelines.notify.email import html_of
from pipelines.notify.pagerduty import event_of
from pipelines.notify.plain import plain_of
from pipelines.notify.teams import card_of
from pipelines.notify.webhook import cloud_event
from pipelines.stores.codec import pack, unpack
from tests.pipelines.notify.weeks import RULE, SCORE, digest, held, policies, week

WHERE = "https://serinus.example.org"
MANY = tuple(held(n) for n in range(30))


def data(of: Notice) -> dict[str, Any]:
    """As a program reads it."""
    found: dict[str, Any] = json.loads(json.dumps(cloud_event(of, WHERE)))["data"]
    return found


def blocks(of: Notice) -> list[str]:
    """The texts of Slack's blocks."""
    made = json.loads(json.dumps(message(of, WHERE)))["blocks"]
    return [block["text"]["text"] for block in made if "text" in block]


def test_it_outlives_the_outbox() -> None:
    """What is stored is what is told."""
    for notice in (week(digest(held())), policies(SCORE)):
        assert unpack(Notice, pack(notice)) == notice


def test_a_notice_that_an_older_serinus_stored_is_read() -> None:
    """It had neither."""
    notice = policies()
    assert unpack(Notice, pack(notice)).digest is None
    assert (data(notice)["policies"], data(notice)["digest"]) == ([], None)


def test_a_program_reads_every_number() -> None:
    """In the shape that `/v1/alerts/digest` answers."""
    team = data(week(digest(held())))["digest"]
    assert TeamWeekAnswer.model_validate(team).team == "shop"
    assert (team["since"], team["until"]) == ("2026-11-16T14:00:00Z", "2026-11-23T14:00:00Z")
    assert (team["told"], team["right"], team["wrong"], team["precision"]) == (4, 3, 1, 0.75)
    assert team["rules"][0]["precision"] == 0.75
    assert team["held"][0]["why"] == "quiet hours night"
    (score,) = data(policies(SCORE))["policies"]
    assert ScoreAnswer.model_validate(score).policy == "default"
    assert (score["blocked"], score["missed"], score["right"], score["known"]) == (1, 1, 3, 4)


def test_plain_words_say_rules_and_what_was_held() -> None:
    """A line each; of many the first, and how many more."""
    points = plain_of(week(digest(*MANY)), WHERE).points
    assert points[0] == (
        'Rule namespace="shop" to chat, in four weeks: told 9, of 4 that were judged 3 rightly'
        " (75%), 1 traced to a change; held 2 (1 wrongly)."
    )
    assert points[1] == (
        "Held back, medium: cart. Why: quiet hours night."
        " https://serinus.example.org/incidents/inc_0"
    )
    assert points[-1] == "and 10 more that were held back"
    assert plain_of(policies(SCORE), WHERE).points == (score_words(SCORE),)


def test_slack_links_what_was_held() -> None:
    """One click from the reason to the incident."""
    shown = blocks(week(digest(*MANY)))
    assert rule_words(RULE) in shown
    assert (
        "*<https://serinus.example.org/incidents/inc_0|cart>* (medium) was held back:"
        " quiet hours night"
    ) in shown
    assert score_words(SCORE) in blocks(policies(SCORE))


def test_it_is_in_mail_and_cards_and_pages_nobody() -> None:
    """A report of the week is no alert."""
    notice = week(digest(held()))
    assert "quiet hours night" in html_of(plain_of(notice, WHERE))
    assert "quiet hours night" in json.dumps(card_of(notice, WHERE))
    assert event_of(notice, WHERE) is None


@given(st.text(max_size=200), st.text(max_size=200), st.integers(0, 50))
def test_words_of_others_stay_words(title: str, words: str, count: int) -> None:
    """No title links, mentions or breaks a line; no message is larger than Slack takes."""
    notice = week(digest(*(held(n, title, words) for n in range(count))))
    made = message(notice, WHERE)
    assert len(json.dumps(made, ensure_ascii=False)) < 26_000
    assert "<!" not in json.dumps(made["blocks"])
    for point in plain_of(notice, WHERE).points:
        assert "\n" not in point
        assert len(point) <= 1000
    assert digest_data(digest())["team"] == "shop"
    assert score_data(SCORE)["policy"] == "default"
