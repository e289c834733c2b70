"""Incidents by e-mail: one thread each, readable everywhere, over TLS, and no header of others."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from detector.errors import ConfigError, DeliveryError
from detector.gate.cure import Cure
from detector.gate.telling import Ailing, DeliveryState, Errand, Notice, NoticeKind, Post
from pipelines.notify.chart import chart_png
from pipelines.notify.dispatch import Dispatcher
from pipelines.notify.email import Email, Root, html_of, message_of
from pipelines.notify.mail_settings import Mail, mail_server
from pipelines.notify.open import open_notifier
from pipelines.notify.plain import plain_of
from pipelines.notify.settings import NotifierSettings
from pipelines.sources.settings import Tls
from pipelines.stores.memory import memory_stores
from tests.pipelines.flows.scripted import Clock
from tests.pipelines.notify.briefs import cause, told
from tests.pipelines.notify.mail_server import (
    PASSWORD,
    USER,
    MailBox,
    certificate,
    dripping,
    mailing,
)
from tests.pipelines.notify.receiver import notice
from tests.pipelines.notify.test_chart import STEP

WHERE = "https://serinus.example.org"
MAIL = Mail(sender="serinus <alerts@example.org>", to=("ann@example.org", "Bo <bo@example.org>"))
PLAIN = Mail(sender=MAIL.sender, to=MAIL.to, starttls=False)


def settings(url: str, mail: Mail | None = PLAIN, **changes: object) -> NotifierSettings:
    """A notifier by that server."""
    base: dict[str, object] = {
        "name": "ops",
        "kind": "email",
        "url": url,
        "mail": mail,
        "public_url": WHERE,
        "allow_private": True,
        "timeout_s": 10.0,
    }
    return NotifierSettings(**{**base, **changes})  # type: ignore[arg-type]


def to(box: MailBox, mail: Mail = PLAIN, scheme: str = "smtp", **changes: object) -> Email:
    """The notifier to it."""
    return Email(settings(f"{scheme}://{box.host}:{box.port}", mail, **changes))


def errand(of: Notice, receipt: str = "") -> Errand:
    """It is on its way."""
    return Errand(notice=of, to="ops", tries=1, receipt=receipt)


@pytest.fixture
def box() -> Iterator[MailBox]:
    """One that is spoken to in plain text."""
    with mailing() as one:
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where its certificate is."""
    return tmp_path_factory.mktemp("mail")


@pytest.fixture(scope="module")
def context(folder: Path) -> ssl.SSLContext:
    """For `localhost`."""
    return certificate(folder)


@pytest.fixture
def tls(context: ssl.SSLContext, folder: Path) -> Tls:
    """What knows its authority."""
    assert context.check_hostname is False
    return Tls(ca_file=str(folder / "cert.pem"))


# -- what is in it


