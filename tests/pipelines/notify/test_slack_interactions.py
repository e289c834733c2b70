"""Clicks in Slack: nobody else's are heard, and each says one thing of one incident."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError, InputError
from detector.incidents.record import SaidKind
from pipelines.notify.blocks import message
from pipelines.notify.slack_interactions import (
    Interaction,
    action_of,
    block_id_of,
    is_from_slack,
    read,
)
from tests.pipelines.notify.briefs import told

NOW, SECRET = 1_795_442_400, "8f742231b10e8888abcd99yyyzzz85a5"


def clicked(action: str, *, block: str = "serinus/default/inc_1", **more: Any) -> bytes:  # noqa: ANN401
    """What Slack posts of a click, as its documents show it."""
    payload = {
        "type": "block_actions",
        "user": {"id": "U0CA5", "username": "ada", "name": "ada", "team_id": "T9TK3CUKW"},
        "api_app_id": "A0MDYCDME",
        "container": {"type": "message", "message_ts": "1548261231.000200"},
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "response_url": "https://hooks.slack.com/actions/T9TK3CUKW/1/2",
        "actions": [
            {
                "action_id": action,
                "block_id": block,
                "text": {"type": "plain_text", "text": "Acknowledge", "emoji": True},
                "type": "button",
                "action_ts": "1548426417.840180",
                **more,
            }
        ],
    }
    return posted(payload)


def posted(payload: object) -> bytes:
    """A form with one field."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def signature(body: bytes, at: int = NOW, secret: str = SECRET) -> str:
    """What Slack sends with it."""
    signed = f"v0:{at}:".encode() + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_heard(
    body: bytes, *, at: str = str(NOW), signed: str | None = None, now: float = NOW
) -> bool:
    """Whether it is taken for Slack's."""
    signed = signature(body) if signed is None else signed
    return is_from_slack(body, timestamp=at, signature=signed, secret=SECRET, now=now)


# -- who says it


def test_the_example_of_the_documents_is_slacks() -> None:
    """Computed by somebody else."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert is_heard(
        body,
        at="1531420618",
        signed="v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        now=1531420618,
    )


@pytest.mark.parametrize(
    ("passed", "heard"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_an_old_one_is_not_heard_again(passed: int, heard: bool) -> None:
    """Somebody who recorded it cannot acknowledge tomorrow's incident with it."""
    assert is_heard(clicked("serinus.acknowledged"), now=NOW + passed) is heard


@pytest.mark.parametrize("at", ["", "soon", "-1", "1.5", "١٧٩٥٤٤٢٤٠٠", "9" * 5000, f"{NOW} "])
def test_a_time_that_is_none_is_not_heard(at: str) -> None:
    """Whatever a header says."""
    assert not is_heard(b"x", at=at)


@pytest.mark.parametrize("signed", ["", "v0=", "v1=" + "0" * 64, "v0=ü", "\ud800"])
def test_a_signature_that_is_none_is_not_heard(signed: str) -> None:
    """And nothing breaks."""
    assert not is_heard(b"x", signed=signed)


def test_another_secret_is_not_heard() -> None:
    """Another app of the same workspace does not speak for this one."""
    assert not is_heard(b"x", signed=signature(b"x", secret="another"))


def test_without_a_secret_nobody_is_heard() -> None:
    """An empty one is everybody's."""
    with pytest.raises(ConfigError, match="signing secret"):
        is_from_slack(b"x", timestamp="1", signature="v0=", secret="", now=1.0)


@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(0, 299))
def test_only_the_very_body_at_its_time_is_heard(one: bytes, other: bytes, passed: int) -> None:
    """Whatever was changed on the way."""
    assert is_heard(other, signed=signature(one)) is (one == other)
    assert is_heard(one, at=str(NOW + passed), signed=signature(one)) is (passed == 0)


# -- what is said


@pytest.mark.parametrize("said", [SaidKind.ACKNOWLEDGED, SaidKind.NO_INCIDENT])
def test_a_button_says_one_thing_of_one_incident(said: SaidKind) -> None:
    """With who said it."""
    assert read(clicked(action_of(said))) == Interaction(
        tenant="default", incident="inc_1", said=said, person="ada (Slack)", user="U0CA5"
    )


def test_a_snooze_says_for_how_long() -> None:
    """It is chosen from a list."""
    found = read(clicked("serinus.snoozed", selected_option={"value": "3600"}))
    assert found is not None
    assert (found.said, found.for_s) == (SaidKind.SNOOZED, 3600)


@pytest.mark.parametrize("value", [None, "", "0", "-5", "forever", "2592001", "9" * 5000, "٣"])
def test_a_snooze_for_ever_is_refused(value: str | None) -> None:
    """Nor is one by somebody who makes values up."""
    option = None if value is None else {"value": value}
    with pytest.raises(InputError, match="30 days"):
        read(clicked("serinus.snoozed", selected_option=option))


def test_whatever_we_show_can_be_clicked() -> None:
    """The ids of the message's buttons are those that are read."""
    shown: Any = json.loads(json.dumps(message(told(), None, buttons=True)))
    block = shown["blocks"][-1]
    found = []
    for element in block["elements"]:
        option = element.get("options", [None])[0]
        body = clicked(element["action_id"], block=block["block_id"], selected_option=option)
        found.append(read(body))
    assert [one.said for one in found if one] == [
        SaidKind.ACKNOWLEDGED,
        SaidKind.NO_INCIDENT,
        SaidKind.SNOOZED,
    ]
    assert {one.incident for one in found if one} == {"inc_0123456789abcdef"}


@given(st.text(min_size=1, max_size=80), st.text("abc123_", min_size=1, max_size=40))
def test_the_incident_comes_back_as_it_was_named(tenant: str, incident: str) -> None:
    """Whatever a tenant is called."""
    found = read(clicked("serinus.acknowledged", block=block_id_of(tenant, incident)))
    assert found is not None
    assert (found.tenant, found.incident) == (tenant, incident)


def test_clicks_elsewhere_say_nothing() -> None:
    """The same app may have other messages; their clicks are no errors."""
    assert read(clicked("open_page", block="b1")) is None
    user = {"id": "U1"}
    assert read(posted({"type": "view_closed", "user": user})) is None
    assert read(posted({"type": "block_actions", "user": user, "actions": []})) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload=",
        b"payload=%7B%7D",
        b"payload=[]&payload=[]",
        b"other=1",
        b"\xff\xfe",
        b"&".join([b"a=1"] * 20),
        posted({"type": "block_actions", "user": "ada"}),
        b"payload=" + b"x" * 2**18,
    ],
    ids=str,
)
def test_what_is_no_interaction_is_refused(body: bytes) -> None:
    """By a clear word, whoever sends it."""
    with pytest.raises(InputError):
        read(body)


@pytest.mark.parametrize("block", ["serinus/", "serinus/inc_1", "serinus//inc_1", "serinus/t/"])
def test_a_click_that_names_no_incident_is_refused(block: str) -> None:
    """Rather than said of another one."""
    with pytest.raises(InputError, match="names no incident"):
        read(clicked("serinus.acknowledged", block=block))


@pytest.mark.parametrize("action", ["serinus.caused_by", "serinus.delete", "acknowledged"])
def test_a_button_that_we_do_not_have_is_refused(action: str) -> None:
    """It needs more words than a click has."""
    with pytest.raises(InputError, match="no button of ours"):
        read(clicked(action))


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    """No other error reaches the route."""
    with contextlib.suppress(InputError):
        assert read(body) is None
