"""Receivers that the library apprise knows, by its plainest: JSON to a server of the test."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.alerts.brief import BriefState
from detector.errors import ConfigError, DeliveryError
from detector.gate.telling import Notice, NoticeKind
from pipelines.notify.open import open_notifier
from pipelines.notify.settings import NotifierSettings
from tests.pipelines.notify.briefs import told
from tests.pipelines.notify.receiver import Receiver, notice, receiving

WHERE = "https://serinus.example.org"
ENDED = 1_795_442_460_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One that answers 204."""
    with receiving() as one:
        yield one


def settings(url: str | None, **changes: object) -> NotifierSettings:
    """A notifier by a URL of apprise."""
    base: dict[str, object] = {
        "name": "ops",
        "kind": "apprise",
        "url": None if url is None else url.replace("http://", "json://"),
        "public_url": WHERE,
        "allow_private": True,
    }
    return NotifierSettings(**{**base, **changes})  # type: ignore[arg-type]


def got(receiver: Receiver, of: Notice) -> dict[str, Any]:
    """What it gets for a notice."""
    open_notifier(settings(receiver.url), lambda: 0.0).send(of)
    body: dict[str, Any] = json.loads(receiver.got[-1].body)
    return body


def test_an_incident_is_told_in_plain_words(receiver: Receiver) -> None:
    """A title, and what can be read in any chat."""
    body = got(receiver, told())
    assert body["title"] == "Incident: checkout: errors up"
    lines = body["message"].split("\n")
    assert lines[0] == "What happened: it began"
    assert "Affected: checkout, web" in lines
    assert lines[-1] == f"{WHERE}/incidents/inc_0123456789abcdef"


@pytest.mark.parametrize(
    ("of", "kind"),
    [
        (told(), "failure"),
        (told(1, "resolved"), "success"),
        (told(1, "merged", state=BriefState.MERGED, ended=ENDED), "info"),
        (notice(), "failure"),
        (notice(kind=NoticeKind.PAUSE), "warning"),
        (notice(kind=NoticeKind.TEST), "info"),
        (notice(kind=NoticeKind.WEEKLY, verdict=None), "info"),
    ],
    ids=["open", "resolved", "merged", "fail", "pause", "test", "weekly"],
)
def test_each_kind_has_its_colour(receiver: Receiver, of: Notice, kind: str) -> None:
    """Which is all that apprise knows of how bad it is."""
    assert got(receiver, of)["type"] == kind


def test_words_of_others_are_words(receiver: Receiver) -> None:
    """No escape of theirs becomes a line, no markup is read."""
    body = got(receiver, told(title="a\\n<b>x</b> :fire:"))
    assert body["title"] == "Incident: a\\n<b>x</b> :fire:"


@pytest.mark.parametrize("status", [301, 400, 429, 500])
def test_what_was_not_taken_is_tried_again(receiver: Receiver, status: int) -> None:
    """It does not say why; nothing is lost because a service was down."""
    receiver.answers((status, {"Location": receiver.url}))
    with pytest.raises(DeliveryError, match="apprise could not deliver it") as told_:
        got(receiver, told())
    assert told_.value.retryable
    assert len(receiver.got) == 1


def test_a_receiver_that_hangs_is_left(receiver: Receiver) -> None:
    """Nobody else waits for it."""
    receiver.held.clear()
    with pytest.raises(DeliveryError):
        open_notifier(settings(receiver.url, timeout_s=0.3), lambda: 0.0).send(told())


def test_a_url_that_it_does_not_know_is_refused_at_the_start() -> None:
    """And not shown: it is a secret."""
    with pytest.raises(ConfigError, match="none that apprise knows") as told_:
        open_notifier(settings("nonsense://t0ken"), lambda: 0.0)
    assert "t0ken" not in str(told_.value)


def test_a_url_in_a_file_is_read_again(receiver: Receiver, tmp_path: Path) -> None:
    """A rotated one needs no restart."""
    file = tmp_path / "url"
    notifier = open_notifier(settings(None, url_file=str(file)), lambda: 0.0)
    file.write_text(receiver.url.replace("http://", "json://") + "\n")
    notifier.send(told())
    assert len(receiver.got) == 1


def test_addresses_that_nobody_guards_are_meant() -> None:
    """Apprise makes its own connections."""
    with pytest.raises(ConfigError, match="allow_private: true"):
        settings("json://x", allow_private=False)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where serinus was installed without the extra."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'serinus\[apprise\]'"):
        open_notifier(settings("json://x"), lambda: 0.0)
