"""An incident's chart below its message in Slack, and what happens where there can be none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from detector.gate.telling import Notice
from pipelines.notify.chart import chart_png
from pipelines.notify.slack_app import SlackApp
from tests.pipelines.notify.briefs import told
from tests.pipelines.notify.receiver import notice
from tests.pipelines.notify.slack_server import Slack, slack
from tests.pipelines.notify.test_chart import STEP
from tests.pipelines.notify.test_slack_app import errand, settings

PICTURE = chart_png(STEP)


@dataclass(slots=True)
class Drawn:
    """Charts of incidents, and for what they were asked."""

    asked: list[str] = field(default_factory=list)

    def __call__(self, of: Notice) -> bytes:
        """The same of each."""
        self.asked.append(of.id)
        return b"" if of.incident is None else PICTURE


@pytest.fixture
def workspace() -> Iterator[Slack]:
    """One that takes what its documents allow."""
    with slack() as one:
        yield one


def app(workspace: Slack, drawn: Drawn | None = None) -> SlackApp:
    """The notifier, whose messages have pictures."""
    return SlackApp(settings(workspace.url), drawn or Drawn())


def test_a_chart_is_below_the_message_whole_and_in_words(workspace: Slack) -> None:
    """Who hears the page instead of seeing it is told what it shows."""
    receipt = app(workspace).follow(errand(told()))
    (file,) = workspace.files.values()
    (message,) = workspace.roots
    assert (file.body, file.thread_ts) == (PICTURE, message.ts)
    assert receipt.endswith(message.ts)
    assert file.alt == "Errors: 12 % against 0.4 %."


def test_it_is_shown_once_however_much_happens(workspace: Slack) -> None:
    """A thread of ten pictures is read by nobody."""
    drawn = Drawn()
    made = app(workspace, drawn)
    receipt = made.follow(errand(told()))
    for nth, why in enumerate(("grew", "suspect", "resolved"), 1):
        made.follow(errand(told(nth, why), receipt))
    assert len(workspace.files) == len(drawn.asked) == 1


def test_a_message_that_is_posted_anew_has_one_of_its_own(workspace: Slack) -> None:
    """The thread of the one that was deleted is gone."""
    made = app(workspace)
    receipt = made.follow(errand(told()))
    workspace.messages.clear()
    made.follow(errand(told(1, "grew"), receipt))
    assert len(workspace.files) == 2


def test_what_has_no_picture_uploads_nothing(workspace: Slack) -> None:
    """A fail of a rollout, or an incident of log lines."""
    app(workspace).send(notice())
    SlackApp(settings(workspace.url), lambda _: b"").send(told())
    SlackApp(settings(workspace.url)).send(told())
    assert len(workspace.roots) == 3
    assert workspace.files == {}


def test_an_app_that_may_not_upload_tells_all_the_same_and_tries_no_more(workspace: Slack) -> None:
    """Its scopes are of before there were charts; each incident would cost a call in vain."""
    workspace.may_upload = False
    drawn = Drawn()
    made = app(workspace, drawn)
    assert made.follow(errand(told()))
    assert made.follow(errand(told(thread="inc_other")))
    assert len(workspace.roots) == 2
    assert len(drawn.asked) == 1
    assert [method for method, _ in workspace.calls].count("files.getUploadURLExternal") == 1


@pytest.mark.parametrize("step", [1, 2])
def test_an_upload_that_fails_is_left_out_and_the_next_one_tried(
    workspace: Slack, step: int
) -> None:
    """The message was told, and is not told again for its picture."""
    made = app(workspace)
    workspace.refuse = [None] * step + ["internal_error"]
    receipt = made.follow(errand(told()))
    assert receipt
    assert len(workspace.roots) == 1
    made.follow(errand(told(thread="inc_other")))
    shown = [file for file in workspace.files.values() if file.thread_ts is not None]
    assert len(shown) == 1


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.2:9",
        "https://files.slack.com",
        "http://evil.example",
        "http://127.0.0.1.evil.example",
        "file:///etc",
        "not an address",
    ],
)
def test_nothing_is_brought_anywhere_but_to_slack(workspace: Slack, where: str) -> None:
    """Whatever an answer says: a picture of what is wrong is nobody else's business."""
    workspace.uploads = where
    assert app(workspace).follow(errand(told()))
    (file,) = workspace.files.values()
    assert (file.body, file.thread_ts) == (None, None)


def test_the_token_stays_with_the_api(workspace: Slack) -> None:
    """Where it is brought to refuses a token, as the address is the permission."""
    app(workspace).follow(errand(told()))
    assert workspace.bring("/upload/v1/F1", {"authorization": "Bearer x"}, b"") == 400
    assert workspace.files["F1"].body == PICTURE