def test_an_incident_is_read_in_any_mail_program(box: MailBox) -> None:
    """In plain text and in HTML the same."""
    to(box).send(told())
    (letter,) = box.got
    message = letter.message
    assert (letter.sender, letter.to) == (
        "alerts@example.org",
        ("ann@example.org", "bo@example.org"),
    )
    assert message["From"] == "serinus <alerts@example.org>"
    assert message["Subject"] == "Incident: checkout: errors up"
    assert message["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["Date"]).timestamp() == told().at
    assert message.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        shown = letter.part(kind)
        for words in ("Errors: 12 % against 0.4 %.", "83 %", "kubectl argo rollouts undo checkout"):
            assert words in shown
        assert f"{WHERE}/incidents/inc_0123456789abcdef" in shown


def test_an_incident_is_one_thread(box: MailBox) -> None:
    """All that happens to it is found in one place, whatever it is called by then."""
    notifier = to(box)
    receipt = ""
    for one in (told(), told(1, "grew", title="checkout and web"), told(2, "resolved")):
        receipt = notifier.follow(errand(one, receipt))
    first, *rest = [letter.message for letter in box.got]
    assert "In-Reply-To" not in first
    for message in rest:
        assert message["In-Reply-To"] == message["References"] == first["Message-ID"]
        assert message["Subject"] == "Re: Incident: checkout: errors up"
    assert len({message["Message-ID"] for message in (first, *rest)}) == 3
    assert box.got[-1].part("plain").startswith("Resolved: checkout: errors up")


def test_the_same_told_twice_has_the_same_id(box: MailBox) -> None:
    """Mailboxes that look at ids keep one of them."""
    for _ in range(2):
        to(box).follow(errand(told()))
    one, other = [letter.message["Message-ID"] for letter in box.got]
    assert one == other
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", one)


def test_an_incident_is_one_thread_from_the_outbox(box: MailBox) -> None:
    """What the first message gave is kept, over whatever is told to others between."""
    outbox, clock = memory_stores().outbox, Clock()
    clock.at = told(3).at
    dispatcher = Dispatcher(name="ops", notifier=to(box), outbox=outbox, clock=clock)
    for one in (told(), told(0, thread="inc_other"), told(1, "resolved")):
        outbox.put([Post(notice=one, to=("ops",))])
        assert dispatcher.turn() == 1
    assert outbox.tally() == {("ops", DeliveryState.SENT): 3}
    first, other, last = [letter.message for letter in box.got]
    assert last["References"] == first["Message-ID"] != other["Message-ID"]
    assert "References" not in other


@pytest.mark.parametrize("receipt", ["C01/17.5", "{}", '{"id": "x\\r\\ny", "subject": ""}', "[1]"])
def test_a_receipt_of_another_kind_begins_a_thread(box: MailBox, receipt: str) -> None:
    """Such as one that a chat gave, after the kind of a receiver was changed."""
    to(box).follow(errand(told(1, "grew"), receipt))
    assert "In-Reply-To" not in box.got[0].message


@pytest.mark.parametrize("kind", [NoticeKind.FAIL, NoticeKind.PAUSE, NoticeKind.TEST])
def test_other_kinds_are_messages_of_their_own(box: MailBox, kind: NoticeKind) -> None:
    """With their text, what comes of it, and a link."""
    to(box).send(notice(kind=kind))
    (letter,) = box.got
    assert letter.message["Subject"] == "checkout v2 failed"
    shown = letter.part("plain")
    assert "Errors rose." in shown
    assert f"{WHERE}/rollouts/a1" in shown


def test_a_report_of_the_week_is_a_list(box: MailBox) -> None:
    """One line for each service."""
    cure = Cure(code="low_traffic", text="Raise its weight.")
    one = Ailing(service="cart", rollouts=3, cure=cure, attempt="a9", example="Few.")
    to(box).send(notice(kind=NoticeKind.WEEKLY, verdict=None, ailing=(one,)))
    line = "cart: all 3 rollouts undecided. Raise its weight."
    assert f"- {line}" in box.got[0].part("plain")
    assert f"<li>{line}</li>" in box.got[0].part("html")


def test_a_picture_is_attached(box: MailBox) -> None:
    """Whole, beside the text; a notice without one has none."""
    picture = chart_png(STEP)
    url = f"smtp://{box.host}:{box.port}"
    notifier = Email(settings(url), lambda notice: b"" if notice.incident is None else picture)
    notifier.send(told())
    notifier.send(notice())
    (attached,) = box.got[0].message.iter_attachments()
    assert attached.get_content_type() == "image/png"
    assert attached.get_content() == picture
    assert "Errors: 12 %" in box.got[0].part("plain")
    assert not list(box.got[1].message.iter_attachments())


# -- what others write into it


@profile(max_examples=60)
@given(st.text(max_size=300), st.text(max_size=100))
def test_nobody_writes_a_header(title: str, service: str) -> None:
    """A service that is called like a header is a word in the text."""
    odd = f"x\r\nBcc: eve@example.org\r\n\r\n{title}"
    of = told(title=odd, services=(f"{service}\nTo: eve",), causes=(cause(title=odd),))
    usual = message_of(told(), settings("smtp://x"), None)
    made = message_of(of, settings("smtp://x"), Root(id="<r@example.org>", subject="first"))
    assert set(made.keys()) == set(usual.keys()) | {"In-Reply-To", "References"}
    head = bytes(made).split(b"\r\n\r\n")[0]
    assert not re.search(rb"(?mi)^(bcc|to: eve)", head)
    assert b"\n" not in head.replace(b"\r\n", b"")


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    """No picture of somebody else is fetched by whoever reads it."""
    bad = '<img src="https://eve.example.org/p.png">'
    html = html_of(plain_of(told(title=bad, services=(bad,), causes=(cause(advice=bad),)), WHERE))
    assert "<img" not in html
    assert html.count("&lt;img src=&quot;") == 3


def test_a_dot_on_a_line_does_not_end_the_message(box: MailBox) -> None:
    """What follows would be read as a command."""
    to(box).send(notice(text=".", advice=".\r\n.\r\nQUIT"))
    assert ". . QUIT" in box.got[0].part("plain")


# -- how it is sent


def test_nothing_is_said_before_starttls(context: ssl.SSLContext, tls: Tls, folder: Path) -> None:
    """Neither the message nor the password."""
    mail = Mail(sender=MAIL.sender, to=MAIL.to, user=USER)
    secret = folder / "password"
    secret.write_text(f"{PASSWORD}\n")
    with mailing(starttls=context, login=True) as box:
        to(box, mail, tls=tls, secret_file=str(secret)).send(told())
        assert [(one.is_tls, one.user) for one in box.got] == [(True, USER)]


def test_tls_from_the_first_byte_on(context: ssl.SSLContext, tls: Tls) -> None:
    """As port 465 has it."""
    with mailing(implicit=context) as box:
        to(box, MAIL, "smtps", tls=tls).send(told())
        assert len(box.got) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_an_unknown_authority_is_told_nothing(context: ssl.SSLContext, scheme: str) -> None:
    """Somebody in between hears no incident."""
    made = mailing(starttls=context) if scheme == "smtp" else mailing(implicit=context)
    with made as box:
        with pytest.raises(DeliveryError, match=r"cannot send by localhost: .*CERTIFICATE"):
            to(box, MAIL, scheme).send(told())
        assert box.got == []


def test_a_certificate_of_another_host_is_refused(context: ssl.SSLContext, tls: Tls) -> None:
    """By the name in the URL."""
    with mailing(starttls=context) as box:
        box.host = "127.0.0.1"
        with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
            to(box, MAIL, tls=tls).send(told())


def test_a_server_without_starttls_is_not_spoken_to_in_plain(box: MailBox) -> None:
    """Somebody in between may have taken it out of what the server said."""
    with pytest.raises(DeliveryError, match="STARTTLS") as told_:
        to(box, MAIL).send(told())
    assert (told_.value.retryable, told_.value.after_s) == (True, 60.0)
    assert box.got == []


def test_a_wrong_password_is_for_somebody_to_mend(context: ssl.SSLContext, tls: Tls) -> None:
    """And what was to be told waits for that; the password is in no message."""
    mail = Mail(sender=MAIL.sender, to=MAIL.to, user=USER)
    with mailing(starttls=context, login=True) as box:
        with pytest.raises(DeliveryError, match="answered 535") as told_:
            to(box, mail, tls=tls, secret="wr0ng").send(told())
        assert (told_.value.retryable, told_.value.after_s) == (True, 60.0)
        assert "wr0ng" not in str(told_.value)


def test_a_password_is_not_sent_in_plain_text(box: MailBox, tmp_path: Path) -> None:
    """Also where the URL is in a file and was written anew."""
    file = tmp_path / "url"
    file.write_text(f"smtp://{box.host}:{box.port}")
    mail = Mail(sender=MAIL.sender, to=MAIL.to, user=USER, starttls=False)
    base = {"name": "ops", "kind": "email", "url_file": str(file), "allow_private": True}
    notifier = Email(NotifierSettings(**base, mail=mail, secret="x"))  # type: ignore[arg-type]
    with pytest.raises(DeliveryError, match="no password is sent without TLS"):
        notifier.send(told())
    assert box.got == []


# -- what is no acknowledgement


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [("451 4.3.0 try later", True), ("452 full", True), ("554 5.7.1 no spam", False)],
)
def test_an_answer_that_may_pass_is_tried_again(box: MailBox, answer: str, retryable: bool) -> None:
    """A greylist takes it the next time; a refusal stays one."""
    box.answers.append(answer)
    with pytest.raises(DeliveryError, match=f"answered {answer[:3]}: {answer[4:]}") as told_:
        to(box).send(told())
    assert told_.value.retryable is retryable
    to(box).send(told())
    assert len(box.got) == 1


