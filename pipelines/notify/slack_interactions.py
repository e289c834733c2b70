"""What people say by the buttons of a message in Slack: verified, and read."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qs

import msgspec

from detector.errors import ConfigError, InputError
from detector.incidents.record import SaidKind

__all__ = ["BLOCK_ID_MAX", "Interaction", "action_of", "block_id_of", "is_from_slack", "read"]

BLOCK_ID_MAX = 255
_SKEW_S = 300
_BODY_MAX = 2**17
_NAME_MAX = 80
_LONGEST_S = 30 * 86_400
_BLOCK, _ACTION = "serinus/", "serinus."
_SAID = (SaidKind.ACKNOWLEDGED, SaidKind.SNOOZED, SaidKind.NO_INCIDENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """What a person said of an incident of a tenant; `for_s` is how long a snooze lasts.

    `user` is the person's id in Slack, `person` how we call whoever said it.
    """

    tenant: str
    incident: str
    said: SaidKind
    person: str
    user: str
    for_s: int | None = None


def block_id_of(tenant: str, incident: str) -> str:
    """The id of the block with the buttons of an incident, which comes back with a click."""
    return f"{_BLOCK}{tenant}/{incident}"


def action_of(said: SaidKind) -> str:
    """The id of the button that says so."""
    return f"{_ACTION}{said.value}"


def is_from_slack(body: bytes, *, timestamp: str, signature: str, secret: str, now: float) -> bool:
    """Whether Slack signed this body within five minutes of now; compared in constant time.

    `timestamp` and `signature` are the headers `X-Slack-Request-Timestamp` and
    `X-Slack-Signature`. `ConfigError` where there is no secret: everybody could sign with it.
    """
    if not secret:
        raise ConfigError("the signing secret of a Slack app is empty")
    if not (timestamp.isascii() and timestamp.isdecimal()) or len(timestamp) > _NAME_MAX:
        return False
    if abs(int(timestamp) - now) > _SKEW_S:
        return False
    signed = b":".join((b"v0", timestamp.encode(), body))
    wanted = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode())


class _User(msgspec.Struct):
    id: str
    username: str = ""
    name: str = ""


class _Option(msgspec.Struct):
    value: str


class _Click(msgspec.Struct):
    action_id: str
    block_id: str
    selected_option: _Option | None = None


class _Payload(msgspec.Struct):
    type: str
    user: _User
    actions: list[_Click] = []


_PAYLOAD = msgspec.json.Decoder(_Payload)


def read(body: bytes) -> Interaction | None:
    """What was said by a click; None for one that says nothing of an incident of ours.

    `InputError` for a body that is no interaction, or says what no button of ours does.
    """
    payload = _payload(body)
    if payload.type != "block_actions":
        return None
    clicks = [click for click in payload.actions if click.block_id.startswith(_BLOCK)]
    return _said(clicks[0], payload.user) if clicks else None


def _payload(body: bytes) -> _Payload:
    if len(body) > _BODY_MAX:
        raise InputError(f"it is larger than {_BODY_MAX} bytes", field="body")
    try:
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10)
        (text,) = fields["payload"]
        return _PAYLOAD.decode(text)
    except (ValueError, KeyError, msgspec.MsgspecError) as error:
        raise InputError("it is no interaction of Slack", field="payload") from error


def _said(click: _Click, user: _User) -> Interaction:
    tenant, slash, incident = click.block_id.removeprefix(_BLOCK).rpartition("/")
    if not (tenant and slash and incident):
        raise InputError("it names no incident", field="block_id")
    said = {action_of(one): one for one in _SAID}.get(click.action_id)
    if said is None:
        raise InputError("no button of ours is called so", field="action_id")
    name = (user.username or user.name or user.id)[:_NAME_MAX]
    return Interaction(
        tenant=tenant,
        incident=incident,
        said=said,
        person=f"{name} (Slack)",
        user=user.id[:_NAME_MAX],
        for_s=_seconds(click.selected_option) if said is SaidKind.SNOOZED else None,
    )


def _seconds(option: _Option | None) -> int:
    text = "" if option is None else option.value
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text[:9]) <= _LONGEST_S:
        raise InputError("a snooze lasts from a second to 30 days", field="value")
    return int(text[:9])
