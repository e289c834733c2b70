"""E-mail: an incident is a thread of messages in plain text, with HTML beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from hashlib import sha256
from html import escape

import msgspec

from detector.errors import ConfigError
from detector.gate.telling import Errand, Notice
from pipelines.notify.mail_settings import mail_server
from pipelines.notify.plain import Plain, is_web, one_line, plain_of
from pipelines.notify.settings import NotifierSettings
from pipelines.notify.smtp import deliver

__all__ = ["Email", "Root", "html_of", "message_of"]

_SUBJECT = 150

Charts = Callable[[Notice], bytes]


class Root(msgspec.Struct, frozen=True):
    """The first message of a thread; as text it is the receipt.

    Mail programs put into one thread what refers to it and has its subject.
    """

    id: str
    subject: str


class Email:
    """`Notifier` and `Correspondent` to some mailboxes, by one mail server.

    `charts` gives the picture of a notice as PNG, empty for none.
    """

    def __init__(self, settings: NotifierSettings, charts: Charts | None = None) -> None:
        if settings.mail is None:
            raise ConfigError(f"{settings.place}: give mail, with sender and to")
        self._settings, self._mail, self._charts = settings, settings.mail, charts

    def send(self, notice: Notice) -> None:
        """In a thread of its own."""
        self._sent(notice, None)

    def follow(self, errand: Errand) -> str:
        """In the thread of what was told before."""
        return self._sent(errand.notice, _read(errand.receipt))

    def _sent(self, notice: Notice, root: Root | None) -> str:
        server = mail_server(self._settings.where(), self._settings.place)
        chart = b"" if self._charts is None else self._charts(notice)
        message = message_of(notice, self._settings, root, chart)
        deliver(self._settings, self._mail, server, message)
        first = root or Root(id=str(message["Message-ID"]), subject=str(message["Subject"]))
        return msgspec.json.encode(first).decode()


def message_of(
    notice: Notice, settings: NotifierSettings, root: Root | None, chart: bytes = b""
) -> EmailMessage:
    """The whole message; the same notice has the same id, so what comes twice is seen to."""
    mail, told = settings.mail, plain_of(notice, settings.public_url)
    if mail is None:
        raise ConfigError(f"{settings.place}: give mail, with sender and to")
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = mail.sender, ", ".join(mail.to)
    subject = one_line(told.headline, _SUBJECT) or "A notice of serinus"
    message["Subject"] = subject if root is None else f"Re: {root.subject}"
    message["Date"] = formatdate(notice.at)
    message["Message-ID"] = f"<{_hash(settings.name, notice.id)}@{mail.domain}>"
    if root is not None:
        message["In-Reply-To"] = message["References"] = root.id
    # No reply of an absent person, please.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(told.lines) + "\n")
    message.add_alternative(html_of(told), subtype="html")
    if chart:
        message.add_attachment(chart, maintype="image", subtype="png", filename="chart.png")
    return message


def html_of(told: Plain) -> str:
    """The same as a page without pictures, styles of others, or anything that is fetched."""
    return "".join(_html(told))


def _html(told: Plain) -> Iterator[str]:
    yield f"<!DOCTYPE html><html><body><h2>{escape(told.headline)}</h2>"
    if told.text:
        yield f"<p>{escape(told.text)}</p>"
    if told.facts:
        rows = (f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in told.facts)
        yield f'<table style="text-align:left">{"".join(rows)}</table>'
    if told.points:
        yield f"<ul>{''.join(f'<li>{escape(point)}</li>' for point in told.points)}</ul>"
    if told.advice:
        yield f"<p><b>{escape(told.advice)}</b></p>"
    if told.link is not None and is_web(told.link):
        yield f'<p><a href="{escape(told.link)}">See it in serinus</a></p>'
    yield "</body></html>"


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _read(receipt: str) -> Root | None:
    """None for what is no receipt of ours."""
    try:
        root = msgspec.json.decode(receipt, type=Root)
    except msgspec.MsgspecError:
        return None
    is_ours = root.id.startswith("<") and root.id.isascii() and root.id.isprintable()
    return Root(id=root.id, subject=one_line(root.subject, _SUBJECT)) if is_ours else None
