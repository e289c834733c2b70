"""Every kind of receiver as it is written in the configuration."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from api.notify import NotifierSection, NotifySettings
from detector.errors import ConfigError
from pipelines.notify.mail_settings import Mail
from pipelines.notify.open import open_notifier

SECTIONS: dict[str, dict[str, Any]] = {
    "pagerduty": {"token": "0123456789abcdef0123456789abcdef"},
    "alertmanager": {"url": "http://alertmanager:9093", "allow_private": True},
    "webhook": {"url": "https://tickets.example.org", "template": '{"a": "{notice.title}"}'},
    "apprise": {"url": "json://x", "allow_private": True},
    "teams": {"url": "https://prod-01.westeurope.logic.azure.com/workflows/a?sig=b"},
    "email": {
        "url": "smtp://mail.example.org:587",
        "secret": "p4ss",
        "mail": {"sender": "a@example.org", "to": ["b@example.org"], "user": "a"},
    },
}


@pytest.mark.parametrize("kind", SECTIONS)
def test_a_kind_is_opened_as_it_is_written(kind: str) -> None:
    """What the pages show works, and nothing is asked of the network at the start."""
    section = NotifierSection.model_validate({"kind": kind, **SECTIONS[kind]})
    settings = NotifySettings(to={"ops": section})
    (native,) = settings.native()
    assert callable(open_notifier(native, lambda: 0.0).send)


def test_mail_is_read_whole() -> None:
    """Whom it is for, and how it is sent."""
    section = NotifierSection.model_validate({"kind": "email", **SECTIONS["email"]})
    assert section.native("ops", None).mail == Mail(
        sender="a@example.org", to=("b@example.org",), user="a", starttls=True
    )


def test_a_key_of_mail_that_does_not_exist_is_refused() -> None:
    """A typing error is no setting that is silently left out."""
    mail = {"sender": "a@example.org", "to": ["b@example.org"], "start_tls": False}
    with pytest.raises(ValidationError, match="start_tls"):
        NotifierSection.model_validate({"kind": "email", "url": "smtp://m", "mail": mail})


def test_secrets_are_in_no_representation() -> None:
    """As a log of the settings would show them."""
    section = NotifierSection.model_validate({"kind": "email", **SECTIONS["email"]})
    assert "p4ss" not in repr(section.native("ops", None)) + repr(section)


def test_a_kind_without_what_it_needs_is_refused() -> None:
    """At the start."""
    with pytest.raises(ConfigError, match="give mail"):
        NotifierSection(kind="email", url="smtp://m").native("ops", None)  # type: ignore[arg-type]
