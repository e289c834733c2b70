"""What a webhook's receiver gets: a CloudEvent that it can verify."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import DeliveryError
from detector.gate.cure import Cure
from detector.gate.telling import Ailing, NoticeKind
from pipelines.notify.signing import signed_headers
from pipelines.notify.webhook import WebhookNotifier, cloud_event
from pipelines.testing import FaultServer, Misbehaviour
from tests.pipelines.notify.briefs import told
from tests.pipelines.notify.receiver import Receiver, notice, receiving, settings
from tests.pipelines.stores.test_stores import T0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One that answers 204."""
    with receiving() as one:
        yield one


def sent(to: Receiver, **changes: object) -> None:
    """Send the usual notice."""
    WebhookNotifier(settings(to.url, **changes), lambda: T0 + 7).send(notice())


def verified(to: Receiver, secret: bytes) -> bool:
    """What a receiver computes, by the text of the specification."""
    (got,) = to.got
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    wanted = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return hmac.compare_digest(got.headers["webhook-signature"], f"v1,{wanted}")


def test_a_notice_is_a_cloud_event(receiver: Receiver) -> None:
    """Any broker or function that speaks CloudEvents takes it as it is."""
    sent(receiver, public_url="https://serinus.example.org/")
    (got,) = receiver.got
    event = json.loads(got.body)
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert {key: event[key] for key in ("specversion", "id", "source", "type", "subject")} == {
        "specversion": "1.0",
        "id": "fail:a1",
        "source": "https://serinus.example.org/",
        "type": "serinus.notice.fail.v1",
        "subject": "checkout",
    }
    assert datetime.fromisoformat(event["time"]).timestamp() == T0
    assert event["data"]["verdict"]["outcome"] == "fail"
    assert event["data"]["url"] == "https://serinus.example.org/rollouts/a1"


def test_without_an_address_there_is_no_link() -> None:
    """A link that leads nowhere is worse than none."""
    event = cloud_event(notice(), None)
    assert event["source"] == "/serinus/default"
    assert json.loads(json.dumps(event))["data"]["url"] is None


def test_a_weekly_notice_lists_services_and_their_change() -> None:
    """A program can open a ticket for each."""
    cure = Cure(code="low_traffic", text="Raise its weight.")
    one = Ailing(service="cart", rollouts=3, cure=cure, attempt="a9", example="Few.")
    weekly = notice(kind=NoticeKind.WEEKLY, verdict=None, ailing=(one,))
    event = cloud_event(weekly, None)
    assert "subject" not in event
    assert json.loads(json.dumps(event))["data"]["services"] == [
        {
            "service": "cart",
            "rollouts": 3,
            "reason": "low_traffic",
            "change": "Raise its weight.",
            "attempt": "a9",
            "example": "Few.",
        }
    ]


def test_an_incident_is_whole_in_its_event() -> None:
    """A program opens a ticket, closes it again, and knows the order of what it hears."""
    event = json.loads(json.dumps(cloud_event(told(1, "resolved"), "https://s.example/")))
    assert (event["type"], event["subject"]) == ("serinus.notice.incident.v1", "checkout")
    assert event["data"]["url"] == "https://s.example/incidents/inc_0123456789abcdef"
    incident = event["data"]["incident"]
    facts = ("event", "sequence", "state", "severity", "since", "until", "services", "no_change")
    assert [incident[fact] for fact in facts] == [
        "resolved", 1, "resolved", "high",
        "2026-11-23T14:00:00Z", "2026-11-23T14:24:00Z", ["checkout", "web"], 0.12,
    ]  # fmt: skip
    (cause,) = incident["causes"]
    assert (cause["probability"], cause["advice"]) == (0.83, "kubectl argo rollouts undo checkout")
    assert incident["signs"][1] == {
        "anomaly": "a2",
        "service": "web",
        "text": "Latency doubled.",
        "since": "2026-11-23T14:01:00Z",
        "until": None,
    }


def test_other_events_have_no_incident() -> None:
    """The field is there, as null, for programs that look."""
    event = json.loads(json.dumps(cloud_event(notice(), None)))
    assert event["data"]["incident"] is None


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("plain words", b"plain words"),
        ("whsec_" + base64.b64encode(b"raw bytes").decode(), b"raw bytes"),
        ("whsec_no base64!", b"whsec_no base64!"),
    ],
)
def test_the_receiver_can_verify_who_sent_it(receiver: Receiver, secret: str, key: bytes) -> None:
    """Nobody else can make a rollback of theirs look like ours."""
    sent(receiver, secret=secret)
    assert verified(receiver, key)
    assert not verified(receiver, b"another")


