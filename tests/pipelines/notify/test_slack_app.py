"""An incident in Slack: one message that is kept up to date, with a line for each happening."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from detector.errors import ConfigError, DeliveryError
from detector.gate.telling import DeliveryState, Errand, Notice, Post
from pipelines.notify.dispatch import LATER_S, Dispatcher
from pipelines.notify.open import open_notifier
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.slack_app import SlackApp
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.scripted import Clock
from tests.pipelines.notify.briefs import cause, told
from tests.pipelines.notify.receiver import notice, receiving
from tests.pipelines.notify.slack_server import CHANNEL, TOKEN, Message, Slack, slack

WHERE = "https://serinus.example.org"


@pytest.fixture
def workspace() -> Iterator[Slack]:
    """One that takes what its documents allow."""
    with slack() as one:
        yield one


def settings(where: str | None, **changes: object) -> NotifierSettings:
    """An app of that workspace."""
    base: dict[str, object] = {
        "name": "ops",
        "kind": "slack-app",
        "url": where,
        "token": TOKEN,
        "channel": CHANNEL,
        "secret": "s3cret",
        "public_url": WHERE,
        "allow_private": True,
    }
    return NotifierSettings(**{**base, **changes})  # type: ignore[arg-type]


def app(workspace: Slack, **changes: object) -> SlackApp:
    """The notifier."""
    return SlackApp(settings(workspace.url, **changes))


def errand(of: Notice, receipt: str = "") -> Errand:
    """It is on its way."""
    return Errand(notice=of, to="ops", tries=1, receipt=receipt)


def test_an_incident_begins_as_a_message_with_buttons(workspace: Slack) -> None:
    """What, since when, who, why, and what to do: read on a phone, without a click."""
    receipt = app(workspace).follow(errand(told()))
    (message,) = workspace.roots
    assert receipt == f"{CHANNEL}/{message.ts}"
    for words in (
        ":rotating_light: checkout: errors up",
        "*Since* <!date^1795442400^",
        "*Affected*: checkout, web",
        "• Errors: 12 % against 0.4 %.",
        "*Likely cause*: <https://ci.example.org/run/7?a=1&amp;b=2|checkout v2.3.1>",
        ": 83 %",
        "• Only pods of v2.3.1 show it.",
        "*What to do*, if it was this: `kubectl argo rollouts undo checkout`",
        f"<{WHERE}/incidents/inc_0123456789abcdef|the incident's page>",
        "Acknowledge\nNot an incident\nSnooze for",
    ):
        assert words in message.words


def test_it_goes_on_in_the_same_message_with_a_line_below_it(workspace: Slack) -> None:
    """A channel has one message an incident, and whoever follows the thread hears of each step."""
    made = app(workspace)
    receipt = made.follow(errand(told()))
    for nth, why in enumerate(("grew", "suspect", "reopened", "split", "resolved"), 1):
        assert made.follow(errand(told(nth, why, count=7), receipt)) == receipt
    (message,) = workspace.roots
    assert message.updates == 5
    lines = workspace.thread(message.ts)
    words = ("it grew to 7 signs", "*Likely cause*", "it began again", "it was split", "*Over*")
    assert [word in line for word, line in zip(words, lines, strict=True)] == [True] * 5


def test_a_line_links_nothing_by_itself(workspace: Slack) -> None:
    """What a change is called looks like an address: nobody is led there."""
    made = app(workspace)
    receipt = made.follow(errand(told()))
    made.follow(errand(told(1, "suspect", causes=(cause(title="https://evil.example"),)), receipt))
    _, body = workspace.calls[-1]
    assert [block["text"]["verbatim"] for block in body["blocks"]] == [True]


def test_its_end_is_seen_in_the_message(workspace: Slack) -> None:
    """Without its advice and without a button to acknowledge what is over."""
    made = app(workspace)
    made.follow(errand(told(1, "resolved"), made.follow(errand(told()))))
    (message,) = workspace.roots
    assert ":white_check_mark:" in message.words
    assert "after 24 minutes" in message.words
    assert "What to do" not in message.words
    assert "Acknowledge" not in message.words
    assert "Not an incident" in message.words


def test_without_a_secret_there_are_no_buttons(workspace: Slack) -> None:
    """Nobody could verify their clicks; Slack would tell everybody who clicks of an error."""
    app(workspace, secret=None).follow(errand(told()))
    assert "Acknowledge" not in workspace.roots[0].words


def test_a_message_that_somebody_deleted_is_posted_anew(workspace: Slack) -> None:
    """And from then on that one goes on."""
    made = app(workspace)
    old = made.follow(errand(told()))
    workspace.messages.clear()
    workspace.messages["1.000001"] = Message("1.000001", "lunch?", [], None)
    new = made.follow(errand(told(1, "grew"), old))
    assert new != old
    assert made.follow(errand(told(2, "grew"), new)) == new
    assert len(workspace.roots) == 2


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed"])
def test_a_message_that_may_not_be_changed_is_posted_anew(workspace: Slack, error: str) -> None:
    """A workspace that lets nobody edit after an hour still hears of the end."""
    made = app(workspace)
    receipt = made.follow(errand(told()))
    workspace.refuse = [error]
    assert made.follow(errand(told(1, "resolved"), receipt)) != receipt


@pytest.mark.parametrize("receipt", ["nonsense", "C1/<!channel>", f"{CHANNEL}/1", "/1.2"])
def test_what_is_no_receipt_begins_anew(workspace: Slack, receipt: str) -> None:
    """As one of another kind of notifier that had this name before."""
    app(workspace).follow(errand(told(3, "grew"), receipt))
    assert [method for method, _ in workspace.calls] == ["chat.postMessage"]


def test_other_notices_are_messages_of_their_own(workspace: Slack) -> None:
    """A fail of a rollout, as an incoming webhook would have it."""
    made = app(workspace)
    made.send(notice())
    made.follow(errand(notice("fail:a2")))
    assert [":red_circle: checkout v2 failed" in one.words for one in workspace.roots] == [True] * 2


# -- what goes wrong


def refused(workspace: Slack, *errors: str, **changes: object) -> DeliveryError:
    """How it is told that Slack said no."""
    workspace.refuse = list(errors)
    with pytest.raises(DeliveryError) as raised:
        app(workspace, **changes).follow(errand(told()))
    return raised.value


@pytest.mark.parametrize(
    ("code", "retryable", "after_s"),
    [
        ("internal_error", True, None),
        ("ratelimited", True, None),
        ("invalid_auth", True, 60.0),
        ("not_in_channel", True, 60.0),
        ("some_error_of_next_year", True, 60.0),
        ("invalid_blocks", False, None),
        ("msg_too_long", False, None),
    ],
)
def test_a_no_with_status_200_is_no_acknowledgement(
    workspace: Slack, code: str, retryable: bool, after_s: float | None
) -> None:
    """What somebody can mend is tried again in a while; a message that is none is not."""
    error = refused(workspace, code)
    assert (error.retryable, error.after_s) == (retryable, after_s)
    assert code in str(error)
    assert workspace.messages == {}


def test_a_wrong_token_is_told_without_it(workspace: Slack) -> None:
    """And what to do."""
    error = refused(workspace, token="xoxb-wrong")
    assert str(error) == "notifier 'ops': Slack answered invalid_auth: check the token"


def test_an_app_that_was_not_invited_says_so(workspace: Slack) -> None:
    """The most usual mistake."""
    workspace.member = False
    assert "invite the app to the channel" in str(refused(workspace))


def test_a_channel_that_is_none_is_told(workspace: Slack) -> None:
    """Such as one that was deleted."""
    assert "channel_not_found" in str(refused(workspace, channel="C0"))


def test_a_token_in_a_file_is_read_again(workspace: Slack, tmp_path: Path) -> None:
    """One that was rotated needs no restart; an empty file is told by what is missing."""
    file = tmp_path / "token"
    made = app(workspace, token=None, token_file=str(file))
    for text in ("", "two words", "line\nbreak", "ünicode"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="its token is none"):
            made.follow(errand(told()))
    file.write_text(f"{TOKEN}\n")
    assert made.follow(errand(told()))


def test_too_many_at_once_are_slowed_down(workspace: Slack) -> None:
    """Slack says for how long."""
    workspace.limited = [30]
    error = refused(workspace)
    assert (error.retryable, error.after_s) == (True, 30.0)


@pytest.mark.parametrize("words", [b"", b"ok", b"[]", b'{"ok": "yes"}', b"<html>a proxy</html>"])
def test_what_is_no_answer_of_slack_is_no_acknowledgement(words: bytes) -> None:
    """A portal before the network says 200 to everything."""
    with receiving() as portal:
        portal.answers(200)
        portal.words = words
        with pytest.raises(DeliveryError, match="not answered as Slack does") as raised:
            SlackApp(settings(portal.url)).follow(errand(told()))
    assert raised.value.retryable


def test_a_private_address_is_refused() -> None:
    """Whoever may write settings cannot make us talk to the cluster's inside."""
    made = SlackApp(settings("http://127.0.0.1:9/api", allow_private=False))
    with pytest.raises(DeliveryError, match="private"):
        made.follow(errand(told()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"token": None}, "give one of token, token_file"),
        ({"token_file": "/x"}, "give one of token, token_file"),
        ({"channel": ""}, "give the channel"),
        ({"secret_file": "/x"}, "give one of secret, secret_file"),
        ({"url": "ftp://x"}, "not http:// or https://"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(changes: dict[str, object], words: str) -> None:
    """Not when the first incident ought to be told."""
    with pytest.raises(ConfigError, match=words):
        settings(None, **changes)


def test_it_is_opened_by_its_kind() -> None:
    """With Slack's own address, where no other is given."""
    made = open_notifier(settings(None), lambda: 0.0)
    assert isinstance(made, SlackApp)
    assert TOKEN not in repr(settings("https://x.example"))


# -- with the outbox


def test_from_the_outbox_it_is_one_message_whatever_fails_between(workspace: Slack) -> None:
    """An update whose line was refused is made again: no second message, no second line."""
    clock, outbox = Clock(), memory_stores().outbox
    clock.at = told(9).at
    for nth, why in enumerate(("opened", "resolved")):
        outbox.put([Post(notice=told(nth, why), to=("ops",))])
    dispatcher = Dispatcher(name="ops", notifier=app(workspace), outbox=outbox, clock=clock)
    with stamina.set_testing(True, attempts=3, cap=True):
        workspace.limited = [30]
        dispatcher.turn()
        assert workspace.messages == {}
        clock.at += LATER_S[0]
        workspace.refuse = [None, None, "internal_error"]
        assert [dispatcher.turn() for _ in range(3)] == [1, 1, 0]
    (message,) = workspace.roots
    assert (message.updates, len(workspace.thread(message.ts))) == (2, 1)
    assert outbox.tally() == {("ops", DeliveryState.SENT): 2}


def test_a_lost_answer_repeats_no_more_than_one_message(workspace: Slack) -> None:
    """Nobody can know whether it was posted: it is told again rather than not at all."""
    made = app(workspace)
    workspace.lost = [True]
    with pytest.raises(DeliveryError) as raised:
        made.follow(errand(told()))
    assert raised.value.retryable
    receipt = made.follow(errand(told()))
    made.follow(errand(told(1, "grew"), receipt))
    assert [message.updates for message in workspace.roots] == [0, 1]
