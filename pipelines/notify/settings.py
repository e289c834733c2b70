"""Where notices go: one receiver, how to reach it, and which of them it wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from detector.alerts.brief import Gravity
from detector.errors import ConfigError
from detector.gate.telling import NoticeKind, Route
from pipelines.notify.mail_settings import Mail, mail_server
from pipelines.sources.settings import Tls

__all__ = ["NotifierSettings"]

# The name is part of what a signature covers, where a dot would end it.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KINDS = frozenset(kind for kind in NoticeKind if kind is not NoticeKind.TEST)
_HTTP = frozenset({"alertmanager", "slack", "teams", "webhook"})
# These wake people, or keep what is broken now; a report of the week is neither.
_PAGERS = frozenset({"alertmanager", "pagerduty"})
_REPORTS = frozenset({NoticeKind.WEEKLY, NoticeKind.REPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSettings:
    """One receiver.

    `kind` is one of ours, or the name of an entry point in the group `serinus.notifiers`.
    URL and secret may be in files, read again for every notice. `kinds` and `services` say
    what it wants, and of incidents those of at least this `severity`. `allow_private`: it may be
    at a private or loopback address. `timeout_s` bounds one try, `tries` how many are made at once
    before it waits. `public_url` is where people find serinus, for links. `options` is for
    notifiers of third parties. Token, or a file with it, and channel are those of an app in a chat;
    a pager's token is its integration key. `mail` is for e-mail, `template` what a
    webhook sends in place of our event.
    """

    name: str
    kind: str = "webhook"
    url: str | None = field(default=None, repr=False)
    url_file: str | None = None
    secret: str | None = field(default=None, repr=False)
    secret_file: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    kinds: frozenset[NoticeKind] = _KINDS
    services: tuple[str, ...] = ("*",)
    severity: Gravity = Gravity.MEDIUM
    allow_private: bool = False
    tls: Tls = field(default_factory=Tls)
    timeout_s: float = 5.0
    tries: int = 3
    public_url: str | None = None
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    channel: str = ""
    mail: Mail | None = None
    template: str | None = None

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ConfigError(
                f"notifier {self.name!r}: a name has letters, digits, - and _, at most 64"
            )
        self._check_kind()
        if self.template is not None and self.kind != "webhook":
            raise ConfigError(f"{self.place}: template: only a webhook has one")
        if not self.route.kinds:
            raise ConfigError(f"{self.place}: kinds: {self.kind} tells none of these")
        for name, value in self.headers.items():
            if re.search(r"[\r\n\0]", name + value):
                raise ConfigError(f"{self.place}: header {name!r} has a line break in it")

    def _check_kind(self) -> None:
        """Whether there is what this kind needs; that of a plug-in is checked by itself."""
        match self.kind:
            case "slack-app":
                self._check_app()
            case "pagerduty":
                self._check_token()
            case "email":
                self._check_mail()
            case "apprise":
                self._check_apprise()
            case kind if kind in _HTTP:
                self._check_http()

    def _check_http(self) -> None:
        self._check_one_url()
        if self.secret is not None and self.secret_file is not None:
            raise ConfigError(f"{self.place}: give one of secret, secret_file")
        if self.url is not None:
            self._checked(self.url)

    def _check_mail(self) -> None:
        self._check_one_url()
        if self.mail is None:
            raise ConfigError(f"{self.place}: give mail, with sender and to")
        self.mail.check(self.place)
        is_open = self.url is not None and not mail_server(self.url, self.place).is_tls
        if self.mail.user is not None and is_open and not self.mail.starttls:
            raise ConfigError(f"{self.place}: mail.user: no password is sent without TLS")

    def _check_apprise(self) -> None:
        self._check_one_url()
        if not self.allow_private:
            why = "apprise makes its own connections, which are not guarded"
            raise ConfigError(f"{self.place}: {why}; set allow_private: true if that is meant")

    def _check_one_url(self) -> None:
        if (self.url is None) == (self.url_file is None):
            raise ConfigError(f"{self.place}: give one of url, url_file")

    def _check_app(self) -> None:
        self._check_token()
        if not self.channel:
            raise ConfigError(f"{self.place}: give the channel, best by its id, as C0123456789")
        if self.secret is not None and self.secret_file is not None:
            raise ConfigError(f"{self.place}: give one of secret, secret_file")

    def _check_token(self) -> None:
        if (self.token is None) == (self.token_file is None):
            raise ConfigError(f"{self.place}: give one of token, token_file")
        if self.url is not None:
            self._checked(self.url)

    @property
    def place(self) -> str:
        """How it is called in messages; a URL may be a secret, so it is not shown."""
        return f"notifier {self.name!r}"

    @property
    def route(self) -> Route:
        """What it wants."""
        kinds = self.kinds - _REPORTS if self.kind in _PAGERS else self.kinds
        return Route(name=self.name, kinds=kinds, services=self.services, severity=self.severity)

    def address(self) -> str:
        """The URL as it is now; `ConfigError` where it is none."""
        return self._checked(self.where())

    def where(self) -> str:
        """What is given as URL, as it is now, of whatever scheme."""
        return _read(self.url, self.url_file, self.place) or ""

    def key(self) -> str | None:
        """The secret as it is now."""
        return _read(self.secret, self.secret_file, self.place)

    def bearer(self) -> str:
        """The token as it is now; `ConfigError` where it is none that a header can carry."""
        token = _read(self.token, self.token_file, self.place) or ""
        if not token.isascii() or not token.isprintable() or " " in token or not token:
            raise ConfigError(f"{self.place}: its token is none")
        return token

    def _checked(self, url: str) -> str:
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname, parts.port
        except ValueError:
            parts, host = None, None
        if parts is None or parts.scheme not in {"http", "https"} or not host:
            raise ConfigError(f"{self.place}: its URL is not http:// or https:// with a host")
        if parts.username is not None or parts.password is not None:
            raise ConfigError(f"{self.place}: its URL has a user in it; give a header")
        if parts.fragment:
            raise ConfigError(f"{self.place}: its URL has a fragment")
        return url


def _read(value: str | None, file: str | None, place: str) -> str | None:
    if value is not None or file is None:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{place}: cannot read {file}: {error.strerror}") from error
