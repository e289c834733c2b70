"""One message to a mail server: bounded in time, guarded, errors in our words."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

import structlog

from detector.errors import DeliveryError
from pipelines.notify.guard import Guard
from pipelines.notify.mail_settings import Mail, MailServer
from pipelines.notify.settings import NotifierSettings
from pipelines.sources.auth import tls_context

__all__ = ["deliver"]

_QUOTED = 200
# What somebody has to mend, and may within the day: a password, a server without STARTTLS.
_MEND_AFTER_S = 60.0
_MENDED = frozenset({530, 534, 535, 538})


class _Client(smtplib.SMTP):
    """Connects to the very address that was looked at, and can be cut off at any moment."""

    def __init__(self, settings: NotifierSettings, server: MailServer, name: str) -> None:
        super().__init__(local_hostname=name, timeout=settings.timeout_s)
        # Which name the certificate of STARTTLS must have.
        self._host = server.host
        self._is_tls = server.is_tls
        self._guard = Guard(settings.place, settings.allow_private)
        self._context = tls_context(settings.tls)
        self._rope: socket.socket | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self._guard.resolve(host, port), port), timeout)
        # Another handle of the same connection: the first one changes hands with each handshake.
        self._rope = plain.dup()
        return self._context.wrap_socket(plain, server_hostname=host) if self._is_tls else plain

    def secure(self) -> None:
        """Go on in TLS; `SMTPNotSupportedError` where the server cannot."""
        self.starttls(context=self._context)

    def cut(self) -> None:
        """Whoever waits for the server hears an end of the stream."""
        # It may be over already.
        with suppress(OSError):
            if self._rope is not None:
                self._rope.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection."""
        super().close()
        if self._rope is not None:
            self._rope.close()


def deliver(settings: NotifierSettings, mail: Mail, server: MailServer, of: EmailMessage) -> None:
    """Return once the server took it for all, or for some, of those it is for."""
    is_secret = server.is_tls or mail.starttls
    if mail.user is not None and not is_secret:
        raise DeliveryError(f"{settings.place}: no password is sent without TLS", retryable=False)
    with _translated(settings, server), _connected(settings, mail, server) as client:
        if not server.is_tls and mail.starttls:
            client.secure()
        if mail.user is not None:
            client.login(mail.user, settings.key() or "")
        refused = client.send_message(of)
    if refused:
        structlog.get_logger("serinus.notify").warning(
            "some do not get this mail", notifier=settings.name, refused=len(refused)
        )


@contextmanager
def _connected(settings: NotifierSettings, mail: Mail, server: MailServer) -> Iterator[_Client]:
    """Cut off at the deadline, however slowly the server says what it says."""
    client = _Client(settings, server, mail.domain)
    alarm = threading.Timer(settings.timeout_s, client.cut)
    alarm.daemon = True
    alarm.start()
    try:
        client.connect(server.host, server.port)
        yield client
    finally:
        alarm.cancel()
        client.close()


@contextmanager
def _translated(settings: NotifierSettings, server: MailServer) -> Iterator[None]:
    """The one table from the client's errors to ours."""
    place = settings.place
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        codes = [(code, words) for code, words in error.recipients.values()]
        code, words = max(codes, key=lambda one: one[0] < 500)
        raise _refusal(place, code, words) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(place, error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryError(f"{place}: {server.host}: {error}", after_s=_MEND_AFTER_S) from error
    except smtplib.SMTPServerDisconnected as error:
        text = f"{place}: {server.host} broke off, or gave no whole answer in time"
        raise DeliveryError(text) from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(f"{place}: cannot send by {server.host}: {error}") from error


def _refusal(place: str, code: int, said: bytes | str) -> DeliveryError:
    """A 4xx may pass, a 5xx does not, unless it is for somebody to mend."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    words = " ".join(text.split())[:_QUOTED]
    shown = f": {words}" if words and words.isprintable() else ""
    is_mended = code in _MENDED
    return DeliveryError(
        f"{place}: the mail server answered {code}{shown}",
        retryable=code < 500 or is_mended,
        after_s=_MEND_AFTER_S if is_mended else None,
    )