def test_the_signature_is_that_of_the_specification() -> None:
    """The example that the reference libraries are tested with."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', secret
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_there_is_no_signature(receiver: Receiver) -> None:
    """But the id by which it is known again."""
    sent(receiver)
    (got,) = receiver.got
    assert "webhook-signature" not in got.headers
    assert got.headers["webhook-id"] == "fail:a1"


def test_a_secret_in_a_file_is_read_again(receiver: Receiver, tmp_path: Path) -> None:
    """A rotated secret needs no restart."""
    file = tmp_path / "secret"
    file.write_text("old\n")
    notifier = WebhookNotifier(settings(receiver.url, secret_file=str(file)), lambda: T0)
    file.write_text("new\n")
    notifier.send(notice())
    assert verified(receiver, b"new")


def test_headers_of_the_settings_are_sent(receiver: Receiver) -> None:
    """Such as the token of a gateway before the receiver."""
    sent(receiver, headers={"Authorization": "Bearer abc"})
    assert receiver.got[0].headers["authorization"] == "Bearer abc"


@given(st.binary(max_size=40), st.binary(max_size=40), st.text("abc", min_size=1, max_size=5))
def test_another_body_has_another_signature(one: bytes, other: bytes, secret: str) -> None:
    """Whatever was changed on the way is found."""
    signatures = {
        signed_headers("n", 1, body, secret)["webhook-signature"] for body in (one, other)
    }
    assert len(signatures) == len({one, other})


# -- what is no acknowledgement


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        *((status, False) for status in (301, 307, 400, 401, 404, 410)),
        *((status, True) for status in (408, 425, 429, 500, 503)),
    ],
)
def test_an_answer_but_2xx_is_no_acknowledgement(
    receiver: Receiver, status: int, retryable: bool
) -> None:
    """What may pass is tried again; what a receiver refused is not."""
    receiver.answers((status, {"Location": receiver.url}))
    receiver.words = b"no_service"
    with pytest.raises(
        DeliveryError, match=f"notifier 'ops' answered {status}: no_service"
    ) as told:
        sent(receiver)
    assert told.value.retryable is retryable
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("header", "after"), [("30", 30.0), ("soon", None), ("-1", None), ("9" * 9, 86_400.0)]
)
def test_retry_after_is_heard(receiver: Receiver, header: str, after: float | None) -> None:
    """Slack says by it when it takes messages again."""
    receiver.answers((429, {"Retry-After": header}))
    with pytest.raises(DeliveryError) as told:
        sent(receiver)
    assert told.value.after_s == after


@pytest.mark.parametrize(
    "how",
    [
        Misbehaviour.BLACK_HOLE,
        Misbehaviour.HANG_UP,
        Misbehaviour.DRIP,
        Misbehaviour.HEADER_DRIP,
        Misbehaviour.HALF_BODY,
    ],
)
def test_a_receiver_that_misbehaves_holds_nobody_up(how: Misbehaviour) -> None:
    """A try ends by its time-out, whatever drips in, and is made again later."""
    with FaultServer() as server:
        server.behave(how)
        notifier = WebhookNotifier(settings(server.url, timeout_s=0.3), lambda: T0)
        with pytest.raises(DeliveryError) as told:
            notifier.send(notice())
    assert told.value.retryable


@pytest.mark.parametrize("how", [Misbehaviour.ENDLESS, Misbehaviour.HUGE])
def test_a_long_answer_is_an_answer(how: Misbehaviour) -> None:
    """It said 200; what it goes on to say is not read."""
    with FaultServer() as server:
        server.behave(how)
        WebhookNotifier(settings(server.url, timeout_s=2.0), lambda: T0).send(notice())
    assert len(server.requests) == 1


def test_nobody_there_is_told_without_the_url() -> None:
    """The path of a webhook is a secret; the host is not."""
    quiet = settings("http://127.0.0.1:9/services/T0/B0/secret", timeout_s=1.0)
    with pytest.raises(DeliveryError, match=r"cannot connect to 127\.0\.0\.1") as told:
        WebhookNotifier(quiet, lambda: T0).send(notice())
    assert "secret" not in str(told.value)
    assert told.value.retryable
