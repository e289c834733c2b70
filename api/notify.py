"""Who is told, as the configuration says it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from api.section import Section, TlsSettings, secret_text, text_of
from detector.alerts.brief import Gravity
from detector.explain.weekly import WeeklyAt, weekly_at
from detector.gate.telling import NoticeKind
from pipelines.notify.mail_settings import Mail
from pipelines.notify.settings import NotifierSettings

__all__ = ["NotifierSection", "NotifySettings"]

Wanted = Literal["fail", "pause", "weekly", "incident", "blind", "capacity", "report"]


def _reachable(url: str | None) -> str | None:
    if url is not None and (
        urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname
    ):
        raise ValueError(f"{url!r} is not http:// or https:// with a host")
    return url


def _moment(text: str) -> str:
    weekly_at(text)
    return text


class MailSection(Section):
    """Who sends mail to whom."""

    sender: str
    to: tuple[str, ...]
    user: str | None = None
    starttls: bool = True

    def native(self) -> Mail:
        """The same in the words of the notifiers."""
        return Mail(sender=self.sender, to=self.to, user=self.user, starttls=self.starttls)


class NotifierSection(Section):
    """One receiver; `kind` is one of ours, such as webhook and slack, or a plug-in's."""

    kind: str = "webhook"
    url: SecretStr | None = None
    url_file: Path | None = None
    secret: SecretStr | None = None
    secret_file: Path | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    channel: str = ""
    mail: MailSection | None = None
    template: str | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    kinds: tuple[Wanted, ...] = get_args(Wanted)
    services: tuple[str, ...] = ("*",)
    severity: Literal["low", "medium", "high"] = "medium"
    allow_private: bool = False
    tls: TlsSettings = TlsSettings()
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 5.0
    tries: Annotated[int, Field(ge=1, le=5)] = 3
    options: dict[str, str] = Field(default_factory=dict)

    def native(self, name: str, public_url: str | None) -> NotifierSettings:
        """The same in the words of the notifiers; `ConfigError` for an URL that is none."""
        return NotifierSettings(
            name=name,
            kind=self.kind,
            url=secret_text(self.url),
            url_file=text_of(self.url_file),
            secret=secret_text(self.secret),
            secret_file=text_of(self.secret_file),
            token=secret_text(self.token),
            token_file=text_of(self.token_file),
            channel=self.channel,
            template=self.template,
            mail=None if self.mail is None else self.mail.native(),
            headers={key: value.get_secret_value() for key, value in self.headers.items()},
            kinds=frozenset(NoticeKind(kind) for kind in self.kinds),
            services=self.services,
            severity=Gravity(self.severity),
            allow_private=self.allow_private,
            tls=self.tls.native(),
            timeout_s=self.timeout_s,
            tries=self.tries,
            public_url=public_url,
            options=self.options,
        )


class NotifySettings(Section):
    """Who is told of fails, of rollouts that wait for a person, of incidents, and weekly of
    rollouts that never end decided.
    """

    public_url: Annotated[str | None, AfterValidator(_reachable)] = None
    weekly: Annotated[str, AfterValidator(_moment)] = "monday 09:00"
    to: dict[str, NotifierSection] = Field(default_factory=dict)

    def native(self) -> tuple[NotifierSettings, ...]:
        """Each receiver, by name."""
        return tuple(section.native(name, self.public_url) for name, section in self.to.items())

    @property
    def moment(self) -> WeeklyAt | None:
        """When the weekly notice is due; None for never."""
        return weekly_at(self.weekly)
