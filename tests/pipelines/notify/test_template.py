"""Webhooks in the words of their receiver: documents with fields, and no way out of a string."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.gate.telling import Notice, NoticeKind
from pipelines.notify.open import open_notifier
from pipelines.notify.template import FIELDS, Template
from tests.pipelines.notify.briefs import told
from tests.pipelines.notify.receiver import notice, receiving, settings

WHERE = "https://serinus.example.org"
LABELS = (("service", "checkout"), ("namespace", "shop"))


def filled(tree: Any, of: Notice) -> Any:  # noqa: ANN401 - JSON
    """What is sent for it."""
    return json.loads(Template.read(json.dumps(tree), "notifier 'ops'").filled(of, WHERE))


def test_strings_are_filled_and_all_else_stays() -> None:
    """At any depth; keys are no strings."""
    tree = {
        "summary": "{notice.headline} in {incident.labels.namespace}",
        "{notice.id}": [1, 2.5, True, None, {"deep": "at {notice.service}"}],
    }
    assert filled(tree, told(labels=LABELS)) == {
        "summary": "Incident: checkout: errors up in shop",
        "{notice.id}": [1, 2.5, True, None, {"deep": "at checkout"}],
    }


def test_a_string_that_is_one_field_is_its_value() -> None:
    """A number stays a number, what is not known is null."""
    tree = ["{incident.count}", "{incident.services}", "{incident.until}", "{verdict.id}"]
    assert filled(tree, told()) == [2, ["checkout", "web"], None, None]


def test_within_words_a_value_is_words() -> None:
    """Lists with commas, what is not known as nothing."""
    tree = "{incident.count} at {incident.services}{incident.until}, {incident.no_change}"
    assert filled(tree, told()) == "2 at checkout, web, 0.12"


def test_braces_are_written_twice() -> None:
    """As people know it of Python and Rust."""
    assert filled(["{{", "}}", "{{notice.id}}"], told()) == ["{", "}", "{notice.id}"]


def test_a_fail_has_its_verdict() -> None:
    """And no incident."""
    tree = ["{verdict.service}", "{verdict.outcome}", "{incident.id}", "{notice.url}"]
    assert filled(tree, notice()) == ["checkout", "fail", None, f"{WHERE}/rollouts/a1"]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_there_for_every_notice(name: str) -> None:
    """None of them fails when it is needed."""
    tree = ["{" + name + "}", "<{" + name + "}>"]
    weekly = notice(kind=NoticeKind.WEEKLY, verdict=None)
    for of in (told(), told(1, "resolved", causes=()), notice(), weekly):
        alone, within = filled(tree, of)
        assert within.startswith("<")
        assert alone is None or within != "<>" or alone in {"", ()} or alone == []


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    """A service that is called like a field is no field, and ends no string."""
    odd = '{notice.id}", "admin": true, "x": "{{'
    made = filled({"a": "{notice.title}", "b": "<{notice.title}>"}, told(title=odd))
    assert made == {"a": odd, "b": f"<{odd}>"}


@profile(max_examples=80)
@given(st.text(max_size=100), st.text(max_size=100))
def test_a_document_keeps_its_shape(title: str, text: str) -> None:
    """Whatever things are called."""
    made = filled({"a": "{notice.title}", "b": ["{notice.text}!"]}, notice(title=title, text=text))
    assert made == {"a": title, "b": [f"{text}!"]}


@profile(max_examples=80)
@given(st.text(max_size=60))
def test_a_string_is_refused_or_filled(text: str) -> None:
    """What was taken at the start is sent later."""
    try:
        template = Template.read(json.dumps(text), "notifier 'ops'")
    except ConfigError:
        assert "{" in text or "}" in text
        return
    if "{" not in text and "}" not in text:
        assert json.loads(template.filled(told(), None)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "template: no JSON"),
        ("", "template: no JSON"),
        ("[" * 50_000, "template: no JSON"),
        ("[" * 40 + "]" * 40, "more than 32 levels"),
        ('{"a": "{notice.titel}"}', r"\{notice.titel\} is no field; there are notice.id, "),
        ('["{incident.__class__}"]', "is no field"),
        ('["{notice.title.__len__}"]', "is no field"),
        ('["{notice.title!r}"]', "is no field"),
        ('["{incident.labels.a-b}"]', "is no field"),
        ('["{}"]', "is no field"),
        ('["a { b"]', "a brace alone"),
        ('["a } b"]', "a brace alone"),
        (json.dumps("x" * 70_000), "at most 65536 characters"),
    ],
)
def test_what_cannot_be_filled_is_refused_at_the_start(text: str, words: str) -> None:
    """With the fields that there are."""
    with pytest.raises(ConfigError, match=words):
        open_notifier(settings("https://hooks.example.org/x", template=text), lambda: 0.0)


def test_only_a_webhook_has_one() -> None:
    """Elsewhere it would silently do nothing."""
    with pytest.raises(ConfigError, match="template: only a webhook has one"):
        settings("https://hooks.example.org/x", kind="slack", template="{}")


def test_a_webhook_sends_it_signed() -> None:
    """As JSON, under the same id as ever."""
    with receiving() as one:
        made = settings(one.url, template='{"title": "{notice.title}"}', secret="s")
        open_notifier(made, lambda: 0.0).send(notice())
        (got,) = one.got
    assert json.loads(got.body) == {"title": "checkout v2 failed"}
    assert got.headers["content-type"] == "application/json; charset=utf-8"
    assert got.headers["webhook-id"] == "fail:a1"
    assert got.headers["webhook-signature"].startswith("v1,")
