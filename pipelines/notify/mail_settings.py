"""Who sends mail to whom, and which server takes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from detector.errors import ConfigError

__all__ = ["Mail", "MailServer", "mail_server"]

# Others than these need SMTPUTF8, which not every server between us and a mailbox has.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_PORTS = {"smtp": 587, "smtps": 465}
_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Sender and receivers, each `name@host` or `Name <name@host>`.

    `user` logs in, with the secret of the notifier as the password. Without `starttls` a server at
    smtp:// is spoken to in plain text.
    """

    sender: str
    to: tuple[str, ...]
    user: str | None = None
    starttls: bool = True

    def check(self, place: str) -> None:
        """`ConfigError` for what is no address."""
        if not 0 < len(self.to) <= _MOST:
            raise ConfigError(f"{place}: mail.to: give 1 to {_MOST} addresses")
        for name, text in (("sender", self.sender), *(("to", text) for text in self.to)):
            if _ADDRESS.fullmatch(bare(text)) is None or not text.isprintable():
                raise ConfigError(f"{place}: mail.{name}: {text!r} is no address, such as a@b.org")

    @property
    def domain(self) -> str:
        """That of the sender."""
        return bare(self.sender).rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is taken; `is_tls` from the first byte on."""

    host: str
    port: int
    is_tls: bool


def bare(text: str) -> str:
    """The address without the name before it; empty for what is none."""
    return parseaddr(text)[1]


def mail_server(url: str, place: str) -> MailServer:
    """By a URL as smtp://host:587 (STARTTLS) or smtps://host (TLS from the start)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in _PORTS or not host:
        raise ConfigError(f"{place}: its URL is not smtp:// or smtps:// with a host")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError(f"{place}: its URL has more than a host and a port; give mail.user")
    return MailServer(host, port or _PORTS[parts.scheme], parts.scheme == "smtps")
