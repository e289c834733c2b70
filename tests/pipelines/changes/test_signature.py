"""Signatures of senders, right and forged."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from detector.errors import ConfigError
from pipelines.changes.mapping import Signature
from pipelines.changes.signature import is_signed
from pipelines.notify.signing import signed_headers

BODY, SECRET, NOW = b'{"action":"created"}', "It's a Secret to Everybody", 1_795_773_600
GITHUB = Signature(scheme="hmac", digest="sha256", header="X-Hub-Signature-256", prefix="sha256=")
TERRAFORM = Signature(scheme="hmac", digest="sha512", header="X-TFE-Notification-Signature")
GITLAB = Signature(scheme="token", header="X-Gitlab-Token")
STANDARD = Signature(scheme="standard")


def headers(signature: Signature, secret: str = SECRET, body: bytes = BODY) -> dict[str, str]:
    """As the sender would sign a body."""
    if signature.scheme == "standard":
        return dict(signed_headers("msg_1", NOW, body, secret))
    if signature.scheme == "token":
        return {signature.header.lower(): secret}
    digest = hmac.new(secret.encode(), body, getattr(hashlib, signature.digest)).hexdigest()
    return {signature.header.lower(): signature.prefix + digest}


EACH = pytest.mark.parametrize("signature", [GITHUB, TERRAFORM, GITLAB, STANDARD])


@EACH
def test_who_knows_the_secret_is_believed(signature: Signature) -> None:
    """The documented signature of each sender."""
    assert is_signed(signature, BODY, headers(signature), SECRET, now=NOW)


@EACH
@pytest.mark.parametrize("forged", ["another", "", "missing"])
def test_who_does_not_is_refused(signature: Signature, forged: str) -> None:
    """A forged deployment would be blamed for an incident."""
    offered = {} if forged == "missing" else headers(signature, forged)
    assert not is_signed(signature, BODY, offered, SECRET, now=NOW)


@pytest.mark.parametrize("signature", [GITHUB, TERRAFORM, STANDARD])
def test_a_signature_does_not_fit_another_body(signature: Signature) -> None:
    """Else who has seen one message could write any."""
    assert not is_signed(signature, BODY + b" ", headers(signature), SECRET, now=NOW)


def test_the_example_that_github_documents_is_accepted() -> None:
    """Its secret, body and signature are in the documentation of webhooks."""
    signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    offered = {"x-hub-signature-256": signed}
    assert is_signed(GITHUB, b"Hello, World!", offered, SECRET, now=NOW)


@pytest.mark.parametrize("late", [301, -301])
def test_a_message_with_a_time_is_not_taken_long_after_it(late: int) -> None:
    """It was replayed by somebody who listened."""
    assert not is_signed(STANDARD, BODY, headers(STANDARD), SECRET, now=NOW + late)


@pytest.mark.parametrize("at", ["", "-5", "1e9", "9" * 40, "\u0663"])
def test_a_time_that_is_none_is_no_signature(at: str) -> None:
    """Refused, not answered by an error of ours."""
    offered = {**headers(STANDARD), "webhook-timestamp": at}
    assert not is_signed(STANDARD, BODY, offered, SECRET, now=NOW)


@EACH
def test_an_empty_secret_is_no_secret(signature: Signature) -> None:
    """A file that is empty by mistake must not open the door to everybody."""
    with pytest.raises(ConfigError, match="empty"):
        is_signed(signature, BODY, headers(signature, ""), "", now=NOW)
