"""Whether a payload was signed by who knows the secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from detector.errors import ConfigError
from pipelines.changes.mapping import Signature
from pipelines.notify.signing import signature_of

__all__ = ["is_signed"]

_SKEW_S = 300


def is_signed(
    signature: Signature, body: bytes, headers: Mapping[str, str], secret: str, *, now: int
) -> bool:
    """In constant time for one scheme; headers in lower case, `now` in unix seconds.

    `ConfigError` where there is no secret: everybody could sign with it.
    """
    if not secret:
        raise ConfigError("the secret of a sender is empty")
    if signature.scheme == "standard":
        return _is_standard(body, headers, secret, now)
    offered = headers.get(signature.header.lower(), "")
    if signature.scheme == "token":
        return _is_same(offered.removeprefix(signature.prefix), secret)
    digest = hmac.new(secret.encode(), body, getattr(hashlib, signature.digest)).hexdigest()
    return _is_same(offered.lower(), signature.prefix + digest)


def _is_standard(body: bytes, headers: Mapping[str, str], secret: str, now: int) -> bool:
    """See https://www.standardwebhooks.com: any of the signatures that are offered may fit."""
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdecimal() or len(at) > len(str(now)) or abs(int(at) - now) > _SKEW_S:
        return False
    wanted = signature_of(id, int(at), body, secret)
    offered = headers.get("webhook-signature", "")[:4096].split(" ")
    return any(_is_same(one, wanted) for one in offered)


def _is_same(offered: str, wanted: str) -> bool:
    return hmac.compare_digest(offered.encode(), wanted.encode())
