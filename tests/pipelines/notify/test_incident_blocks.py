"""An incident as a message: within every limit, and words from outside act on nothing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import BriefState, Cause, IncidentBrief, Sign
from pipelines.notify.blocks import message
from pipelines.notify.incident_blocks import happening
from pipelines.notify.mrkdwn import cut, escaped, link, moment
from tests.pipelines.notify.briefs import AT, MINUTE, brief, cause, told
from tests.pipelines.notify.slack_server import refusal, texts_of

WHERE = "https://serinus.example.org"
# What Slack acts on is between < and >; ours are times and links.
MARKS = re.compile(r"<([^>]*)>")
OURS = re.compile(
    r"!date\^\d+\^\{date_short_pretty\} \{time\}\|[-0-9: ]+ UTC|https?://[^|\s<>]+\|[^|<>]+"
)
EVIL = [
    "<!channel>",
    "<!here>",
    "<@U123>",
    "<#C1|x>",
    "<https://evil|click>",
    "&lt;",
    "|",
    ">",
    "\n",
]
WORDS = st.one_of(
    st.sampled_from(EVIL),
    st.text(max_size=30),
    st.lists(st.sampled_from([*EVIL, "a", "`", "*"]), max_size=8).map("".join),
    st.text(min_size=1, max_size=8).map(lambda text: text * 500),
)
TIMES = st.integers(0, 4_000_000_000_000)
SIGNS = st.builds(
    Sign, anomaly=WORDS, service=WORDS, text=WORDS, since=TIMES, ended=st.none() | TIMES
)
CAUSES = st.builds(
    Cause,
    change=WORDS,
    kind=WORDS,
    title=WORDS,
    service=WORDS,
    version=WORDS,
    at=TIMES,
    probability=st.floats(0, 1),
    reasons=st.lists(WORDS, max_size=4).map(tuple),
    link=WORDS | WORDS.map(lambda text: f"https://x.example/{text}"),
    advice=WORDS,
)
BRIEFS = st.builds(
    brief,
    title=WORDS,
    id=WORDS,
    tenant=WORDS,
    state=st.sampled_from(BriefState),
    why=st.sampled_from(["opened", "grew", "suspect", "merged", "split", "resolved", "reopened"]),
    ended=st.none() | TIMES,
    services=st.lists(WORDS, max_size=15).map(tuple),
    signs=st.lists(SIGNS, max_size=7).map(tuple),
    count=st.integers(0, 10**6),
    causes=st.lists(CAUSES, max_size=3).map(tuple),
    none=st.floats(0, 1),
    into=st.none() | WORDS,
)


def body(of: IncidentBrief, where: str | None = WHERE) -> dict[str, Any]:
    """The message, as Slack reads it."""
    whole = replace(told(), title=of.title, text=of.title, incident=of)
    found: dict[str, Any] = json.loads(json.dumps(message(whole, where, buttons=True)))
    return found


def words(of: IncidentBrief, where: str | None = WHERE) -> str:
    """All that is read in it."""
    blocks = body(of, where)["blocks"]
    return "\n".join(text for block in blocks for text, _ in texts_of(block))


@given(BRIEFS)
def test_slack_takes_every_message(of: IncidentBrief) -> None:
    """Whatever services, metrics and changes are called: a refused message is an alert lost."""
    assert refusal(body(of)) is None
    assert refusal({"text": cut(happening(of, WHERE), 3000)}) is None


@given(BRIEFS)
def test_words_from_outside_mention_nobody_and_link_nowhere(of: IncidentBrief) -> None:
    """A change that is called <!channel> does not wake everybody."""
    shown = body(of)
    marked = [shown["text"], cut(happening(of, WHERE), 3000)]
    for block in shown["blocks"]:
        marked += [text for text, _ in texts_of(block) if block["type"] in {"section", "context"}]
    for text in marked:
        assert all(OURS.fullmatch(inner) for inner in MARKS.findall(text)), text
        assert not set("<>") & set(MARKS.sub("", text)), text


@given(BRIEFS)
def test_the_buttons_are_there_whatever_is_left_out(of: IncidentBrief) -> None:
    """The longest message is the one that somebody wants to snooze."""
    has = [block["type"] for block in body(of)["blocks"]].count("actions")
    fits = len(f"serinus/{of.tenant}/{of.id}") <= 255
    assert has == (of.state is not BriefState.MERGED and fits)


@given(st.text(max_size=60), st.text(max_size=30))
def test_a_link_is_whole_or_only_words(url: str, shown: str) -> None:
    """No address of others ends it early, or begins another."""
    made = link(f"https://x.example/{url}", shown)
    assert made == escaped(shown) or OURS.fullmatch(made[1:-1])


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "file:///etc", "//x", "https://", "http://[", "https:x"]
)
def test_what_is_no_address_of_the_web_is_no_link(url: str) -> None:
    """A change's link is a stranger's."""
    assert link(url, "a & b") == "a &amp; b"


@given(st.text(max_size=300).map(escaped), st.integers(2, 100))
def test_what_is_cut_is_not_within_an_escape(text: str, most: int) -> None:
    """Half an escape would be shown as it is, half a link as nonsense."""
    found = cut(text, most)
    assert len(found.encode("utf-16-le")) // 2 <= most
    assert not re.search(r"&(?!amp;|lt;|gt;)", found)


def test_a_time_is_in_the_readers_zone() -> None:
    """And in UTC where that is not known."""
    assert moment(AT) == "<!date^1795442400^{date_short_pretty} {time}|2026-11-23 14:00 UTC>"


# -- what it says


def test_likely_no_change_is_said_first() -> None:
    """Nobody rolls back what most likely has nothing to do with it."""
    shown = words(brief(causes=(cause(probability=0.08),), none=0.9))
    assert "*Likely no change* (90 %); next to that:\n• <https://ci" in shown
    assert "Likely cause" not in shown


def test_without_suspects_it_says_so() -> None:
    """And advises nothing."""
    shown = words(brief(causes=(), none=1.0))
    assert "no change is known that could have caused it" in shown
    assert "What to do" not in shown


def test_probabilities_are_never_sure() -> None:
    """Nor is anything impossible."""
    shown = words(brief(causes=(cause(probability=1.0),), none=0.0))
    assert ": 99 %" in shown
    assert "No change: 1 %" in shown


def test_further_suspects_are_named_in_a_line_each() -> None:
    """With the first one's reasons only."""
    shown = words(brief(causes=(cause(), cause(title="flag new-cart", link="", probability=0.05))))
    assert "Or: flag new-cart (deployment of checkout to v2.3.1)" in shown


