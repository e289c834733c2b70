"""What may be configured, and what is refused at the start with words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.errors import ConfigError
from detector.gate.telling import NoticeKind
from pipelines.notify.open import open_notifier
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.slack import SlackNotifier
from pipelines.notify.webhook import WebhookNotifier
from tests.pipelines.notify.receiver import notice, settings

URL = "https://hooks.example.org/x"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a.b"}, "a name has letters, digits, - and _"),
        ({"url": None}, "give one of url, url_file"),
        ({"url_file": "/x"}, "give one of url, url_file"),
        ({"secret": "a", "secret_file": "/x"}, "give one of secret, secret_file"),
        ({"url": "ftp://x"}, "not http:// or https://"),
        ({"url": "https://"}, "not http:// or https://"),
        ({"url": "http://a:b@c/"}, "has a user in it"),
        ({"url": "http://c/#x"}, "has a fragment"),
        ({"url": "http://c:port/"}, "not http:// or https://"),
        ({"headers": {"X": "a\r\nY: b"}}, "line break"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(changes: dict[str, object], words: str) -> None:
    """Not when the first fail ought to be told."""
    with pytest.raises(ConfigError, match=words):
        settings(**{"url": URL, **changes})  # type: ignore[arg-type]


def test_secrets_are_in_no_representation() -> None:
    """A log of the settings gives nothing away."""
    made = settings(URL, secret="s3cret", headers={"Authorization": "t0ken"}, kind="slack")
    assert not {word for word in ("s3cret", "t0ken", "hooks.example") if word in repr(made)}


def test_a_url_in_a_file_is_read_again(tmp_path: Path) -> None:
    """A rotated URL needs no restart; a missing file is told by its name."""
    file = tmp_path / "url"
    made = NotifierSettings(name="ops", kind="slack", url_file=str(file))
    with pytest.raises(ConfigError, match="cannot read"):
        made.address()
    file.write_text(f"{URL}\n")
    assert made.address() == URL
    file.write_text("nonsense")
    with pytest.raises(ConfigError, match="notifier 'ops': its URL is not"):
        made.address()


def test_a_test_notice_is_asked_for_by_nobody() -> None:
    """It goes where a person sends it."""
    assert NoticeKind.TEST not in settings(URL).route.kinds


# -- kinds, ours and a third party's


def test_ours_are_known_by_name() -> None:
    """Two of them."""
    assert isinstance(open_notifier(settings(URL), lambda: 0.0), WebhookNotifier)
    assert isinstance(open_notifier(settings(URL, kind="slack"), lambda: 0.0), SlackNotifier)


def test_an_unknown_kind_names_the_known() -> None:
    """A typing error is seen at once."""
    with pytest.raises(
        ConfigError,
        match=r"kind 'slak' is unknown; there are .*pagerduty, slack, slack-app, .*webhook",
    ):
        open_notifier(NotifierSettings(name="ops", kind="slak"), lambda: 0.0)


PLUGIN = """
class Pager:
    def __init__(self, settings):
        self.number, self.sent = settings.options["number"], []

    def send(self, notice):
        self.sent.append(notice)

class Mute:
    def __init__(self, settings): pass
    def send(self, notice, channel): pass
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with three entry points, as pip would leave it."""
    (tmp_path / "pager_plugin.py").write_text(PLUGIN, encoding="utf-8")
    info = tmp_path / "pager_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: pager-plugin\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[serinus.notifiers]\npager = pager_plugin:Pager\nmute = pager_plugin:Mute\n"
        "lost = pager_plugin:nowhere\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("plugins")
def test_a_plug_in_is_opened_by_its_entry_point() -> None:
    """With the options that are for it."""
    plain = NotifierSettings(name="ops", kind="pager", options={"number": "112"})
    made = open_notifier(plain, lambda: 0.0)
    made.send(notice())
    assert (made.number, made.sent) == ("112", [notice()])  # type: ignore[attr-defined]


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("mute", r"'mute' \(pager_plugin:Mute\) is no notifier: it must have send"),
        ("lost", "'lost' .* cannot be loaded"),
    ],
)
def test_a_plug_in_that_is_none_is_refused(kind: str, words: str) -> None:
    """At the start, by its name."""
    with pytest.raises(ConfigError, match=words):
        open_notifier(NotifierSettings(name="ops", kind=kind), lambda: 0.0)