def test_one_receiver_that_is_gone_does_not_keep_it_from_others(box: MailBox) -> None:
    """It is sent once all the same."""
    box.refused["bo@example.org"] = "550 5.1.1 nobody here"
    to(box).send(told())
    assert [letter.to for letter in box.got] == [("ann@example.org",)]


@pytest.mark.parametrize(("other", "retryable"), [("550 nobody", False), ("450 later", True)])
def test_when_nobody_takes_it_one_who_may_decides(
    box: MailBox, other: str, retryable: bool
) -> None:
    """One mailbox that is only busy is worth another try."""
    box.refused = {"ann@example.org": "550 nobody", "bo@example.org": other}
    with pytest.raises(DeliveryError) as told_:
        to(box).send(told())
    assert told_.value.retryable is retryable


def test_a_server_that_is_not_there_is_asked_again() -> None:
    """It is started again, perhaps."""
    with mailing() as gone:
        notifier = to(gone)
    with pytest.raises(DeliveryError, match="cannot send by localhost") as told_:
        notifier.send(told())
    assert told_.value.retryable


@pytest.mark.parametrize("words", [b"", b"2", b"220-welcome\r\n"])
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_hangs_is_cut_off(words: bytes, scheme: str) -> None:
    """However slowly it drips: nobody else waits for it."""
    with dripping(words) as url:
        begun = time.monotonic()
        with pytest.raises(DeliveryError) as told_:
            Email(settings(url.replace("smtp", scheme), timeout_s=0.4)).send(told())
        assert time.monotonic() - begun < 3
    assert told_.value.retryable


