"""A real SMTP server in the process of the test: what it got, and what it says to it."""

from __future__ import annotations

import asyncio
import email
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

__all__ = ["PASSWORD", "USER", "Letter", "MailBox", "certificate", "dripping", "mailing"]

USER, PASSWORD = "serinus", "p4ss word"
_NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it was taken."""

    sender: str
    to: tuple[str, ...]
    raw: bytes
    is_tls: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """Parsed by the strict rules of today."""
        parsed = email.message_from_bytes(self.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def part(self, kind: str) -> str:
        """Its text as plain or html."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


@dataclass(slots=True)
class MailBox:
    """Answers of the next messages and receivers; what is not said is 250."""

    host: str = "localhost"
    port: int = 0
    got: list[Letter] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 - as its documents have it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Whether it takes mail for this receiver."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as it is called
        """Take it."""
        if self.answers:
            return self.answers.pop(0)
        content = envelope.original_content or b""
        user = _name(session.auth_data)
        to = tuple(envelope.rcpt_tos)
        is_tls = session.ssl is not None
        self.got.append(Letter(str(envelope.mail_from), to, content, is_tls, user))
        return "250 2.0.0 taken"


def _name(login: object) -> str | None:
    return login.login.decode() if isinstance(login, LoginPassword) else None


def _is_right(*asked: object) -> AuthResult:
    """The last of what it is asked is name and password."""
    right = asked[-1] == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False, auth_data=asked[-1])


def certificate(folder: Path) -> ssl.SSLContext:
    """One for `localhost` alone, its own authority, as cert.pem."""
    words = ["openssl", "req", "-x509", *_NEW, "-keyout", "key.pem", "-out", "cert.pem"]
    words += ["-subj", "/CN=localhost", "-days", "2", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(words, check=True, capture_output=True, cwd=folder, timeout=60)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@contextmanager
def mailing(
    starttls: ssl.SSLContext | None = None,
    implicit: ssl.SSLContext | None = None,
    *,
    login: bool = False,
) -> Iterator[MailBox]:
    """A server on a free port; with `starttls` it takes nothing before."""
    box = MailBox()
    words: dict[str, Any] = {"authenticator": _is_right, "auth_required": login}
    if starttls is not None:
        words |= {"tls_context": starttls, "require_starttls": True}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve() -> asyncio.Server:
        return await loop.create_server(
            lambda: SMTP(box, loop=loop, **words), "127.0.0.1", 0, ssl=implicit
        )

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@contextmanager
def dripping(words: bytes) -> Iterator[str]:
    """A server that says these words ten times a second and never comes to an end."""
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with suppress(OSError):
            peer, _ = listener.accept()
            with peer:
                while not ended.wait(0.1):
                    peer.sendall(words)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.close()
        thread.join(5)
