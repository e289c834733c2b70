"""The signature of a webhook, as the Standard Webhooks specification 1.0 has it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

__all__ = ["signature_of", "signed_headers"]

_PREFIX = "whsec_"


def signed_headers(id: str, at: int, body: bytes, secret: str | None) -> Mapping[str, str]:
    """Headers that name a message; with a secret also its HMAC-SHA256 over id, time and body.

    The receiver computes it again over what came, and refuses what is older than some minutes.
    """
    headers = {"webhook-id": id, "webhook-timestamp": str(at)}
    if secret is None:
        return headers
    return {**headers, "webhook-signature": signature_of(id, at, body, secret)}


def signature_of(id: str, at: int, body: bytes, secret: str) -> str:
    """What the header of a message has, sent at unix seconds."""
    signed = b".".join((id.encode(), str(at).encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """The bytes of a secret: base64 after `whsec_`, else the text itself."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