def test_a_private_address_is_refused(box: MailBox) -> None:
    """As with every other receiver."""
    with pytest.raises(DeliveryError, match="private; set allow_private: true") as told_:
        to(box, allow_private=False).send(told())
    assert told_.value.retryable is False


# -- settings


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://mail.example.org", "not smtp:// or smtps://"),
        ("smtp://", "not smtp:// or smtps://"),
        ("smtp://mail:port", "not smtp:// or smtps://"),
        ("smtp://u:p@mail", "give mail.user"),
        ("smtp://mail/x", "more than a host and a port"),
    ],
)
def test_a_url_of_no_mail_server_is_refused(url: str, words: str) -> None:
    """At the start."""
    with pytest.raises(ConfigError, match=words):
        settings(url)


def test_ports_are_those_of_submission() -> None:
    """587 with STARTTLS, 465 with TLS from the start."""
    ports = [mail_server(f"{scheme}://m", "x").port for scheme in ("smtp", "smtps")]
    assert ports == [587, 465]
    assert mail_server("smtp://m:25", "x").port == 25


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        (None, "give mail, with sender and to"),
        (Mail(sender="a@b", to=()), "mail.to: give 1 to 50"),
        (Mail(sender="a@b", to=("c@d",) * 51), "mail.to: give 1 to 50"),
        (Mail(sender="nobody", to=("a@b",)), "mail.sender: 'nobody' is no address"),
        (Mail(sender="a@b\r\nBcc: e@f", to=("a@b",)), "mail.sender: .* is no address"),
        (Mail(sender="a@b", to=("a@b\nX: y",)), "mail.to: .* is no address"),
        (Mail(sender="a@b", to=("ü@b",)), "mail.to: .* is no address"),
        (Mail(sender="a@b", to=("a@b",), user="u", starttls=False), "no password is sent"),
    ],
)
def test_mail_that_cannot_be_sent_is_refused(mail: Mail | None, words: str) -> None:
    """At the start, with what is wrong."""
    with pytest.raises(ConfigError, match=words):
        settings("smtp://mail.example.org", mail)


def test_it_is_opened_by_its_kind() -> None:
    """As the others are."""
    assert isinstance(open_notifier(settings("smtps://mail"), lambda: 0.0), Email)
    with pytest.raises(ConfigError, match="give one of url, url_file"):
        settings("smtp://mail", url_file="/x")
