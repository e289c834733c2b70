"""A message in Slack: readable, within every limit, and mentioning nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from detector.gate.cure import Cure
from detector.gate.reason import Reason
from detector.gate.telling import Ailing, Notice, NoticeKind
from detector.gate.verdict import Outcome
from pipelines.notify.blocks import message
from pipelines.notify.slack import SlackNotifier
from tests.detector.gate.test_cure import signal
from tests.pipelines.notify.briefs import told
from tests.pipelines.notify.receiver import notice, receiving, settings
from tests.pipelines.notify.slack_server import refusal, texts_of

WHERE = "https://serinus.example.org"


def weekly(services: int, text: str = "Raise its weight.") -> Notice:
    """So many services that always end undecided."""
    cure = Cure(code="low_traffic", text=text)
    ailing = tuple(
        Ailing(service=f"s{n}", rollouts=n + 1, cure=cure, attempt=f"a{n}", example="Few.")
        for n in range(services)
    )
    return notice(kind=NoticeKind.WEEKLY, verdict=None, ailing=ailing)


def blocks(of: Notice, where: str | None = WHERE) -> list[dict[str, Any]]:
    """The blocks, as Slack reads them."""
    found: list[dict[str, Any]] = json.loads(json.dumps(message(of, where)))["blocks"]
    return found


def test_a_fail_says_what_where_and_what_now() -> None:
    """In the order in which somebody reads it on a phone."""
    header, text, advice, origin = blocks(notice())
    assert header["text"]["text"] == ":red_circle: checkout v2 failed"
    assert text["text"]["text"] == "Errors rose."
    assert advice["text"]["text"] == "The controller was told to roll it back."
    words = origin["elements"][0]["text"]
    assert words.startswith("<https://serinus.example.org/rollouts/a1|the rollout's page>")
    assert "`serinus explain " in words


def test_the_other_judged_signals_are_fields() -> None:
    """What did not get worse is seen beside what did, which is not said twice."""
    of = notice(text="Errors rose.")
    assert of.verdict is not None
    failed = replace(signal("error_rate", "error_rate_up"), reason=Reason("error_rate_up", of.text))
    shown = replace(signal("latency", "healthy"), outcome=Outcome.PASS)
    hidden = replace(signal("cpu_per_request", "healthy"), judged=False, required=False)
    (fields,) = [
        block["fields"]
        for block in blocks(
            replace(of, verdict=replace(of.verdict, signals=(failed, shown, hidden)))
        )
        if "fields" in block
    ]
    assert [field["text"] for field in fields] == ["*Latency*: pass\nx"]


def test_without_an_address_the_words_stay() -> None:
    """Nobody clicks on a link to nowhere."""
    assert "<" not in json.dumps(blocks(notice(), None))


def test_the_weekly_lists_each_service_with_its_one_change() -> None:
    """Number of rollouts, reason, change."""
    _, _, _, first, second = blocks(weekly(2))
    assert first["text"]["text"] == (
        "*<https://serinus.example.org/rollouts/a0|s0>*: its only rollout undecided"
        " (`low_traffic`)\nRaise its weight."
    )
    assert "all 2 rollouts" in second["text"]["text"]


def test_too_many_services_are_cut_and_said_to_be() -> None:
    """Slack refuses a message of more than 50 blocks as a whole."""
    found = blocks(weekly(80))
    assert len(found) <= 50
    assert "left out" in found[-1]["elements"][0]["text"]


WORDS = st.text(max_size=50).map(lambda text: text * 97)


@given(WORDS, WORDS, WORDS, st.integers(0, 60))
def test_no_words_break_a_limit(name: str, text: str, advice: str, services: int) -> None:
    """Whatever a metric is called: a message that Slack refuses is a fail that nobody hears of."""
    of = notice(title=name, text=text, advice=advice, ailing=weekly(services, text).ailing)
    found = blocks(of)
    assert 0 < len(found) <= 50
    assert len(json.dumps(found, ensure_ascii=False)) < 13_000
    for block in found:
        assert len(block.get("fields", ())) <= 10
        for words, most in texts_of(block):
            assert 0 < len(words.encode("utf-16-le")) // 2 <= most


@given(st.sampled_from(["<!channel>", "<@U123>", "<https://evil|here>", "a & b < c"]))
def test_words_from_outside_mention_nobody_and_link_nowhere(words: str) -> None:
    """A service that is called <!channel> does not wake everybody."""
    of = notice(title=words, text=words, advice=words)
    shown = json.dumps(blocks(of, None))
    headers = [b["text"]["text"] for b in blocks(of, None) if b["type"] == "header"]
    assert words in headers[0], "plain text is shown as it is"
    assert words not in shown.replace(json.dumps(headers[0]), "")


def test_it_is_posted_as_json() -> None:
    """To the incoming webhook's URL, which is all that it takes."""
    with receiving() as slack:
        slack.answers(200)
        slack.words = b"ok"
        SlackNotifier(settings(slack.url, kind="slack")).send(notice())
    (got,) = slack.got
    assert json.loads(got.body)["text"] == "checkout v2 failed: Errors rose."
    assert got.headers["content-type"].startswith("application/json")


def test_an_incident_by_a_webhook_has_no_buttons() -> None:
    """An incoming webhook belongs to no app that could hear of a click, and updates nothing."""
    found = blocks(told())
    assert found[0]["text"]["text"] == ":rotating_light: checkout: errors up"
    assert "actions" not in {block["type"] for block in found}
    assert refusal(json.loads(json.dumps(message(told(), WHERE)))) is None