def test_an_advice_in_words_is_no_command() -> None:
    """A sentence is not shown as something to paste."""
    shown = words(brief(causes=(cause(advice="Switch new-cart back."),)))
    assert "if it was this: Switch new-cart back." in shown


def test_many_services_and_signs_are_counted() -> None:
    """Forty names are read by nobody."""
    signs = tuple(brief().signs[0] for _ in range(10))
    services = tuple(f"s{n}" for n in range(40))
    shown = words(brief(services=services, signs=signs, count=30))
    assert "s8, s9 and 30 more" in shown
    assert "and 25 more" in shown


def test_a_sign_that_is_over_says_until_when() -> None:
    """One of two may have healed."""
    sign = replace(brief().signs[0], ended=AT + 5 * MINUTE)
    assert f", until {moment(AT + 5 * MINUTE)})" in words(brief(signs=(sign,)))


def test_one_that_went_into_another_leads_there() -> None:
    """Whoever follows it finds where it goes on."""
    of = brief(state=BriefState.MERGED, why="merged", into="inc_2", ended=AT + MINUTE)
    assert f"It is a part of <{WHERE}/incidents/inc_2|inc_2> now" in words(of)
    assert "It is a part of inc_2 now" in happening(of, None)


def test_what_is_told_of_one_that_took_another_up_is_no_end() -> None:
    """It lasts."""
    assert "2 signs at checkout, web" in happening(brief(why="merged"), None)
